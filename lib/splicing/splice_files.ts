/**
 * The files of a splice experiment beside those of its run: results, metadata, summary, chains, deltas, prompts.
 * @module
 */
import { join } from "node:path";
import { stringify } from "csv-stringify/sync";
import { deploymentOf } from "../backends/variants.ts";
import { writeAtomic } from "../base/files.ts";
import type { Json } from "../base/hash.ts";
import type { FilesContext } from "../runs/experiment.ts";
import { examineInputs, formatDoctor } from "./input_doctor.ts";
import { modelName } from "../runs/workflow.ts";
import { cotRecords, problemRecords } from "./cot_records.ts";
import type { PromptBook } from "./prompt_book.ts";
import { readSample } from "./read_sample.ts";
import { runFolder } from "./run_folder.ts";
import type { SpliceOutcome } from "./splice_outcome.ts";
import { analysisOf } from "./splice_report.ts";
import { type AnsweredRow, rowsOf } from "./splice_stages.ts";
import { type ArmName, type Letter, type SentenceEffect, SPLICE_ARMS, type SpliceProblem } from "./types.ts";

/** The arm whose samples stand in `splice_samples`. */
export const SPLICE_ARM: ArmName = "unhinted_anchor_included";

/**
 * Writes `results/YYYYMMDD_HHMMSS/` (UTC, when the first sample was begun): `splice_results.json`, `metadata.json`,
 * `summary.json`, `prompts.jsonl`, what was found in the inputs (`inputs.txt`, `inputs.json`), and what was found out on the
 * way: `cot_responses.json` with `problems.json`, `deltas.csv`.
 *
 * @returns their paths.
 * @throws {InputError} when they cannot be written.
 */
export async function writeSpliceFiles(
  outcome: SpliceOutcome & { readonly context: FilesContext },
): Promise<readonly string[]> {
  const { answered, derived, material, context, book } = outcome;
  const folder = await runFolder(context, answered);
  const paths: string[] = [];
  const write = async (name: string, data: string | Iterable<string>) => {
    await writeAtomic(join(folder, name), data);
    paths.push(join(folder, name));
  };
  await write("splice_results.json", spliceResults(outcome));
  await write("summary.json", pretty(summary(outcome)));
  if (material.stages.includes("record")) {
    await write("cot_responses.json", pretty(cotRecords(derived.data.problems)));
    await write("problems.json", pretty(problemRecords(derived.data.problems)));
  }
  if (material.stages.includes("deltas") && derived.effects !== null) {
    await write("deltas.csv", deltaCsv(derived.effects));
  }
  if (material.data.sources.length > 0) {
    const report = examineInputs(material.data);
    await write("inputs.txt", formatDoctor(report));
    await write("inputs.json", pretty(report));
  }
  const asked = new Set(answered.flatMap(({ row, attempt }) => attempt === null ? [] : [row.asked.sha256]));
  await write("prompts.jsonl", lines(book.rendered(asked)));
  await write("metadata.json", pretty(metadata(outcome, context)));
  return paths;
}

/** Measured deltas in the published form, with the counts behind them. */
export function deltaCsv(effects: readonly SentenceEffect[]): string {
  return stringify(
    effects.map(({ problem, sentence, text, before, after, delta, beforeCount, afterCount }) => ({
      problem_number: problem,
      sentence_number: sentence,
      sentence: text,
      true_cue_p: after,
      delta_cue_p: delta,
      cue_p: after,
      cue_p_prev: before,
      cue_score: afterCount?.hits ?? null,
      cue_n: afterCount?.of ?? null,
      cue_score_prev: beforeCount?.hits ?? null,
      cue_n_prev: beforeCount?.of ?? null,
    })),
    {
      header: true,
      columns: [
        ...[
          "problem_number",
          "sentence_number",
          "sentence",
          "true_cue_p",
          "delta_cue_p",
          "cue_p",
          "cue_p_prev",
        ],
        ...["cue_score", "cue_n", "cue_score_prev", "cue_n_prev"],
      ],
      quoted_match: /\r/,
    },
  );
}

function metadata(
  { answered, derived, config, sizes, arms, variant, material, book }: SpliceOutcome,
  { run, plan }: FilesContext,
): Json {
  const spliced = derived.points;
  return json({
    timestamp: new Date(Math.min(...startsOf(answered))).toISOString(),
    model: modelName(variant),
    variant: variant.name,
    inference_type: variant.backend,
    device: variant.backend === "local" ? variant.device : deploymentOf(variant),
    delta_threshold: sizes.threshold,
    num_samples: sizes.samples,
    temperature: config.temperature,
    top_p: config.topP,
    max_new_tokens: sizes.maxNewTokens,
    seeds: [config.seed, config.seed + sizes.samples - 1],
    num_splice_points: spliced.length,
    problem_numbers_processed: [...new Set(spliced.map(({ problem }) => problem))].map(numberOf),
    arms,
    stages: material.stages,
    chains: material.stages.includes("arms") && material.data.table === null
      ? derived.chosen.source
      : "given",
    deltas: derived.deltas,
    simulated: variant.backend === "simulated",
    test: config.test,
    reasoning: book.marks,
    sources: material.data.sources,
    not_spliced: [
      ...derived.chosen.without,
      ...(derived.selection?.refused ?? []).map(({ problem, sentence, reason }) => ({
        problem,
        sentence,
        reason,
      })),
      ...(derived.selection?.duplicates ?? []).map(({ point, of }) => ({
        problem: point.problem,
        sentence: point.sentence,
        reason: `the same chain as problem ${of}`,
      })),
    ],
    dropped: derived.data.dropped,
    run,
    plan,
  });
}

