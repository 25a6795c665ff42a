/**
 * Times one splice point, to tell how many samples an hour this machine draws.
 * @module
 */
import type { Backend } from "../backends/backend.ts";
import { localChat } from "../backends/local_chat.ts";
import { loadVariant, windowOf } from "../backends/local_decoding.ts";
import { openBackend } from "../backends/open_backend.ts";
import { openedTurn, reasoningMarks } from "../backends/reasoning.ts";
import type { LocalVariant, Variant } from "../backends/variants.ts";
import { InputError } from "../base/errors.ts";
import type { DecoderConfig } from "../engine/mod.ts";
import { type OwnProblem, ownProblems, writtenChain } from "./own_problems.ts";

/** What is timed. */
export interface CalibrateOptions {
  /** Tokens of the prefix, about. */
  readonly prefixTokens: number;
  /** Tokens drawn of each sample while timing. */
  readonly newTokens: number;
  /** Tokens of a whole sample, for the samples of an hour. */
  readonly sampleTokens: number;
  /** Numbers of samples drawn together. */
  readonly batches: readonly number[];
  /** Called after each measurement. */
  readonly onMeasured?: (measured: Measured) => void;
}

/** One measurement. */
export interface Measured {
  /** Samples drawn together. */
  readonly together: number;
  /** Tokens drawn in a second, over all samples. */
  readonly tokensPerSecond: number;
  /** Seconds of one whole sample. */
  readonly secondsPerSample: number;
  /** Whole samples in an hour. */
  readonly samplesPerHour: number;
  /** Bytes of memory of this process while drawing, most seen; null where the model runs elsewhere. */
  readonly memory: number | null;
}

/** What a machine does with a model. */
export interface Calibration {
  /** The variant, or the shape. */
  readonly variant: string;
  /** How the numbers were found, where they are not measured on the model itself. */
  readonly note?: string;
  /** Tokens of the prefix. */
  readonly prefixTokens: number;
  /** Prompt tokens computed in a second; null where the model runs elsewhere. */
  readonly prefillPerSecond: number | null;
  /** Seconds until the model was loaded; null where it runs elsewhere. */
  readonly loadSeconds: number | null;
  /** Bytes of keys and values for each token; null where the model runs elsewhere. */
  readonly bytesPerToken: number | null;
  /** Bytes of memory of this process after loading; null where the model runs elsewhere. */
  readonly loadedMemory: number | null;
  /** One for each number of samples drawn together. */
  readonly measured: readonly Measured[];
  /** The fewest samples at once that come within a tenth of the best samples an hour. */
  readonly concurrency: number;
}

/**
 * Times a prefix that is prefilled once and continued by 1, 2, 4, ... samples together. An in-process model draws all
 * tokens that are asked for; a server's samples end when they end, and their tokens are counted.
 *
 * @throws {InputError} when the variant is simulated, or the prefix does not fit its window.
 */
export async function calibrate(variant: Variant, options: CalibrateOptions): Promise<Calibration> {
  if (variant.backend === "simulated") {
    throw new InputError(`${variant.name} is simulated: it takes no time. Name a model to calibrate.`);
  }
  const window = variant.contextWindow;
  if (options.prefixTokens + options.newTokens > window) {
    throw new InputError(
      `A prefix of ${options.prefixTokens} tokens and ${options.newTokens} new ones do not fit the window of ${variant.name} (${window}): ` +
        "give less with --prefix-tokens.",
    );
  }
  return await (variant.backend === "local"
    ? calibrateLocal(variant, options)
    : calibrateServer(variant, options));
}

/** Seconds since the process began. */
export const now = (): number => performance.now() / 1000;
const problem = () => ownProblems(1, 0)[0] as OwnProblem;

/** A chain repeated until a count of tokens is reached. */
function longChain(count: (text: string) => number, tokens: number): string {
  const once = writtenChain(problem()).reasoning;
  let text = once;
  while (count(text) < tokens) text += `\n\n${once}`;
  return text;
}

async function calibrateLocal(variant: LocalVariant, options: CalibrateOptions): Promise<Calibration> {
  const began = now();
  await using decoder = await loadVariant(variant);
  const loadSeconds = now() - began;
  const chat = await localChat(decoder, variant);
  const messages = [{ role: "user", content: problem().basePrompt }] as const;
  const idsOf = (reasoning: string) =>
    chat.promptIds(messages, openedTurn(reasoningMarks(variant), reasoning));
  const text = longChain((chain) => idsOf(chain).length, options.prefixTokens);
  const ids = idsOf(text).slice(0, options.prefixTokens);
  const loadedMemory = Deno.memoryUsage().rss;
  (await decoder.prefill(ids.slice(0, 8)))[Symbol.dispose](); // what is opened at the first use is not timed
  const start = now();
  using prefix = await decoder.prefill(ids);
  const prefillPerSecond = ids.length / (now() - start);
  const room = windowOf(decoder, variant) - ids.length;
  const measured: Measured[] = [];
  for (const together of options.batches) {
    let memory = 0;
    const watch = setInterval(() => memory = Math.max(memory, Deno.memoryUsage().rss), 50);
    const from = now();
    const samples = await prefix.generate({
      n: together,
      maxNewTokens: Math.min(options.newTokens, room),
      temperature: 0.7,
      topP: 0.95,
      ignoreEos: true,
    });
    clearInterval(watch);
    const tokens = samples.reduce((sum, sample) => sum + sample.tokens.length, 0);
    const one = measurement(
      together,
      tokens / (now() - from),
      options,
      Math.max(memory, Deno.memoryUsage().rss),
    );
    measured.push(one);
    options.onMeasured?.(one);
  }
  return {
    variant: variant.name,
    prefixTokens: ids.length,
    prefillPerSecond,
    loadSeconds,
    bytesPerToken: bytesPerToken(decoder.config),
    loadedMemory,
    measured,
    concurrency: bestConcurrency(measured),
  };
}

