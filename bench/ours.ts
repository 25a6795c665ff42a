/**
 * Probebook's engine as a contender.
 * @module
 */
import { loadDecoder, type Prefix } from "../lib/engine/mod.ts";
import type { Contender, ContenderOptions } from "./contender.ts";

/** Loads the checkpoint folder. */
export async function openOurs({ model: dir, dtype, threads }: ContenderOptions): Promise<Contender> {
  const model = await loadDecoder(dir, { dtype, threads, cacheBytes: 2 ** 30 });
  return {
    async prompts(prompts, maxNewTokens) {
      for (const ids of prompts) {
        using prefix = await model.prefill(ids, { reuse: prompts.length > 1 });
        await prefix.generate({ maxNewTokens, ignoreEos: true });
      }
    },
    async chain(pieces, n, maxNewTokens) {
      const prefixes: Prefix[] = [];
      for (const piece of pieces) {
        prefixes.push(await (prefixes.at(-1)?.extend(piece) ?? model.prefill(piece)));
      }
      const options = { n, maxNewTokens, temperature: 1, ignoreEos: true };
      await model.generateMany(prefixes.map((prefix) => ({ prefix, ...options })));
      for (const prefix of prefixes) prefix[Symbol.dispose]();
    },
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  };
}
