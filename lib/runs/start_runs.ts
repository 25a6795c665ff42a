/**
 * Starts the runs of a kind of experiment: opens the models, plans, and hands the rest to the workflow.
 * @module
 */
import { join } from "node:path";
import { createBudget } from "../backends/budget.ts";
import { openCache } from "../backends/cache.ts";
import type { Caller } from "../backends/caller.ts";
import type { Variant } from "../backends/variants.ts";
import { svgToPng } from "../figures/svg_to_png.ts";
import type { CountedModel, ExperimentKind, ParsedKind } from "./experiment_kind.ts";
import { planRun } from "./plan_runs.ts";
import { runFiles } from "./run_files.ts";
import { RunResources } from "./run_resources.ts";
import { chosenVariants, shardOf } from "./run_settings.ts";
import { type QueuedRun, runInSequence, type RunSequence } from "./sequence.ts";
import { readRunStatus } from "./status.ts";
import { runExperiment } from "./workflow.ts";

/** Options of {@linkcode startRuns}. */
export interface StartOptions {
  /** Receives plans and lines for people; the console when left out. */
  readonly log?: (text: string) => void;
  /** Variants by name that stand for those of the same name: servers that were started for these runs. */
  readonly running?: ReadonlyMap<string, Variant>;
}

/**
 * Starts the runs of a kind on all chosen variants, one after the other. Plans are said through `log` first.
 *
 * @throws {InputError} when a setting, a variant, a checkpoint or an input is wrong.
 */
export async function startRuns(
  kind: ExperimentKind,
  input: unknown,
  options: StartOptions = {},
): Promise<RunSequence> {
  const log = options.log ?? console.log;
  const parsed = kind.parse(input);
  const { settings } = parsed;
  const shard = shardOf(settings);
  const { variants: chosen, judges } = await chosenVariants(settings, parsed.choose);
  const variants = chosen.map((variant) => options.running?.get(variant.name) ?? variant);
  const shared = new RunResources();
  try {
    const budget = createBudget(settings.maxUsd, {
      spentUsd: await spentSoFar(parsed, variants.map(({ name }) => name)),
    });
    const cache = settings.cache ? shared.keep(openCache(join(settings.results, ".cache.sqlite"))) : null;
    const judgeCallers: Caller[] = [];
    const judgeModels: CountedModel[] = [];
    for (const variant of judges) {
      const caller = await shared.open(variant, settings, budget, cache);
      judgeCallers.push(caller);
      judgeModels.push({ variant, tokenizer: await caller.backend.tokenizer() });
    }
    const queue = variants.flatMap((variant) => {
      const own = new RunResources();
      const model = lazily(async () => {
        const caller = await own.open(variant, settings, budget, cache);
        return { caller, tokenizer: await caller.backend.tokenizer() };
      });
      return parsed.experiments.map((spec, i): QueuedRun => ({
        async start() {
          const { caller, tokenizer } = await model();
          const counted = { variant, tokenizer };
          const experiment = await spec.create({
            ...counted,
            judges: judgeModels,
          });
          log((await planRun(parsed, spec.title, experiment, counted, judgeModels)).text);
          return runExperiment({
            experiment,
            caller,
            judges: judgeCallers,
            regrade: settings.regrade,
            results: settings.results,
            test: parsed.test ? { originalSize: experiment.fullSize } : null,
            config: parsed.json,
            shard,
            svgToPng,
            log,
            ...(experiment.score === undefined ? {} : { score: experiment.score.bind(experiment) }),
          });
        },
        close: () => i === parsed.experiments.length - 1 ? own.close() : Promise.resolve(),
      }));
    });
    const sequence = await runInSequence(queue as [QueuedRun, ...QueuedRun[]]);
    sequence.done.catch(() => {}).finally(() => shared.close());
    return sequence;
  } catch (error) {
    await shared.close();
    throw error;
  }
}

/** Makes something when it is first needed. */
function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => made ??= make();
}

/** US dollars that earlier sessions of the same runs have spent; 0 without looking when there is no limit. */
async function spentSoFar(parsed: ParsedKind, variants: readonly string[]): Promise<number> {
  const { settings, test, experiments } = parsed;
  if (settings.maxUsd === null) return 0;
  let spent = 0;
  for (const variant of variants) {
    for (const { name } of experiments) {
      const { results } = settings;
      const files = runFiles({ results, experiment: name, variant, test, shard: shardOf(settings) });
      spent += (await readRunStatus(files))?.spentUsd ?? 0;
    }
  }
  return spent;
}
