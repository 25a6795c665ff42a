/**
 * Needle in a haystack: one fact hidden in a long text, asked for at every length and depth.
 *
 * After Kamradt's needle test (2023) and Chroma's Context Rot (Hong et al. 2025), with lengths that hold what they
 * claim, needles that do not share the question's words (NoLiMa), and an audit that tells rot from broken rows.
 * @module
 */
import type { Message } from "../backends/backend.ts";
import { modelIdentity } from "../backends/model_identity.ts";
import { hashJson, type Json } from "../base/hash.ts";
import { createRandom } from "../base/random.ts";
import type { Attempt, JudgeRow, Prompt, Row } from "../runs/experiment.ts";
import type { CountedModel, CreateOptions, PlannedExperiment } from "../runs/experiment_kind.ts";
import { type DoneRow, gradeRows, type Verdict } from "./grade_rows.ts";
import { type Haystack, openHaystack } from "./haystack.ts";
import {
  type AskedJudge,
  askedJudge,
  gradersText,
  JUDGE_CAP,
  JUDGED_CHARS,
  judgementOf,
  judgePrompt,
  judgeRow,
} from "../runs/judge_rows.ts";
import { matchAnswer } from "../runs/match.ts";
import { makeNeedle, type Needle } from "./needles.ts";
import {
  haystackFolder,
  type NeedleSource,
  needleSource,
  type NiahConfig,
  outputCap,
} from "./niah_config.ts";
import { createDocumentBuilder } from "./niah_document.ts";
import { type NiahGrid, niahGrid } from "./niah_grid.ts";
import {
  correctnessQuestion,
  distractorQuestion,
  NIAH_JUDGE_VERSION,
  parseCorrectness,
  parseDistractor,
} from "./niah_judge.ts";
import { NIAH_PROMPT_VERSION } from "./niah_prompt.ts";
import { niahReport } from "./niah_report.ts";

/** One cell of the grid in one trial. */
export interface NiahRow extends Row {
  /** Its columns. */
  readonly params: {
    readonly approximate_input_length: number;
    readonly needle_depth: number;
    readonly trial: number;
    readonly question: string;
    readonly answer: string;
  };
  /** What is hidden and asked. */
  readonly needle: Needle;
}

/** A NIAH run's rows and verbs, with what a plan says of them. */
export interface Niah extends PlannedExperiment<NiahRow> {
  /** Lengths and depths. */
  readonly grid: NiahGrid;
  /** Where the text is from. */
  readonly haystack: Haystack;
}

/** Most prompt tokens that judging an answer takes. */
const JUDGE_TOKENS = 1500;

/**
 * Plans a NIAH run: its rows in sending order, and the verbs that prompt, grade and report them.
 *
 * Rows stand by trial and length, deepest needle first: each then shares the most text with the one before it.
 *
 * @throws {InputError} when the haystack, the needle or the grid is wrong, or a needle does not fit its length.
 */
