/**
 * The splice experiment: where a chain of thought is anchored.
 * @module
 */
import { modelIdentity } from "../backends/model_identity.ts";
import { degeneracy } from "../runs/degenerate.ts";
import type { Json } from "../base/hash.ts";
import type { Attempt, GradableRow, Grade, GradedRow, Prompt, Validity } from "../runs/experiment.ts";
import type { CreateOptions, PlannedExperiment } from "../runs/experiment_kind.ts";
import { checkContinues } from "./check_continues.ts";
import { plantedOracle } from "./planted.ts";
import { PromptBook } from "./prompt_book.ts";
import { type ReadSample, readSample } from "./read_sample.ts";
import { armsOf, problemIds, type Sizes, sizesOf, type SpliceConfig } from "./splice_config.ts";
import { writeSpliceFiles } from "./splice_files.ts";
import { loadMaterial } from "./splice_material.ts";
import { deriveStages, nextRows, type StageInputs } from "./splice_plan.ts";
import { spliceReport } from "./splice_report.ts";
import { armRows, deltaRows, type DrawSettings, recordRows, type SpliceRow } from "./splice_rows.ts";
import type { AnsweredRow } from "./splice_stages.ts";
import { type ArmName, type SampleGrade, SPLICE_ARMS, type SplicePoint } from "./types.ts";

/** Plans a splice experiment for a model. @throws {InputError} when inputs or settings are wrong. */
export async function createSplice(
  config: SpliceConfig,
  { variant, tokenizer }: CreateOptions,
): Promise<PlannedExperiment<SpliceRow>> {
  const sizes = sizesOf(config);
  const arms = armsOf(config.arms);
  const material = await loadMaterial(config, sizes);
  const ids = problemIds(config.problems);
  const book = new PromptBook(variant, tokenizer);
  const { temperature, topP, seed } = config;
  const draw = (samples: number): DrawSettings => ({
    variant,
    model: modelIdentity(variant),
    book,
    samples,
    seed,
    temperature,
    topP,
    maxNewTokens: sizes.maxNewTokens,
  });
  const inputs: StageInputs = {
    material,
    marks: book.marks,
    threshold: sizes.threshold,
    problems: ids === null ? null : [...ids],
    maxPoints: config.maxPoints,
    record: (problems) => recordRows(problems, draw(sizes.record)),
    deltas: (chains) => deltaRows(chains, draw(sizes.deltas)),
    splice: (points, problems) => armRows(points, problems, arms, draw(sizes.samples)),
  };
  const rows = nextRows([], inputs);
  /** The points of simulated models, which are told what was planted. */
  let points: ReadonlyMap<string, SplicePoint> = new Map();
  const note = (answered: readonly AnsweredRow[]) => {
    const derived = deriveStages(answered, inputs);
    points = new Map(derived.points.map((point) => [`${point.problem}/${point.sentence}`, point]));
    return derived;
  };
  note([]);
  return {
    name: "splice",
    layout: { parts: material.stages },
    part: (row) => row.params.stage,
    sampling: { temperature, topP },
    rows,
    ...(material.stages.length === 1 ? {} : {
      more(answered: readonly GradableRow<SpliceRow>[]) {
        note(answered);
        return nextRows(answered, inputs);
      },
    }),
    notes: [
      ...material.notes,
      ...stageNotes(material.stages, sizes, arms),
      `sampling: temperature ${temperature}, top-p ${topP}, at most ${sizes.maxNewTokens} new tokens, seeds ${seed} to ` +
      `${seed + sizes.samples - 1}`,
      ...(variant.backend === "api"
        ? ["before the first sample a few small requests find out whether the server continues a begun turn"]
        : []),
    ],
    fullSize: rows.length,
    judging: null,
    score: (row, attempt) => {
      const { answer } = readSample(row, attempt, book.marks);
      return answer === null ? null : answer === row.problem.correct;
    },
    check: (caller) => checkContinues(caller, book.marks, { forced: arms.includes("forced_answer") }),
    prompt: (row) =>
      promptOf(row, variant.backend === "simulated" ? () => plantedOracle(row, points, book.marks) : null),
    grade: (done) => done.map((row) => gradedRow(row, book)),
    report: (graded) => {
      const answered = answeredRows(graded);
      return spliceReport({
        answered,
        derived: note(answered),
        config,
        sizes,
        arms,
        variant,
        material,
        book,
        tokenizer,
      });
    },
    writeFiles: (graded, context) => {
      const answered = answeredRows(graded);
      return writeSpliceFiles({
        answered,
        derived: note(answered),
        config,
        sizes,
        arms,
        variant,
        material,
        book,
        tokenizer,
        context,
      });
    },
  };
}

