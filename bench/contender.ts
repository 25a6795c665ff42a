/**
 * What is measured: four workloads, as each contender runs them.
 * @module
 */
import process from "node:process";
import { TextLineStream } from "./lines.ts";

/** Arithmetic of the weights. */
export type Dtype = "fp32" | "q8" | "q4";

/** What a contender is started with. */
export interface ContenderOptions {
  /** Checkpoint folder, ONNX export folder, or GGUF file. */
  readonly model: string;
  /** Arithmetic of the weights. */
  readonly dtype: Dtype;
  /** Cores. */
  readonly threads: number;
}

/** A model in the hands of one library. Every generation ignores end tokens. */
export interface Contender extends AsyncDisposable {
  /** W1 and W1b: greedy continuations of prompts, one after another; beginnings may be reused. */
  prompts(prompts: readonly number[][], newTokens: number): Promise<void>;
  /** W2 and W3: `samples` drawn at temperature 1 from each of the growing prefixes, given as pieces. */
  chain(pieces: readonly number[][], samples: number, newTokens: number): Promise<void>;
}

/** One measurement. */
export interface Workload {
  /** Its name in the table. */
  readonly name: string;
  /** What it is. */
  readonly what: string;
  /** Prompt tokens that a reader without any reuse computes, and tokens drawn. */
  readonly tokens: { readonly prompt: number; readonly drawn: number };
  /** Runs it; prompts differ from round to round. */
  readonly run: (contender: Contender, round: number) => Promise<void>;
}

/** Token ids that look like noise, the same for the same round. */
function noise(length: number, round: number, vocabulary: number): number[] {
  let state = round * 2654435761 + 12345 >>> 0;
  return Array.from({ length }, () => {
    state = Math.imul(state, 1664525) + 1013904223 >>> 0;
    return state % (vocabulary - 2);
  });
}

/** The workloads, `scale` 1 for those of the table. */
export function workloads(vocabulary: number, scale: number): Workload[] {
  const size = (n: number) => Math.max(4, Math.round(n * scale));
  const niah = (length: number): Workload => ({
    name: `W1 ${length}`,
    what: `${length} prompt tokens, 8 drawn`,
    tokens: { prompt: length, drawn: 8 },
    run: (contender, round) => contender.prompts([noise(length, round, vocabulary)], 8),
  });
  const depths = 11;
  const long = size(4096);
  const chain = Array.from({ length: 10 }, (_, i) => size(i === 0 ? 1000 : 100));
  return [
    niah(size(1024)),
    niah(long),
    {
      name: "W1b",
      what: `${depths} prompts of ${long}, a needle at another depth in each, 8 drawn`,
      tokens: { prompt: depths * long, drawn: depths * 8 },
      run: (contender, round) => {
        const hay = noise(long - 20, 1000 + round, vocabulary);
        const needle = noise(20, 2000 + round, vocabulary);
        // The deepest first: each later prompt shares the hay before its needle.
        const prompts = Array.from({ length: depths }, (_, i) => {
          const at = Math.round(hay.length * (depths - 1 - i) / (depths - 1));
          return [...hay.slice(0, at), ...needle, ...hay.slice(at)];
        });
        return contender.prompts(prompts, 8);
      },
    },
    {
      name: "W2",
      what: `one prefix of ${size(1024)}, 8 samples of ${size(128)}`,
      tokens: { prompt: 8 * size(1024), drawn: 8 * size(128) },
      run: (contender, round) => contender.chain([noise(size(1024), 3000 + round, vocabulary)], 8, size(128)),
    },
    {
      name: "W3",
      what: `10 growing prefixes to ${chain.reduce((a, b) => a + b)}, 4 samples of ${size(64)} each`,
      tokens: {
        prompt: 4 * chain.reduce((sum, _, i) => sum + chain.slice(0, i + 1).reduce((a, b) => a + b), 0),
        drawn: 40 * size(64),
      },
      run: (contender, round) =>
        contender.chain(chain.map((n, i) => noise(n, 4000 + 100 * round + i, vocabulary)), 4, size(64)),
    },
  ];
}

/** Loads a contender and runs what the parent asks for, a line each: `workload TAB round`. */
export async function serve(open: () => Promise<Contender>, list: readonly Workload[]): Promise<void> {
  const begun = moment();
  const contender = await open();
  const reply = async (from: Moment) => {
    const now = moment();
    const line = JSON.stringify({ ms: now.ms - from.ms, cpu: now.cpu - from.cpu, peak: await peakMemory() });
    await Deno.stdout.write(new TextEncoder().encode(line + "\n"));
  };
  await reply(begun);
  for await (const line of Deno.stdin.readable.pipeThrough(new TextLineStream())) {
    const [name, round] = line.split("\t");
    const from = moment();
    await list.find((workload) => workload.name === name)?.run(contender, Number(round));
    await reply(from);
  }
  await contender[Symbol.asyncDispose]();
}

interface Moment {
  readonly ms: number;
  readonly cpu: number;
}

/** The time, and the processor time of all threads of this process, in milliseconds. */
function moment(): Moment {
  const { user, system } = process.cpuUsage();
  return { ms: performance.now(), cpu: (user + system) / 1000 };
}

/** Peak resident memory of this process in bytes; null where the system does not say. */
async function peakMemory(): Promise<number | null> {
  const text = await Deno.readTextFile("/proc/self/status").catch(() => "");
  const kilobytes = /VmHWM:\s+(\d+) kB/.exec(text)?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) * 1024;
}