export async function createNiah(config: NiahConfig, options: CreateOptions): Promise<Niah> {
  const { variant, tokenizer, judges = [] } = options;
  const maxTokens = outputCap(config, variant);
  const grid = niahGrid({
    test: config.test,
    window: variant.contextWindow,
    reserve: maxTokens,
    ...(config.lengths === null ? {} : { lengths: config.lengths }),
    ...(config.depths === null ? {} : { depths: config.depths }),
  });
  const haystack = await openHaystack(haystackFolder(config), {
    seed: config.seed,
    order: config.haystackOrder,
  });
  const source = await needleSource(config);
  const builder = createDocumentBuilder(haystack, tokenizer);
  const sampling = {
    temperature: config.temperature,
    ...(config.temperature > 0 ? { seed: config.seed } : {}),
  };
  const shared = {
    experiment: "niah",
    prompt: NIAH_PROMPT_VERSION,
    haystack: haystack.fingerprint,
    tokenizer: tokenizer.name,
    seed: config.seed,
    distractors: config.distractors,
    sampling,
    maxTokens,
    model: modelIdentity(variant),
  };
  const rows = planRows(config, grid, source, shared, maxTokens, variant.contextWindow);
  const asked = judges.map(askedJudge);
  const build = (row: NiahRow) =>
    builder.build({
      length: row.params.approximate_input_length,
      depth: row.params.needle_depth,
      trial: row.params.trial,
      seed: config.seed,
      needle: row.needle,
      distractors: config.distractors,
    });
  const shortest = rows.find((row) => row.skip === null);
  if (shortest !== undefined) build(shortest);
  return {
    name: "niah",
    sampling,
    rows,
    grid,
    haystack,
    notes: notesOf(config, grid, haystack, source),
    fullSize: config.test ? fullSize(config, variant.contextWindow, maxTokens) : rows.length,
    judging: { callsPerRow: config.distractors > 0 ? 2 : 1, tokens: JUDGE_TOKENS, maxTokens: JUDGE_CAP },
    score: (row, attempt) => matched(row, attempt).index >= 0,
    prompt(row): Prompt {
      const { messages, tokens } = build(row);
      return {
        messages,
        tokens,
        oracle: {
          answer: row.needle.answer,
          evidence: row.needle.needle,
          distractors: row.needle.distractors.slice(0, config.distractors).map((d) => d.answer),
          length: row.params.approximate_input_length,
          depth: row.params.needle_depth / 100,
        },
        passages: [
          { text: row.needle.needle, label: "needle" },
          ...row.needle.hops.map((text) => ({ text, label: "needle" })),
          ...row.needle.distractors.slice(0, config.distractors).map(({ text }) => ({
            text,
            label: "distractor",
          })),
        ],
      };
    },
    ...(asked.length === 0 ? {} : {
      judgeRows: (done, which = 0) =>
        done.flatMap((entry) => judgeRowsOf(entry, asked[which] as AskedJudge, config.distractors)),
      judgePrompt: (row, which = 0) => judgePrompt(row, asked[which] as AskedJudge),
    }),
    grade: (done, context) =>
      gradeRows(done, {
        tokenizer,
        variant,
        length: (row) => row.params.approximate_input_length,
        depth: (row) => row.params.needle_depth,
        verdict: (entry) => verdictOf(entry, judges[context?.judge ?? 0] ?? null, config.distractors),
      }),
    report: (graded) =>
      niahReport(graded, {
        variant: variant.name,
        source: `Haystack: ${haystack.description}`,
        graders: gradersText(judges),
        seed: config.seed,
        simulated: variant.backend === "simulated",
        trainedWindow: variant.trainedWindow ?? null,
      }),
  };
}

/** Rows of the full run that a test run stands for. */
function fullSize(config: NiahConfig, window: number, reserve: number): number {
  const grid = niahGrid({ test: false, window, reserve });
  return grid.lengths.length * grid.depths.length * config.trials;
}

function planRows(
  config: NiahConfig,
  grid: NiahGrid,
  source: NeedleSource,
  shared: { readonly [key: string]: Json },
  maxTokens: number,
  window: number,
): NiahRow[] {
  const rows: NiahRow[] = [];
  const common = hashJson(shared);
  for (let trial = 0; trial < config.trials; trial++) {
    const needle = "needle" in source
      ? source.needle
      : makeNeedle(source.kind, createRandom(`needle/${config.seed}/${trial}`));
    const needleJson = needle as unknown as Json;
    const needleHash = hashJson(needleJson);
    for (const length of grid.lengths) {
      for (const depth of grid.depths.toReversed()) {
        const params = {
          approximate_input_length: length,
          needle_depth: depth,
          trial,
          question: needle.question,
          answer: needle.answer,
        };
        rows.push({
          id: hashJson([common, needleHash, length, depth, trial]),
          params,
          recipe: { ...shared, length, depth, trial, needle: needleJson },
          tokens: length,
          maxTokens,
          skip: length + maxTokens > window ? "window" : null,
          needle,
        });
      }
    }
  }
  return rows;
}