/** A row's prompt with its seed; each row has an answer of its own in the response cache. */
export function promptOf(row: SpliceRow, oracle: (() => NonNullable<Prompt["oracle"]>) | null): Prompt {
  const { messages, prefix, reasoning, tokens } = row.asked;
  return {
    messages,
    ...(prefix === undefined ? {} : { prefix }),
    ...(reasoning ? { passages: [{ text: reasoning, label: "spliced" }] } : {}),
    tokens,
    seed: row.params.seed,
    epoch: parseInt(row.id.slice(0, 12), 16),
    ...(oracle === null ? {} : { oracle: oracle() }),
  };
}

/** Graded rows as this room reads them. */
export function answeredRows(graded: readonly GradedRow[]): AnsweredRow[] {
  return graded.map(({ row, attempt }) => ({ row: row as SpliceRow, attempt }));
}

/** Grades a sample. */
export function gradedRow(
  { row, attempt, attempts }: Pick<GradableRow<SpliceRow>, "row" | "attempt" | "attempts">,
  book: Pick<PromptBook, "marks">,
): GradedRow {
  return {
    row,
    attempt,
    attempts,
    grade: attempt === null ? null : gradeOf(readSample(row, attempt, book.marks), attempt, row),
  };
}

const VALIDITY: Readonly<Record<SampleGrade, Validity>> = {
  correct: "correct",
  hinted: "distractor",
  other: "wrong",
  invalid: "abstained",
  output_cap: "output_cap",
  error: "error",
};

function gradeOf(read: ReadSample, attempt: Attempt, row: SpliceRow): Grade {
  const { answer, grade, pattern, reason } = read;
  const broken = answer === null && attempt.status === "done" ? degeneracy(attempt.output) : null;
  return {
    validity: broken !== null ? "degenerate" : VALIDITY[grade],
    correct: answer === null ? null : answer === row.problem.correct,
    judge: attempt.status === "done" ? "match" : "",
    judge_output: answer ?? "",
    extra: {
      grade,
      answer,
      pattern,
      hinted: answer === null ? null : grade === "hinted",
      reason: reason ?? "",
    },
  };
}

function stageNotes(stages: readonly string[], sizes: Sizes, arms: readonly ArmName[]): string[] {
  const then: string[] = [];
  if (stages.includes("record")) then.push(`${sizes.record} chains recorded for each prompt`);
  if (stages.includes("deltas")) then.push(`${sizes.deltas} samples behind every sentence`);
  then.push(
    `${sizes.samples} samples of each arm of every sentence that moves the answer by ${sizes.threshold} or more`,
  );
  const [first, ...rest] = then;
  return rest.length === 0 ? [first as string] : [
    `in turn: ${then.join("; ")}`,
    "rows, tokens and cost above are those of the first step: the others follow from its answers",
    `each splice point takes ${
      arms.filter((arm) => SPLICE_ARMS[arm].cut !== null).length * sizes.samples
    } rows, and each ` +
    `problem with one ${arms.filter((arm) => SPLICE_ARMS[arm].cut === null).length * sizes.samples} more`,
  ];
}

/** A JSON value as it is written. */
export function plainJson(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
