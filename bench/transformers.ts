/**
 * `@huggingface/transformers` on an export of the same weights, as a contender: the keys and values of a prefix are
 * computed once and given to each of its samples.
 * @module
 */
import { dirname, resolve } from "node:path";
import { AutoModelForCausalLM, DynamicCache, env, Tensor } from "@huggingface/transformers";
import type { Contender, ContenderOptions } from "./contender.ts";

type Cache = Record<string, Tensor>;

/** Loads the export folder. */
export async function openTransformers({ model: dir, dtype, threads }: ContenderOptions): Promise<Contender> {
  env.allowRemoteModels = false;
  env.localModelPath = dirname(resolve(dir));
  const model = await AutoModelForCausalLM.from_pretrained(resolve(dir), {
    dtype,
    device: "cpu",
    local_files_only: true,
    session_options: { intraOpNumThreads: threads, interOpNumThreads: 1, logSeverityLevel: 3 },
  });
  /** Continues `ids`, whose beginning the cache holds, and gives the cache afterwards. */
  const generate = async (ids: readonly number[], newTokens: number, sample: boolean, cache?: Cache) => {
    const row = (values: ArrayLike<number>) =>
      new Tensor("int64", BigInt64Array.from(values as number[], BigInt), [1, values.length]);
    const result: unknown = await model.generate(
      {
        inputs: row(ids),
        attention_mask: row(new Array(ids.length).fill(1)),
        max_new_tokens: newTokens,
        min_new_tokens: newTokens,
        do_sample: sample,
        temperature: 1,
        top_k: 0,
        return_dict_in_generate: true,
        ...(cache === undefined ? {} : { past_key_values: new DynamicCache({ ...cache }) }),
      } as Parameters<typeof model.generate>[0],
    );
    return (result as { past_key_values: Cache }).past_key_values;
  };
  return {
    async prompts(prompts, newTokens) {
      for (const ids of prompts) await generate(ids, newTokens, false);
    },
    async chain(pieces, samples, newTokens) {
      let ids: number[] = [];
      let cache: Cache | undefined;
      for (const piece of pieces) {
        ids = [...ids, ...piece];
        // The last token is left to the samples: a cache cannot be continued with nothing.
        const { ...held } = await generate(ids.slice(0, -1), 1, false, cache);
        cache = held;
        for (let i = 0; i < samples; i++) await generate(ids, newTokens, true, cache);
      }
    },
    async [Symbol.asyncDispose]() {
      await model.dispose();
    },
  };
}
