/**
 * Repeated words: a text of one word again and again, with another one once among it, that is to be copied.
 *
 * After Chroma's Context Rot (Hong et al. 2025), with prompts that are counted, copies that are compared at any
 * length, measures that a loop to the cap does not deceive, and an audit that tells rot from broken rows.
 * @module
 */
import { modelIdentity } from "../backends/model_identity.ts";
import type { Variant } from "../backends/variants.ts";
import { InputError } from "../base/errors.ts";
import { hashJson, type Json } from "../base/hash.ts";
import type { Prompt, Row } from "../runs/experiment.ts";
import type { CreateOptions, PlannedExperiment } from "../runs/experiment_kind.ts";
import { gradeRows } from "./grade_rows.ts";
import type { RepeatedWordsConfig } from "./repeated_words_config.ts";
import { copyVerdict } from "./repeated_words_grade.ts";
import { relativePosition, type WordGrid, wordGrid } from "./repeated_words_grid.ts";
import { measureCopies } from "./repeated_words_measure.ts";
import { copyMistakes } from "./repeated_words_mistakes.ts";
import { pairName, pairSlug, parsePairs, type WordPair } from "./repeated_words_pairs.ts";
import { copyMessages, goldText, REPEATED_WORDS_PROMPT_VERSION } from "./repeated_words_prompt.ts";
import { repeatedWordsReport } from "./repeated_words_report.ts";
import { type CopyTokens, copyTokens } from "./repeated_words_tokens.ts";

/** One text that is to be copied. */
export interface RepeatedWordsRow extends Row {
  /** Its columns. */
  readonly params: {
    readonly base_word: string;
    readonly modified_word: string;
    readonly word_count: number;
    readonly position: number;
    readonly relative_position: number;
  };
  /** Input length in tokens that stands for all rows of as many words. */
  readonly length: number;
}

/** A Repeated Words run's rows and verbs, with what a plan says of them. */
export interface RepeatedWords extends PlannedExperiment<RepeatedWordsRow> {
  /** Counts and positions. */
  readonly grid: WordGrid;
  /** The words. */
  readonly pair: WordPair;
}

/** Prefix of the experiment's name; the pair follows. */
const NAME = "repeated-words";

/** `repeated-words-apple-apples`. */
export function repeatedWordsName(pair: WordPair): string {
  return `${NAME}-${pairSlug(pair)}`;
}

/**
 * Plans a Repeated Words run of one pair: its rows in sending order, and the verbs that prompt, grade and report them.
 *
 * Rows stand by count, last position first: each then shares the most text with the one before it. An answer may have
 * twice the tokens of its prompt; rows for which that is more than the variant has are kept and skipped.
 *
 * @throws {InputError} when the config holds no pair or several, or a count or position out of range.
 */
export function createRepeatedWords(
  config: RepeatedWordsConfig,
  options: CreateOptions,
): Promise<RepeatedWords> {
  // Wrong settings reject, as those of other experiments do.
  return Promise.resolve().then(() => plan(config, options));
}