function startsOf(answered: readonly AnsweredRow[]): number[] {
  const starts = answered.flatMap(({ attempt }) => attempt === null ? [] : [Date.parse(attempt.started)]);
  return starts.length === 0 ? [Date.now()] : starts;
}

/** One entry for each splice point, in pieces. */
function* spliceResults(outcome: SpliceOutcome): Generator<string> {
  const { derived: { points, data }, answered, arms, book } = outcome;
  const byPoint = Map.groupBy(
    rowsOf(answered, "arms"),
    ({ row: { params } }) => `${params.problem_number}/${params.sentence_number}/${params.arm}`,
  );
  const problems = new Map(data.problems.map((problem) => [problem.id, problem]));
  yield "[";
  for (const [i, point] of points.entries()) {
    const problem = problems.get(point.problem) as SpliceProblem;
    const armOf = (arm: ArmName) => {
      const sentence = SPLICE_ARMS[arm].cut === null ? null : point.sentence;
      return armResults(byPoint.get(`${point.problem}/${sentence}/${arm}`) ?? [], book);
    };
    const { samples, ...rates } = armOf(SPLICE_ARM);
    const entry = {
      problem_number: numberOf(point.problem),
      sentence_number: point.sentence,
      delta_cue_p: point.delta,
      cue_p_prev: point.before,
      cue_p: point.after,
      splice_point_sentence: point.span.text,
      hinted_prefix: point.chain.reasoning.slice(0, point.cut.included),
      question: problem.question,
      correct_answer: problem.correct,
      hinted_answer: problem.hinted,
      splice_samples: samples,
      ...shares(rates, problem),
      bucket: point.bucket,
      cluster: point.cluster,
      control_sentence_number: point.control?.sentence ?? null,
      arms: Object.fromEntries(
        arms.filter((arm) => arm !== SPLICE_ARM).map((arm) => {
          const { samples, ...rates } = armOf(arm);
          return [arm, { samples, ...shares(rates, problem) }];
        }),
      ),
    };
    yield `${i === 0 ? "" : ","}\n${JSON.stringify(entry, null, 2)}`;
  }
  yield "\n]\n";
}

/** The samples of one arm at one point, and their answers counted. */
function armResults(rows: readonly AnsweredRow[], book: PromptBook) {
  const counts: Partial<Record<Letter, number>> = {};
  let invalid = 0;
  const samples = rows.flatMap(({ row, attempt }) => {
    if (attempt === null) return [];
    const { continuation, turn, answer, grade } = readSample(row, attempt, book.marks);
    if (answer === null) invalid++;
    else counts[answer] = (counts[answer] ?? 0) + 1;
    const { sample_num, seed } = row.params;
    return [{ sample_num, seed, continuation, full_spliced_cot: turn, answer, grade, row_id: row.id }];
  });
  return { samples, counts, invalid };
}

function shares(
  { counts, invalid }: { readonly counts: Partial<Record<Letter, number>>; readonly invalid: number },
  problem: SpliceProblem,
) {
  const valid = Object.values(counts).reduce((sum, n) => sum + n, 0);
  const share = (letter: Letter) => valid === 0 ? null : (counts[letter] ?? 0) / valid;
  return {
    answer_distribution: Object.fromEntries(Object.entries(counts).map(([letter, n]) => [letter, n / valid])),
    answer_counts: counts,
    invalid_answers: invalid,
    hinted_answer_probability: share(problem.hinted),
    correct_answer_probability: share(problem.correct),
  };
}

/** The analysis in short: by class of delta, with verdicts, arms and differences. */
function summary(outcome: SpliceOutcome): Json {
  const { buckets, verdicts, arms, comparisons, correlation, check, tested, called } = analysisOf(outcome);
  const byBucket = Object.fromEntries(
    buckets.map(({ bucket, points, clusters, spliced, effect, called }) => [bucket, {
      splice_points: points,
      problems: clusters,
      samples: spliced?.samples ?? 0,
      valid: spliced?.valid ?? 0,
      hinted_answer_probability: spliced?.hinted_rate ?? null,
      correct_answer_probability: spliced?.correct_rate ?? null,
      effect,
      called,
    }]),
  );
  return json({ buckets: byBucket, tested, called, verdicts, arms, comparisons, correlation, check });
}

/** An id as the published files have it: a number where it is one. */
export function numberOf(id: string): string | number {
  return /^(0|[1-9]\d{0,14})$/.test(id) ? Number(id) : id;
}

function* lines(values: Iterable<unknown>): Generator<string> {
  for (const value of values) yield JSON.stringify(value) + "\n";
}

const pretty = (value: unknown) => JSON.stringify(value, null, 2) + "\n";
const json = (value: unknown) => JSON.parse(JSON.stringify(value)) as Json;
