/**
 * Needle in a haystack: one fact hidden in a long text, asked for at every length and depth.
 *
 * After Kamradt's needle test (2023) and Chroma's Context Rot (Hong et al. 2025), with lengths that hold what they
 * claim, needles that do not share the question's words (NoLiMa), and an audit that tells rot from broken rows.
 * @module
 */
import type { Tokenizer } from "../backends/backend.ts";
import { variantPrints } from "../backends/checkpoint_print.ts";
import type { Variant } from "../backends/variants.ts";
import { hashJson, type Json, sha256 } from "../base/hash.ts";
import { createRandom } from "../base/random.ts";
import type { Attempt, Experiment, GradedRow, Judgement, JudgeRow, Prompt, Row } from "../runs/experiment.ts";
import { type AuditRow, auditRows } from "./audit.ts";
import { type Haystack, openHaystack } from "./haystack.ts";
import { matchAnswer } from "./match.ts";
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
export interface Niah extends Experiment<NiahRow> {
  /** Lengths and depths. */
  readonly grid: NiahGrid;
  /** Where the text is from. */
  readonly haystack: Haystack;
  /** Lines for people: which haystack, needle, grid. */
  readonly notes: readonly string[];
}

/** The model that judges, and how its prompts are counted. */
export interface NiahJudge {
  /** The model. */
  readonly variant: Variant;
  /** Counts its prompts. */
  readonly tokenizer: Tokenizer;
}

/** What a NIAH run is made of. */
export interface NiahOptions {
  /** The model. */
  readonly variant: Variant;
  /** Counts its prompts. */
  readonly tokenizer: Tokenizer;
  /** Judges what matching cannot; matching alone when left out. */
  readonly judge?: NiahJudge | null;
}

/** A judge and what it is, for the ids of its rows. */
interface AskedJudge extends NiahJudge {
  readonly identity: Json;
}

/** Characters of an answer that a judge is shown. */
const JUDGED_CHARS = 4000;

/**
 * Plans a NIAH run: its rows in sending order, and the verbs that prompt, grade and report them.
 *
 * Rows stand by trial and length, deepest needle first: each then shares the most text with the one before it.
 *
 * @throws {InputError} when the haystack, the needle or the grid is wrong, or a needle does not fit its length.
 */
export async function createNiah(config: NiahConfig, options: NiahOptions): Promise<Niah> {
  const { variant, tokenizer, judge = null } = options;
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
  const asked = judge === null ? null : { ...judge, identity: modelIdentity(judge.variant) };
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
      };
    },
    ...(asked === null ? {} : {
      judgeRows: (done) => done.flatMap((entry) => judgeRowsOf(entry, asked, config.distractors)),
      judgePrompt: (row) => judgePrompt(row, asked.tokenizer),
    }),
    grade: (done) => gradeRows(done, { judge, tokenizer, variant, distractors: config.distractors }),
    report: (graded) => niahReport(graded, { config, variant, haystack: haystack.description, judge }),
  };
}

/** Settings of a variant that do not change what it answers, and folders, which say where and not what. */
const NOT_IDENTITY = new Set([
  ...["description", "limits", "price", "priceModel", "contextWindow", "trainedWindow", "maxOutputTokens"],
  ...["folder", "loraFolder", "device", "deployment", "baseUrl", "baseUrlEnv", "apiKeyEnv", "headers"],
  "latencyMs",
]);