function plan(
  config: RepeatedWordsConfig,
  { variant, tokenizer }: CreateOptions,
): RepeatedWords {
  const [pair, ...others] = parsePairs(config.pair);
  if (pair === undefined || others.length > 0) {
    throw new InputError(
      `A run has one pair of words, not ${others.length + 1}: give one such as apple/apples.`,
    );
  }
  const tokens = copyTokens(tokenizer, pair);
  const fitting = { config, variant, tokens };
  const grid = wordGrid({
    test: config.test,
    counts: config.counts,
    positions: config.positions,
    fits: (count) => skipOf(fitting, mostTokens(tokens, count)) === null,
  });
  const sampling = {
    temperature: config.temperature,
    ...(config.temperature > 0 ? { seed: config.seed } : {}),
  };
  const rows = planRows(grid, pair, fitting, {
    experiment: NAME,
    prompt: REPEATED_WORDS_PROMPT_VERSION,
    pair: pairName(pair),
    tokenizer: tokenizer.name,
    sampling,
    model: modelIdentity(variant),
  });
  const goldOf = ({ params }: RepeatedWordsRow) =>
    goldText({ pair, count: params.word_count, position: params.position });
  const simulated = variant.backend === "simulated";
  return {
    name: repeatedWordsName(pair),
    layout: { figureFolder: true },
    sampling,
    rows,
    grid,
    pair,
    notes: notesOf(grid, pair, config),
    fullSize: config.test ? fullSize(fitting) : rows.length,
    judging: null,
    score: (row, attempt) => attempt.output.trim() === goldOf(row),
    prompt(row): Prompt {
      const gold = goldOf(row);
      const { word_count: count, position, relative_position } = row.params;
      return {
        messages: copyMessages(gold),
        tokens: row.tokens,
        passages: position === null ? [] : [{ text: pair.modified, label: "the other word" }],
        ...(simulated
          ? {
            oracle: {
              answer: gold,
              evidence: gold,
              mistakes: copyMistakes({ pair, count, position }),
              loop: `${pair.base} `,
              length: row.length,
              depth: relative_position,
            },
          }
          : {}),
      };
    },
    async grade(done, context) {
      const answered = done.filter(({ attempt }) => attempt?.status === "done");
      const metrics = await measureCopies(
        answered.map(({ row: { params }, attempt }) => ({
          spec: { pair, count: params.word_count, position: params.position },
          output: attempt?.output ?? "",
        })),
        { kept: context?.kept ?? null, ...(context === undefined ? {} : { signal: context.signal }) },
      );
      const known = new Map(answered.map(({ row }, i) => [row.id, metrics[i]]));
      return gradeRows(done, {
        tokenizer,
        variant,
        length: (row) => row.length,
        verdict: ({ row, attempt }) => {
          const measures = known.get(row.id);
          if (measures === undefined) throw new Error(`Row ${row.id} was not measured.`);
          return copyVerdict(measures, attempt.output);
        },
      });
    },
    report: (graded) => repeatedWordsReport(graded, { config, variant, pair, grid }),
  };
}

interface Fitting {
  readonly config: RepeatedWordsConfig;
  readonly variant: Variant;
  readonly tokens: CopyTokens;
}

function capOf({ config }: Fitting, tokens: number): number {
  return 2 * tokens + config.reasoningTokens;
}

/** Why a prompt of so many tokens is not sent. */
function skipOf(fitting: Fitting, tokens: number): string | null {
  const { contextWindow, maxOutputTokens } = fitting.variant;
  const cap = capOf(fitting, tokens);
  return tokens + cap > contextWindow ? "window" : cap > maxOutputTokens ? "max output" : null;
}

/** The most tokens that a text of so many words has, wherever the modified word stands. */
function mostTokens(tokens: CopyTokens, count: number): number {
  return Math.max(...[0, count >> 1, count - 1].map((position) => tokens.count(count, position)));
}

function planRows(
  grid: WordGrid,
  pair: WordPair,
  fitting: Fitting,
  shared: { readonly [key: string]: Json },
): RepeatedWordsRow[] {
  const common = hashJson(shared);
  return grid.counts.flatMap(({ count, positions }) => {
    const length = fitting.tokens.count(count, null);
    return positions.toReversed().map((position): RepeatedWordsRow => {
      const tokens = fitting.tokens.count(count, position);
      const maxTokens = capOf(fitting, tokens);
      return {
        id: hashJson([common, count, position, maxTokens]),
        params: {
          base_word: pair.base,
          modified_word: pair.modified,
          word_count: count,
          position,
          relative_position: Number(relativePosition(position, count).toFixed(6)),
        },
        recipe: { ...shared, count, position, maxTokens },
        tokens,
        maxTokens,
        answerTokens: tokens,
        skip: skipOf(fitting, tokens),
        length,
      };
    });
  });
}

/** Rows of the full run that a test run stands for. */
function fullSize(fitting: Fitting): number {
  const grid = wordGrid({
    test: false,
    fits: (count) => skipOf(fitting, mostTokens(fitting.tokens, count)) === null,
  });
  return grid.counts.reduce((sum, { positions }) => sum + positions.length, 0);
}

function notesOf(grid: WordGrid, pair: WordPair, config: RepeatedWordsConfig): string[] {
  const counts = grid.counts.map(({ count }) => count.toLocaleString("en-US")).join(", ");
  const extra = config.reasoningTokens > 0
    ? ` and ${config.reasoningTokens.toLocaleString("en-US")} for reasoning`
    : "";
  return [
    `words: ${JSON.stringify(pair.base)} again and again, ${JSON.stringify(pair.modified)} once among it`,
    `grid: ${counts} words${grid.note === null ? "" : ` (${grid.note})`}`,
    `output cap: twice the prompt's tokens${extra}; rows for which the variant has less are skipped`,
  ];
}
