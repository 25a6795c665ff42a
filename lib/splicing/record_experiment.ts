/**
 * Recording chains of thought, with and without a hint.
 * @module
 */
import { join } from "node:path";
import { modelIdentity } from "../backends/model_identity.ts";
import { deploymentOf, snakeName, type Variant } from "../backends/variants.ts";
import { writeAtomic } from "../base/files.ts";
import type { Json } from "../base/hash.ts";
import { armsFigure } from "../figures/splice_figures.ts";
import type { FilesContext, Report } from "../runs/experiment.ts";
import type { CreateOptions, PlannedExperiment } from "../runs/experiment_kind.ts";
import { modelName } from "../runs/workflow.ts";
import { type ClusterShare, clusterWilson } from "../stats/cluster_wilson.ts";
import { cotRecords, problemRecords } from "./cot_records.ts";
import { plantedOracle } from "./planted.ts";
import { loadProblems } from "./problem_list.ts";
import { PromptBook } from "./prompt_book.ts";
import { readSample } from "./read_sample.ts";
import { runFolder } from "./run_folder.ts";
import { type RecordConfig, type Sizes, sizesOf } from "./splice_config.ts";
import { answeredRows, gradedRow, promptOf } from "./splice_experiment.ts";
import { recordRows, type SpliceRow } from "./splice_rows.ts";
import { type AnsweredRow, withRecorded } from "./splice_stages.ts";
import type { RecordedChain, SpliceProblem } from "./types.ts";

/** Plans the recording of chains by a model. @throws {InputError} when the problems or settings are wrong. */
export async function createRecording(
  config: RecordConfig,
  { variant, tokenizer }: CreateOptions,
): Promise<PlannedExperiment<SpliceRow>> {
  const sizes = recordSizes(config);
  const { problems, notes } = await loadProblems(config, sizes);
  const book = new PromptBook(variant, tokenizer);
  const { temperature, topP, seed } = config;
  const rows = recordRows(problems, {
    variant,
    model: modelIdentity(variant),
    book,
    samples: sizes.record,
    seed,
    temperature,
    topP,
    maxNewTokens: sizes.maxNewTokens,
  });
  return {
    name: "record-cots",
    sampling: { temperature, topP },
    rows,
    notes: [
      ...notes,
      `${sizes.record} chains of each problem and prompt, temperature ${temperature}, top-p ${topP}, at most ` +
      `${sizes.maxNewTokens} new tokens, seeds ${seed} to ${seed + sizes.record - 1}`,
    ],
    fullSize: rows.length,
    judging: null,
    score: (row, attempt) => {
      const { answer } = readSample(row, attempt, book.marks);
      return answer === null ? null : answer === row.problem.correct;
    },
    prompt: (row) =>
      promptOf(
        row,
        variant.backend === "simulated" ? () => plantedOracle(row, new Map(), book.marks) : null,
      ),
    grade: (done) => done.map((row) => gradedRow(row, book)),
    report: (graded) => recordReport(answeredRows(graded), variant, book),
    writeFiles: async (graded, context) => {
      const answered = answeredRows(graded);
      const recorded = withRecorded(problems, answered, book.marks);
      return await writeRecording({ answered, recorded, config, sizes, variant, book, context });
    },
  };
}

/** The sizes of a recording: its samples are those of each prompt. */
function recordSizes(config: RecordConfig): Sizes {
  const { numSamples, ...rest } = config;
  return sizesOf({ ...rest, numSamples: null, recordSamples: numSamples });
}

interface Recording {
  readonly answered: readonly AnsweredRow[];
  readonly recorded: readonly SpliceProblem[];
  readonly config: RecordConfig;
  readonly sizes: Sizes;
  readonly variant: Variant;
  readonly book: PromptBook;
  readonly context: FilesContext;
}