/** What a variant is, for row ids: the same on every machine that shares a run, wherever its checkpoint lies. */
function modelIdentity(variant: Variant): Json {
  const prints = variant.backend === "local" ? variantPrints(variant) : null;
  const known = new Set([prints?.checkpoint ? "model" : "", prints?.adapter ? "lora" : ""]);
  const identity = Object.entries(variant).filter(([key]) => !NOT_IDENTITY.has(key) && !known.has(key));
  return JSON.parse(JSON.stringify({ ...Object.fromEntries(identity), ...prints })) as Json;
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

interface JudgeEntry {
  readonly row: NiahRow;
  readonly attempt: Attempt | null;
  readonly judgements: readonly Judgement[];
}

function judgeRowsOf(entry: JudgeEntry, judge: AskedJudge, distractors: number): JudgeRow[] {
  const { row, attempt, judgements } = entry;
  if (attempt?.status !== "done" || attempt.output.trim() === "" || matched(row, attempt).index >= 0) {
    return [];
  }
  const correctness = judgementOf(judgements, "correct");
  if (correctness === undefined) return [judgeRow(row, attempt, judge, "correct", distractors)];
  if (distractors === 0 || parseCorrectness(correctness.attempt.output) !== false) return [];
  return [judgeRow(row, attempt, judge, "distractor", distractors)];
}

function judgementOf(judgements: readonly Judgement[], stage: string): Judgement | undefined {
  return judgements.find((j) => j.row.params["stage"] === stage && j.attempt.status === "done");
}

function judgeRow(
  row: NiahRow,
  attempt: Attempt,
  judge: AskedJudge,
  stage: "correct" | "distractor",
  distractors: number,
): JudgeRow {
  const output = attempt.output.slice(0, JUDGED_CHARS);
  const messages = stage === "correct"
    ? correctnessQuestion(row.needle, output)
    : distractorQuestion(row.needle, distractors, output);
  const content = messages.map((m) => m.content).join("\n");
  return {
    id: hashJson([NIAH_JUDGE_VERSION, row.id, stage, judge.identity, sha256(content)]),
    of: row.id,
    params: { of: row.id, stage },
    recipe: { judge: NIAH_JUDGE_VERSION, of: row.id, stage, content },
    tokens: judge.tokenizer.countMessages(messages),
    maxTokens: Math.min(judge.variant.maxOutputTokens, 1024),
    skip: null,
  };
}

function judgePrompt(row: JudgeRow, tokenizer: Tokenizer): Prompt {
  const { content } = row.recipe as { content: string };
  const messages = [{ role: "user" as const, content }];
  return { messages, tokens: tokenizer.countMessages(messages) };
}

/** What a run's grading needs beside its rows. */
interface GradeContext {
  readonly judge: NiahJudge | null;
  readonly tokenizer: Tokenizer;
  readonly variant: Variant;
  readonly distractors: number;
}

interface Verdict {
  readonly correct: boolean | null;
  readonly judge: string;
  readonly output: string;
  readonly distractor: number | null;
  readonly atEnd: boolean;
}

function gradeRows(
  done: readonly (JudgeEntry & { readonly attempts: number })[],
  context: GradeContext,
): GradedRow[] {
  const verdicts = done.map((entry) =>
    entry.attempt?.status === "done" ? verdictOf(entry, entry.attempt, context) : null
  );
  const audited = auditRows(
    done.map((entry, i) => auditRow(entry, verdicts[i] ?? null)),
    { tokenizerExact: context.tokenizer.exact, window: context.variant.contextWindow },
  );
  return done.map(({ row, attempt, attempts }, i) => {
    const verdict = verdicts[i];
    const { validity, reasons } = audited[i] ?? { validity: null, reasons: [] };
    return {
      row,
      attempt,
      attempts,
      grade: attempt === null || validity === null ? null : {
        validity,
        correct: verdict?.correct ?? null,
        judge: verdict?.judge ?? "",
        judge_output: verdict?.output ?? "",
        extra: { distractor: verdict?.distractor ?? null, reason: reasons.join("; ") },
      },
    };
  });
}

function verdictOf(entry: JudgeEntry, attempt: Attempt, context: GradeContext): Verdict {
  const { row, judgements } = entry;
  const match = matched(row, attempt);
  const distractors = row.needle.distractors.slice(0, context.distractors).map((d) => d.answer);
  const misled = distractors.length === 0 ? -1 : matchAnswer(attempt.output, distractors).index;
  const found = match.index >= 0;
  const byMatch: Verdict = {
    correct: found,
    judge: "match",
    output: String(found),
    distractor: found ? -1 : misled,
    atEnd: match.atEnd,
  };
  if (context.judge === null || found) return byMatch;
  const judge = `match+${context.judge.variant.name}`;
  const reply = judgementOf(judgements, "correct")?.attempt.output;
  if (reply === undefined) {
    return attempt.output.trim() === ""
      ? byMatch
      : { ...byMatch, correct: null, judge, output: "no reply from the judge" };
  }
  const correct = parseCorrectness(reply);
  const which = judgementOf(judgements, "distractor")?.attempt.output;
  return {
    correct,
    judge,
    output: which === undefined ? reply : `${reply} | distractor ${which}`,
    distractor: correct === true
      ? -1
      : which === undefined
      ? misled
      : parseDistractor(which, context.distractors) ?? misled,
    atEnd: false,
  };
}

function auditRow({ row, attempt }: JudgeEntry, verdict: Verdict | null): AuditRow {
  return {
    id: row.id,
    length: row.params.approximate_input_length,
    depth: row.params.needle_depth,
    skip: row.skip,
    token_count: attempt?.token_count ?? 0,
    prompt_tokens_reported: attempt?.prompt_tokens_reported ?? null,
    completion_tokens: attempt?.completion_tokens ?? null,
    cached_tokens: attempt?.cached_tokens ?? null,
    maxTokens: row.maxTokens,
    finish_reason: attempt?.finish_reason ?? null,
    output: attempt?.output ?? "",
    reasoning: attempt?.reasoning ?? null,
    error: attempt === null ? "not run" : attempt.error?.kind ?? null,
    correct: verdict?.correct ?? null,
    distractor: verdict?.distractor ?? null,
    ...(verdict === null ? {} : { answerAtEnd: verdict.atEnd }),
  };
}