async function calibrateServer(variant: Variant, options: CalibrateOptions): Promise<Calibration> {
  await using backend = await openBackend(variant);
  const tokenizer = await backend.tokenizer();
  const prefix = openedTurn(
    reasoningMarks(variant),
    longChain((chain) => tokenizer.count(chain), options.prefixTokens),
  );
  const measured: Measured[] = [];
  for (const together of options.batches) {
    const from = now();
    const each = await Promise.all(
      Array.from({ length: together }, (_, seed) => drawOne(backend, prefix, options.newTokens, seed)),
    );
    const tokens = each.reduce((sum, n) => sum + n, 0);
    const one = measurement(together, tokens / (now() - from), options, null);
    measured.push(one);
    options.onMeasured?.(one);
  }
  return {
    variant: variant.name,
    prefixTokens: tokenizer.count(prefix),
    prefillPerSecond: null,
    loadSeconds: null,
    bytesPerToken: null,
    loadedMemory: null,
    measured,
    concurrency: bestConcurrency(measured),
  };
}

async function drawOne(backend: Backend, prefix: string, maxTokens: number, seed: number): Promise<number> {
  const messages = [{ role: "user", content: problem().basePrompt }] as const;
  const request = { messages, prefix, maxTokens, temperature: 0.7, topP: 0.95, seed };
  const { usage, text } = await backend.continueFrom(request);
  return usage.completionTokens ?? (await backend.tokenizer()).count(text);
}

/** A measurement from the tokens of a second. */
export function measurement(
  together: number,
  tokensPerSecond: number,
  { sampleTokens }: Pick<CalibrateOptions, "sampleTokens">,
  memory: number | null,
): Measured {
  return {
    together,
    tokensPerSecond,
    secondsPerSample: sampleTokens * together / tokensPerSecond,
    samplesPerHour: 3600 * tokensPerSecond / sampleTokens,
    memory,
  };
}

/** The fewest samples at once whose samples an hour are within a tenth of the best. */
export function bestConcurrency(measured: readonly Measured[]): number {
  const best = Math.max(...measured.map(({ samplesPerHour }) => samplesPerHour));
  return measured.find(({ samplesPerHour }) => samplesPerHour >= 0.9 * best)?.together ?? 1;
}

/** Bytes of keys and values that one token takes, in 32-bit numbers. */
export function bytesPerToken(config: Pick<DecoderConfig, "numLayers" | "numKvHeads" | "headDim">): number {
  return 2 * 4 * config.numLayers * config.numKvHeads * config.headDim;
}

/** A calibration for people. */
export function calibrationText(
  calibration: Calibration,
  { sampleTokens }: Pick<CalibrateOptions, "sampleTokens">,
): string {
  const {
    variant,
    prefixTokens,
    prefillPerSecond,
    loadSeconds,
    bytesPerToken,
    loadedMemory,
    measured,
    concurrency,
  } = calibration;
  const size = (bytes: number) =>
    bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(1)} GiB` : `${Math.round(bytes / 2 ** 20)} MiB`;
  const about = [
    ...(loadSeconds === null ? [] : [`loaded in ${loadSeconds.toFixed(1)} s`]),
    ...(loadedMemory === null ? [] : [`${size(loadedMemory)} of memory before a sample is drawn`]),
    ...(prefillPerSecond === null ? [] : [
      `prefill: ${
        Math.round(prefillPerSecond).toLocaleString("en-US")
      } tokens/s, once for all samples of a prompt`,
    ]),
    ...(bytesPerToken === null ? [] : [
      `keys and values: ${(bytesPerToken / 1024).toFixed(1)} KiB a token, ${
        size(bytesPerToken * sampleTokens)
      } for a ` +
      `whole sample beside the shared prefix of ${size(bytesPerToken * prefixTokens)}`,
    ]),
  ];
  const header = ["samples at once", "tokens/s", "s a sample", "samples/hour", "memory"];
  const rows = measured.map((one) => [
    String(one.together),
    one.tokensPerSecond.toFixed(1),
    one.secondsPerSample.toFixed(1),
    Math.round(one.samplesPerHour).toLocaleString("en-US"),
    one.memory === null ? "-" : size(one.memory),
  ]);
  const widths = header.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => (row[i] as string).length))
  );
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => cell.padStart(widths[i] as number)).join("  ");
  return [
    `${variant} behind a prefix of ${prefixTokens} tokens, whole samples of ${sampleTokens} tokens`,
    ...(calibration.note === undefined ? [] : [calibration.note]),
    ...about,
    "",
    line(header),
    ...rows.map(line),
    "",
    (concurrency === measured.at(-1)?.together
      ? `--concurrency ${concurrency} is the best of these.`
      : `--concurrency ${concurrency} is enough: more samples at once gain less than a tenth.`) +
    " Samples that end early are sooner done than said here.",
  ].join("\n");
}
