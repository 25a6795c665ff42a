/**
 * llama.cpp through node-llama-cpp as a contender. That package cannot be a dependency here (one of its platform
 * packages is missing from npm, at which Deno stops): install it somewhere with npm and name that folder.
 * @module
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Contender, serve, workloads } from "./contender.ts";

interface Sequence {
  evaluate(ids: readonly number[], options: object): AsyncIterable<number>;
  evaluateWithoutGeneratingNewTokens(ids: readonly number[]): Promise<void>;
  adaptStateToTokens(ids: readonly number[], shift: boolean): Promise<void>;
  clearHistory(): Promise<void>;
  readonly contextTokens: readonly number[];
  saveStateToFile(path: string): Promise<unknown>;
  loadStateFromFile(path: string, risk: { acceptRisk: true }): Promise<void>;
  dispose(): void;
}

interface Context {
  getSequence(): Sequence;
  dispose(): Promise<void>;
}

interface Library {
  getLlama(options: object): Promise<{
    loadModel(options: object): Promise<{ createContext(options: object): Promise<Context> }>;
    dispose(): Promise<void>;
  }>;
}

/** Loads the GGUF file with the node-llama-cpp of a folder's node_modules. */
async function openLlamaCpp(folder: string, path: string, threads: number): Promise<Contender> {
  const entry = join(folder, "node_modules", "node-llama-cpp", "dist", "index.js");
  const { getLlama } = await import(pathToFileURL(entry).href) as Library;
  const llama = await getLlama({ build: "never", gpu: false, maxThreads: threads, logLevel: "error" });
  const model = await llama.loadModel({ modelPath: path, defaultContextFlashAttention: true });
  const scratch = await Deno.makeTempDir();
  const open = (sequences: number, contextSize: number) =>
    model.createContext({
      sequences,
      contextSize,
      batchSize: 512,
      threads: { ideal: threads, min: threads },
      flashAttention: "auto",
    });
  const draw = async (sequence: Sequence, ids: readonly number[], count: number, temperature: number) => {
    let left = count;
    // Candidates beyond those that have any chance are cut as llama.cpp's own server does.
    const options = { temperature, topK: 0, topP: 1, minP: 0, yieldEogToken: true };
    for await (const _ of sequence.evaluate(ids, options)) if (--left === 0) break;
  };
  let current:
    | { readonly key: string; readonly context: Context; readonly sequences: Sequence[] }
    | undefined;
  /** Sequences are kept between runs of the same kind. */
  const sequencesFor = async (count: number, size: number): Promise<Sequence[]> => {
    const key = `${count} ${size}`;
    if (current?.key !== key) {
      await current?.context.dispose();
      const context = await open(count, size);
      current = { key, context, sequences: Array.from({ length: count }, () => context.getSequence()) };
    }
    for (const sequence of current.sequences) await sequence.clearHistory();
    return current.sequences;
  };
  return {
    async prompts(prompts, newTokens) {
      const longest = Math.max(...prompts.map((ids) => ids.length));
      const [sequence] = await sequencesFor(1, longest + newTokens + 8) as [Sequence];
      for (const ids of prompts) {
        await sequence.adaptStateToTokens(ids.slice(0, -1), false);
        await draw(sequence, ids.slice(sequence.contextTokens.length), newTokens, 0);
      }
    },
    async chain(pieces, samples, newTokens) {
      const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
      const all = await sequencesFor(samples * pieces.length + 1, length + newTokens + 8);
      const source = all.at(-1) as Sequence;
      const last: number[] = [];
      for (const [i, piece] of pieces.entries()) {
        const ids = [...last.splice(0), ...piece];
        last.push(ids.pop() as number);
        await source.evaluateWithoutGeneratingNewTokens(ids);
        const state = join(scratch, "state");
        await source.saveStateToFile(state);
        for (let s = 0; s < samples; s++) {
          await (all[i * samples + s] as Sequence).loadStateFromFile(state, { acceptRisk: true });
        }
      }
      const ends = pieces.map((piece) => piece.at(-1) as number);
      await Promise.all(
        ends.flatMap((end, i) =>
          Array.from(
            { length: samples },
            (_, s) => draw(all[i * samples + s] as Sequence, [end], newTokens, 1),
          )
        ),
      );
    },
    async [Symbol.asyncDispose]() {
      await current?.context.dispose();
      await llama.dispose();
      await Deno.remove(scratch, { recursive: true });
    },
  };
}

const [folder = "", path = "", threads, vocabulary, scale] = Deno.args;
await serve(() => openLlamaCpp(folder, path, Number(threads)), workloads(Number(vocabulary), Number(scale)));
