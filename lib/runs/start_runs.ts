/**
 * Starts the runs of one or several kinds of experiment: opens the models, plans, and hands the rest to the workflow.
 * @module
 */
import { join } from "node:path";
import { BackendError, type Tokenizer } from "../backends/backend.ts";
import { type Budget, createBudget } from "../backends/budget.ts";
import { openCache, type ResponseCache } from "../backends/cache.ts";
import type { Caller } from "../backends/caller.ts";
import { checkPrice, priceOf } from "../backends/prices.ts";
import { reachProblem } from "../backends/reach.ts";
import type { Variant } from "../backends/variants.ts";
import { InputError, messageOf } from "../base/errors.ts";
import { svgToPng } from "../figures/svg_to_png.ts";
import type { CountedModel, ExperimentKind, ExperimentSpec, ParsedKind } from "./experiment_kind.ts";
import { failedRun } from "./failed_run.ts";
import { type PlannedRun, planRun } from "./plan_runs.ts";
import { type RunFiles, runFiles } from "./run_files.ts";
import type { ExperimentResult, RunHandle } from "./run_handle.ts";
import { RunResources } from "./run_resources.ts";
import { chosenVariants, type RunSettings, shardOf } from "./run_settings.ts";
import { type QueuedRun, runInSequence, type RunSequence } from "./sequence.ts";
import { readRunStatus } from "./status.ts";
import { runExperiment } from "./workflow.ts";

/** Options of {@linkcode startRuns}. */
export interface StartOptions {
  /** Receives plans and lines for people; the console when left out. */
  readonly log?: (text: string) => void;
  /** Variants by name that stand for those of the same name: servers that were started for these runs. */
  readonly running?: ReadonlyMap<string, Variant>;
  /** What is said when a run begins; its plan when left out. */
  readonly announce?: (planned: PlannedRun) => string;
  /**
   * Whether a run that fails (a missing key, a server that is down, a refused request) leaves the others going: its
   * result then holds the error. Servers are asked whether they are there before their first run.
   */
  readonly keepGoing?: boolean;
  /** Called with every result as it comes; what it gives is kept in its place. */
  readonly onResult?: (result: ExperimentResult) => ExperimentResult;
}

/**
 * Starts the runs of a kind on all chosen variants, one after the other. Plans are said through `log` first.
 *
 * @throws {InputError} when a setting, a variant, a checkpoint or an input is wrong.
 */
export function startRuns(
  kind: ExperimentKind,
  input: unknown,
  options: StartOptions = {},
): Promise<RunSequence> {
  return Promise.try(() => startParsed([kind.parse(input)], options));
}

/**
 * Starts the runs of several kinds, variant by variant. They share the settings of the first, its budget and its cache.
 *
 * @throws {InputError} when a setting, a variant or the judge is wrong, and unless `keepGoing`, a checkpoint or an input.
 */
export async function startParsed(
  kinds: readonly [ParsedKind, ...ParsedKind[]],
  options: StartOptions = {},
): Promise<RunSequence> {
  const [{ settings }] = kinds;
  const { variants: chosen, judges } = await chosenVariants(settings, kinds[0].choose);
  const variants = chosen.map((variant) => options.running?.get(variant.name) ?? variant);
  const keepGoing = options.keepGoing ?? false;
  for (const variant of [...variants, ...judges]) {
    checkPrice(variant, priceOf(variant), settings.maxUsd);
  }
  const shared = new RunResources();
  try {
    const budget = createBudget(settings.maxUsd, { spentUsd: await spentSoFar(kinds, variants) });
    const cache = settings.cache ? shared.keep(openCache(join(settings.results, ".cache.sqlite"))) : null;
    const judgeCallers: Caller[] = [];
    for (const judge of judges) judgeCallers.push(await shared.open(judge, settings, budget, cache));
    const tools: SharedTools = { settings, budget, cache, judges: judgeCallers, options };
    const queue = variants.flatMap((variant) => queueOf(variant, kinds, tools));
    const sequence = await runInSequence(queue as [QueuedRun, ...QueuedRun[]], {
      ...(keepGoing ? { goOn: ({ stoppedBy }) => stoppedBy === null || stoppedBy === "error" } : {}),
      ...(options.onResult === undefined ? {} : { keep: options.onResult }),
    });
    sequence.done.catch(() => {}).finally(() => shared.close());
    return sequence;
  } catch (error) {
    await shared.close();
    throw error;
  }
}