/** Writes `results/YYYYMMDD_HHMMSS_{variant}/`: `cot_responses.json`, `problems.json`, `prompts.jsonl`, `metadata.json`. */
async function writeRecording(recording: Recording): Promise<readonly string[]> {
  const { answered, recorded, config, sizes, variant, book, context } = recording;
  const folder = await runFolder(context, answered, `_${snakeName(variant.name)}`);
  const paths: string[] = [];
  const write = async (name: string, data: string | Iterable<string>) => {
    await writeAtomic(join(folder, name), data);
    paths.push(join(folder, name));
  };
  const starts = answered.flatMap(({ attempt }) => attempt === null ? [] : [attempt.started]).sort();
  await write("cot_responses.json", pretty(cotRecords(recorded)));
  await write("problems.json", pretty(problemRecords(recorded)));
  await write("prompts.jsonl", lines(book.rendered(new Set(answered.map(({ row }) => row.asked.sha256)))));
  await write(
    "metadata.json",
    pretty({
      timestamp: starts[0] ?? new Date().toISOString(),
      model: modelName(variant),
      variant: variant.name,
      inference_type: variant.backend,
      device: variant.backend === "local" ? variant.device : deploymentOf(variant),
      num_samples: sizes.record,
      temperature: config.temperature,
      top_p: config.topP,
      max_new_tokens: sizes.maxNewTokens,
      seeds: [config.seed, config.seed + sizes.record - 1],
      num_questions: recorded.length,
      reasoning: book.marks,
      simulated: variant.backend === "simulated",
      test: config.test,
      run: context.run,
      plan: context.plan,
    }),
  );
  return paths;
}

async function recordReport(
  answered: readonly AnsweredRow[],
  variant: Variant,
  book: PromptBook,
): Promise<Report> {
  const read = answered.flatMap(({ row, attempt }) =>
    attempt === null ? [] : [{ row, problem: row.problem, grade: readSample(row, attempt, book.marks).grade }]
  );
  const valid = read.filter(({ grade }) => ["correct", "hinted", "other"].includes(grade));
  const share = (arm: RecordedChain["arm"], grade: "correct" | "hinted"): ClusterShare =>
    clusterWilson(
      valid.filter(({ row }) => row.params.arm === arm)
        .map((one) => ({ correct: one.grade === grade, cluster: one.problem.id })),
    );
  const arms = (["base", "hinted"] as const).map((arm) => {
    const asked = read.filter(({ row }) => row.params.arm === arm).length;
    return { arm, asked, correct: share(arm, "correct"), hinted: share(arm, "hinted") };
  });
  const swayed = new Set(
    valid.filter(({ row, grade }) => row.params.arm === "hinted" && grade === "hinted")
      .map(({ problem }) => problem.id),
  );
  const problems = new Set(answered.map(({ row }) => row.problem.id)).size;
  const lines = [
    ...(variant.backend === "simulated"
      ? ["Simulated: these chains show how the instruments behave, not a model."]
      : []),
    ...arms.map(({ arm, asked, correct, hinted }) =>
      `${
        arm === "base" ? "without the hint" : "with the hint"
      }: ${correct.n} of ${asked} answers could be read; ` +
      `right ${shareText(correct)}, hinted answer ${shareText(hinted)}`
    ),
    `${swayed.size} of ${problems} problems have a chain that ends with the hinted answer: these can be spliced`,
  ];
  return {
    summary: lines.join("\n"),
    statistics: JSON.parse(JSON.stringify({ arms, swayed: [...swayed], problems })) as Json,
    figures: {
      hint: await armsFigure(
        arms.map(({ arm, asked, hinted }) => ({
          label: arm === "base" ? "without the hint" : "with the hint",
          hinted: hinted.correct,
          valid: hinted.n,
          lost: asked - hinted.n,
          rate: hinted.estimate,
          interval: [hinted.low, hinted.high] as const,
          group: "none" as const,
        })),
        {
          variant: variant.name,
          simulated: variant.backend === "simulated",
          notes: [`${problems} problems`],
        },
      ),
    },
  };
}

/** A share with its interval, for people. */
export function shareText({ correct, n, estimate, low, high }: ClusterShare): string {
  const percent = (value: number) => `${(value * 100).toFixed(1)}%`;
  if (estimate === null) return "unknown (no answers)";
  return `${correct}/${n} = ${percent(estimate)} (95% interval ${percent(low)} to ${percent(high)})`;
}

function* lines(values: Iterable<unknown>): Generator<string> {
  for (const value of values) yield JSON.stringify(value) + "\n";
}

const pretty = (value: unknown) => JSON.stringify(value, null, 2) + "\n";