function notesOf(config: NiahConfig, grid: NiahGrid, haystack: Haystack, source: NeedleSource): string[] {
  const needle = "needle" in source
    ? `needle: ${JSON.stringify(source.needle.needle)} asked as ${JSON.stringify(source.needle.question)}`
    : `needle: another of kind ${source.kind} in every trial`;
  const longest = Math.max(...grid.lengths) * 3;
  return [
    `haystack: ${haystack.description}` +
    (longest > haystack.uniqueChars
      ? `, ${haystack.uniqueChars.toLocaleString("en-US")} characters: repeats at the longest lengths`
      : "") +
    (config.haystack === null && haystackFolder(config) === null
      ? "; there is no data/PaulGrahamEssays (deno task data essays downloads it)"
      : ""),
    needle + (config.distractors > 0 ? `, ${config.distractors} distractors` : ""),
    `grid: ${counted(grid.lengths.length, "length")} x ${counted(grid.depths.length, "depth")} x ` +
    counted(config.trials, "trial") + (grid.note === null ? "" : ` (${grid.note})`),
  ];
}

const counted = (n: number, noun: string) => `${n.toLocaleString("en-US")} ${noun}${n === 1 ? "" : "s"}`;

function matched(row: NiahRow, attempt: Attempt) {
  return matchAnswer(attempt.output, [row.needle.answer, ...row.needle.accept]);
}

type Entry = Pick<DoneRow<NiahRow>, "row" | "attempt" | "judgements">;

function judgeRowsOf(
  { row, attempt, judgements }: Entry,
  judge: AskedJudge,
  distractors: number,
): JudgeRow[] {
  if (attempt?.status !== "done" || attempt.output.trim() === "" || matched(row, attempt).index >= 0) {
    return [];
  }
  const output = attempt.output.slice(0, JUDGED_CHARS);
  const ask = (stage: string, messages: readonly Message[]) =>
    judgeRow({ row, stage, version: NIAH_JUDGE_VERSION, messages, judge });
  const correctness = judgementOf(judgements, "correct");
  if (correctness === undefined) return [ask("correct", correctnessQuestion(row.needle, output))];
  if (distractors === 0 || parseCorrectness(correctness.attempt.output) !== false) return [];
  return [ask("distractor", distractorQuestion(row.needle, distractors, output))];
}

function verdictOf(
  { row, attempt, judgements }: Entry & { readonly attempt: Attempt },
  judge: CountedModel | null,
  count: number,
): Verdict {
  const match = matched(row, attempt);
  const distractors = row.needle.distractors.slice(0, count).map((d) => d.answer);
  const misled = distractors.length === 0 ? -1 : matchAnswer(attempt.output, distractors).index;
  const found = match.index >= 0;
  const byMatch: Verdict = {
    correct: found,
    judge: "match",
    output: String(found),
    distractor: found ? -1 : misled,
    atEnd: match.atEnd,
  };
  if (judge === null || found) return byMatch;
  const name = `match+${judge.variant.name}`;
  const reply = judgementOf(judgements, "correct")?.attempt.output;
  if (reply === undefined) {
    return attempt.output.trim() === ""
      ? byMatch
      : { ...byMatch, correct: null, judge: name, output: "no reply from the judge" };
  }
  const correct = parseCorrectness(reply);
  const which = judgementOf(judgements, "distractor")?.attempt.output;
  return {
    correct,
    judge: name,
    output: which === undefined ? reply : `${reply} | distractor ${which}`,
    distractor: correct === true
      ? -1
      : which === undefined
      ? misled
      : parseDistractor(which, count) ?? misled,
    atEnd: false,
  };
}