/** What all runs use. */
interface SharedTools {
  readonly settings: RunSettings;
  readonly budget: Budget;
  readonly cache: ResponseCache | null;
  readonly judges: readonly Caller[];
  readonly options: StartOptions;
}

/** The runs of one variant; its model is opened for the first and closed after the last. */
function queueOf(variant: Variant, kinds: readonly ParsedKind[], tools: SharedTools): QueuedRun[] {
  const { settings, budget, cache, options } = tools;
  const own = new RunResources();
  const model: OpenModel = {
    variant,
    open: lazily(async () => {
      const caller = await own.open(variant, settings, budget, cache);
      return { caller, tokenizer: await caller.backend.tokenizer() };
    }),
    reach: lazily(() => reachProblem(variant)),
    failure: null,
  };
  const specs = kinds.flatMap((kind) => kind.experiments.map((spec) => ({ kind, spec })));
  return specs.map(({ kind, spec }, i) => ({
    async start() {
      try {
        if (model.failure !== null) throw model.failure;
        return await begin(kind, spec, model, tools);
      } catch (error) {
        if (!options.keepGoing) throw error;
        const run = { experiment: spec.name, variant: variant.name, files: filesOf(kind, spec, variant) };
        (options.log ?? console.log)(`Failed: ${spec.name} ${variant.name}: ${messageOf(error)}`);
        return failedRun(run, error);
      }
    },
    close: () => i === specs.length - 1 ? own.close() : Promise.resolve(),
  }));
}

/** A model that is opened when it is first needed. */
interface OpenModel {
  readonly variant: Variant;
  readonly open: () => Promise<{ readonly caller: Caller; readonly tokenizer: Tokenizer }>;
  readonly reach: () => Promise<string | null>;
  /** What every request would meet, once one has met it. */
  failure: Error | null;
}

async function begin(
  kind: ParsedKind,
  spec: ExperimentSpec,
  model: OpenModel,
  { judges, options }: SharedTools,
): Promise<RunHandle> {
  const log = options.log ?? console.log;
  const { caller, tokenizer } = await model.open();
  const counted = { variant: model.variant, tokenizer };
  const judgeModels: CountedModel[] = [];
  for (const judge of judges) {
    judgeModels.push({ variant: judge.variant, tokenizer: await judge.backend.tokenizer() });
  }
  const experiment = await spec.create({
    ...counted,
    judges: judgeModels,
    results: kind.settings.results,
    ...(caller.backend.steerable === undefined ? {} : { steerable: caller.backend.steerable }),
  });
  const planned = await planRun(kind, spec.title, experiment, counted, judgeModels);
  if (options.keepGoing && planned.plan.todo > 0) {
    const problem = await model.reach();
    if (problem !== null) throw new InputError(problem);
  }
  log(options.announce?.(planned) ?? planned.text);
  if (planned.plan.todo > 0) await experiment.check?.(caller);
  const run = runExperiment({
    experiment,
    caller,
    judges,
    regrade: kind.settings.regrade,
    results: kind.settings.results,
    test: kind.test ? { originalSize: experiment.fullSize } : null,
    config: kind.json,
    shard: shardOf(kind.settings),
    svgToPng,
    log,
    ...(experiment.score === undefined ? {} : { score: experiment.score.bind(experiment) }),
  });
  run.done.then(({ error }) => {
    if (error instanceof BackendError) model.failure = error;
    if (error !== null && options.keepGoing) {
      log(`Failed: ${spec.name} ${model.variant.name}: ${messageOf(error)}`);
    }
  });
  return run;
}

/** Makes something when it is first needed. */
function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => made ??= make();
}

function filesOf({ settings, test }: ParsedKind, spec: ExperimentSpec, variant: Variant): RunFiles {
  const { results } = settings;
  return runFiles({ results, experiment: spec.name, variant: variant.name, test, shard: shardOf(settings) });
}

/** US dollars that earlier sessions of the same runs have spent; 0 without looking when there is no limit. */
async function spentSoFar(kinds: readonly ParsedKind[], variants: readonly Variant[]): Promise<number> {
  let spent = 0;
  for (const kind of kinds) {
    if (kind.settings.maxUsd === null) continue;
    for (const spec of kind.experiments) {
      for (const variant of variants) {
        spent += (await readRunStatus(filesOf(kind, spec, variant)))?.spentUsd ?? 0;
      }
    }
  }
  return spent;
}
