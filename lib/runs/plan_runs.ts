/**
 * Plans the runs of a kind of experiment on all chosen variants.
 * @module
 */
import { join } from "node:path";
import type { Tokenizer } from "../backends/backend.ts";
import { openCache, type ResponseCache } from "../backends/cache.ts";
import { backendIdentity, cacheKey } from "../backends/cache_key.ts";
import { openBackend } from "../backends/open_backend.ts";
import { priceOf } from "../backends/prices.ts";
import { loadO200k } from "../backends/tokenizers.ts";
import { deploymentOf, missingEnvironment, type Variant } from "../backends/variants.ts";
import { scanAttempts } from "./attempt_records.ts";
import type { Row } from "./experiment.ts";
import type {
  CountedModel,
  ExperimentKind,
  Judging,
  ParsedKind,
  PlannedExperiment,
} from "./experiment_kind.ts";
import { describePlan, type PlanDescription, planText } from "./plan_text.ts";
import { type RunFiles, runFiles } from "./run_files.ts";
import { chosenVariants, limitsIn, shardOf } from "./run_settings.ts";
import { requestOf } from "./runner.ts";
import { shardRows } from "./shard.ts";
import { modelName } from "./workflow.ts";
import { runSteps, workflowStatePath } from "./workflow_state.ts";

/** A run before it begins. */
export interface PlannedRun {
  /** The model. */
  readonly variant: Variant;
  /** Its rows and verbs. */
  readonly experiment: PlannedExperiment;
  /** The experiment, for people. */
  readonly title: string;
  /** Where its results go. */
  readonly files: RunFiles;
  /** Rows, tokens, cost, time. */
  readonly plan: PlanDescription;
  /** The plan for people, with notes, deployment, limits and what is missing. */
  readonly text: string;
}

/**
 * Plans the runs of a kind on all chosen variants, in the order in which they would run. Sends nothing and writes
 * nothing.
 *
 * @throws {InputError} when a setting, a variant or an input is wrong.
 */
export async function planRuns(kind: ExperimentKind, input: unknown): Promise<PlannedRun[]> {
  const parsed = kind.parse(input);
  shardOf(parsed.settings);
  const { variants, judges } = await chosenVariants(parsed.settings, parsed.choose);
  const judgeModels: CountedModel[] = [];
  for (const variant of judges) judgeModels.push({ variant, tokenizer: await planningTokenizer(variant) });
  const planned: PlannedRun[] = [];
  for (const variant of variants) {
    const model = { variant, tokenizer: await planningTokenizer(variant) };
    for (const spec of parsed.experiments) {
      const experiment = await spec.create({
        ...model,
        judges: judgeModels,
        results: parsed.settings.results,
      });
      planned.push(await planRun(parsed, spec.title, experiment, model, judgeModels));
    }
  }
  return planned;
}

/** Says what the run of a planned experiment would do. */
export async function planRun(
  parsed: ParsedKind,
  title: string,
  experiment: PlannedExperiment,
  model: CountedModel,
  judges: readonly CountedModel[],
): Promise<PlannedRun> {
  const { variant, tokenizer } = model;
  const shard = shardOf(parsed.settings);
  const files = runFiles({
    results: parsed.settings.results,
    experiment: experiment.name,
    variant: variant.name,
    test: parsed.test,
    shard,
    layout: experiment.layout ?? null,
  });
  using cache = await openExisting(join(parsed.settings.results, ".cache.sqlite"), parsed.settings.cache);
  const identity = cache === null ? null : backendIdentity(variant);
  const inCache = cache === null ? null : async (row: Row) => {
    const prompt = await experiment.prompt(row);
    return cache.has(cacheKey(identity, requestOf(row, prompt, experiment.sampling), prompt.epoch));
  };
  const settled = await areJudged(parsed, experiment.name, variant, judges, files);
  const options = {
    rows: shard === null ? experiment.rows : shardRows(experiment.rows, shard),
    files,
    variant: variant.name,
    price: priceOf(variant),
    limits: limitsIn(parsed.settings, variant),
    exact: tokenizer.exact,
    judged: experiment.judging !== null,
    ...(inCache === null ? {} : { inCache }),
    judges: experiment.judging === null ? [] : judges.map((judge) => ({
      variant: judge.variant.name,
      price: priceOf(judge.variant),
      settled,
      ...experiment.judging as Judging,
      maxTokens: Math.min(judge.variant.maxOutputTokens, (experiment.judging as Judging).maxTokens),
    })),
  };
  const plan = await describePlan(options);
  const missing = missingEnvironment(variant);
  const lines = [
    planText(plan, options).trimEnd(),
    ...experiment.notes,
    `deployment: ${variant.backend === "api" ? deploymentOf(variant) : variant.backend}`,
    ...(missing.length > 0 ? [`missing environment: ${missing.join(", ")} (see .env.example)`] : []),
  ];
  return { variant, experiment, title, files, plan, text: lines.join("\n") };
}

/** The response cache, when it is in use and there is one: a plan makes no file. */
async function openExisting(path: string, inUse: boolean): Promise<ResponseCache | null> {
  return inUse && await Deno.stat(path).then(() => true, () => false)
    ? openCache(path, { keepDamaged: true })
    : null;
}

/** Whether the rows that are done have been evaluated with these judges. */
async function areJudged(
  { settings, test }: ParsedKind,
  experiment: string,
  variant: Variant,
  judges: readonly CountedModel[],
  files: RunFiles,
): Promise<boolean> {
  const steps = runSteps(workflowStatePath(settings.results, test), experiment, variant.name);
  if (!await steps.isMarked("evaluation")) return false;
  let model: string | null = null;
  await scanAttempts(files.judgeAttempts, { header: (header) => void (model = header.model) });
  return model === judges.map((judge) => modelName(judge.variant)).join(",");
}

/**
 * A variant's tokenizer without a key or a server: planning needs neither.
 *
 * @throws {InputError} when a checkpoint is missing or damaged.
 */
export async function planningTokenizer(variant: Variant): Promise<Tokenizer> {
  if (variant.backend === "api" && missingEnvironment(variant).length > 0) return await loadO200k();
  await using backend = await openBackend(variant);
  return await backend.tokenizer();
}
