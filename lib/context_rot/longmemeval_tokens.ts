/**
 * How many tokens the rows of a LongMemEval run will send, without encoding hundreds of megabytes.
 * @module
 */
import type { Tokenizer } from "../backends/backend.ts";
import type { MemoryEntry } from "./longmemeval_file.ts";

/** Texts up to this many characters are always counted. */
const SHORT = 40_000;
/** Long texts that are counted to learn how the file's counts compare with the tokenizer's. */
const SAMPLES = 4;
/** How far the ratios of the samples may lie apart for estimates to be within 1%. */
const AGREE = 0.01;
/** How far an estimate may lie from what the text's length lets expect; a stale count lies further. */
const ODD = 0.2;

/** A text whose prompt is to be counted. */
export interface CountedText {
  /** Its row in the file. */
  readonly entry: MemoryEntry;
  /** Reads it. */
  readonly text: () => Promise<string>;
}

/** What is known of the model. */
export interface PlannedTokensOptions {
  /** Counts the prompts. */
  readonly tokenizer: Tokenizer;
  /** Most prompt tokens that the model takes: rows near it are always counted. */
  readonly room: number;
}

/**
 * Prompt tokens of each text, in order: exact for short texts and wherever it decides whether a row fits, within 1%
 * for other rows that fit, and an estimate for rows that are far too long. Estimates are the file's own counts times
 * what a few texts counted in full show; counts of the file that stand out against the length of their text are not
 * relied on.
 */
export async function plannedTokens(
  texts: readonly CountedText[],
  { tokenizer, room }: PlannedTokensOptions,
): Promise<number[]> {
  const exact = async (item: CountedText) =>
    tokenizer.countMessages([{ role: "user", content: await item.text() }]);
  const tokens = new Array<number>(texts.length);
  const long: number[] = [];
  for (const [i, item] of texts.entries()) {
    if (item.entry.chars <= SHORT) tokens[i] = await exact(item);
    else long.push(i);
  }
  const estimate = await estimator(long.map((i) => texts[i] as CountedText), exact);
  for (const i of long) {
    const item = texts[i] as CountedText;
    const guess = estimate(item.entry);
    const settled = guess !== null && (guess.low > room || (guess.close && guess.high < room));
    tokens[i] = settled ? Math.round(guess.tokens) : await exact(item);
  }
  return tokens;
}

/** An estimate of a prompt's tokens. */
interface Estimate {
  readonly tokens: number;
  readonly low: number;
  readonly high: number;
  /** Whether it is within 1%. */
  readonly close: boolean;
}

/** Estimates from the file's counts; null for an entry whose count is missing or odd. */
async function estimator(
  long: readonly CountedText[],
  exact: (item: CountedText) => Promise<number>,
): Promise<(entry: MemoryEntry) => Estimate | null> {
  const counted = long.filter(({ entry }) => entry.fileTokens !== null && entry.fileTokens > 0);
  if (counted.length <= SAMPLES) return () => null;
  const picked = Array.from(
    { length: SAMPLES },
    (_, i) => counted[Math.floor(i * (counted.length - 1) / (SAMPLES - 1))] as CountedText,
  );
  const ratios: number[] = [], perChar: number[] = [];
  for (const item of picked) {
    const tokens = await exact(item);
    ratios.push(tokens / (item.entry.fileTokens as number));
    perChar.push(tokens / item.entry.chars);
  }
  const ratio = mean(ratios);
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)];
  const close = most - least <= AGREE * ratio;
  return ({ chars, fileTokens }) => {
    const tokens = (fileTokens ?? 0) * ratio;
    if (!(Math.abs(tokens / (mean(perChar) * chars) - 1) < ODD)) return null;
    return { tokens, low: 0.95 * tokens * least / ratio, high: 1.05 * tokens * most / ratio, close };
  };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
