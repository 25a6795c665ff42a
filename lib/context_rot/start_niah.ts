/**
 * Starts NIAH runs: opens the models, plans, and hands the rest to `runs`.
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import type { Tokenizer } from "../backends/backend.ts";
import { type Budget, createBudget } from "../backends/budget.ts";
import { openCache, type ResponseCache } from "../backends/cache.ts";
import { type Caller, createCaller } from "../backends/caller.ts";
import { openBackend } from "../backends/open_backend.ts";
import { priceOf } from "../backends/prices.ts";
import { loadO200k } from "../backends/tokenizers.ts";
import {
  deploymentOf,
  type Limits,
  limitsOf,
  loadVariants,
  missingEnvironment,
  modelsPath,
  pickVariant,
  type Variant,
} from "../backends/variants.ts";
import { InputError } from "../base/errors.ts";
import type { Json } from "../base/hash.ts";
import { svgToPng } from "../figures/svg_to_png.ts";
import { describePlan, planText } from "../runs/plan_text.ts";
import { type RunFiles, runFiles } from "../runs/run_files.ts";
import { type QueuedRun, runInSequence, type RunSequence } from "../runs/sequence.ts";
import { parseShard, type Shard, shardRows } from "../runs/shard.ts";
import { readRunStatus } from "../runs/status.ts";
import { runExperiment } from "../runs/workflow.ts";
import { matchAnswer } from "./match.ts";
import { createNiah, type Niah, type NiahJudge } from "./niah.ts";
import { type NiahConfig, niahConfigSchema, outputCap } from "./niah_config.ts";
import { niahGrid } from "./niah_grid.ts";

/** Everything a NIAH notebook or task may set. */
export const niahSettingsSchema = niahConfigSchema.extend({
  /** One or several variants, separated by commas. */
  model: z.string().trim().min(1).default("pocket"),
  /** The variant that judges what matching cannot; null for matching alone. */
  judge: z.string().min(1).nullable().default(null),
  /** The results folder. */
  results: z.string().min(1).default("results"),
  /** Most US dollars the run may spend, over all its sessions, judge included; null for no limit. */
  maxUsd: z.number().positive().nullable().default(null),
  /** `i/n`: only this part of the rows. */
  shard: z.string().nullable().default(null),
  /** Whether to answer from and fill the response cache of the results folder. */
  cache: z.boolean().default(false),
  tokensPerMinute: z.int().positive().nullable().default(null),
  requestsPerMinute: z.int().positive().nullable().default(null),
  concurrency: z.int().positive().nullable().default(null),
});
/** The settings, checked and with defaults. */
export type NiahSettings = z.output<typeof niahSettingsSchema>;

/**
 * Checks settings.
 *
 * @throws {InputError} naming each wrong setting.
 */
export function parseNiahSettings(input: unknown): NiahSettings {
  const parsed = niahSettingsSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) =>
    issue.code === "unrecognized_keys"
      ? `there is no setting ${issue.keys.join(", ")}`
      : `${issue.path.join(".") || "settings"}: ${issue.message}`
  );
  throw new InputError(`Wrong NIAH settings: ${problems.join("; ")}.`, { cause: parsed.error });
}

/** A variant's run before it begins. */
export interface PlannedNiah {
  /** The model. */
  readonly variant: Variant;
  /** Its rows and verbs. */
  readonly niah: Niah;
  /** Where its results go. */
  readonly files: RunFiles;
  /** For people: haystack, needle, grid, rows, tokens, cost, time, limits, what is missing. */
  readonly text: string;
}

/**
 * Plans the runs of all chosen variants. Sends nothing and writes nothing.
 *
 * @throws {InputError} when a setting, a variant, the haystack or the needle is wrong.
 */
export async function planNiah(input: unknown): Promise<PlannedNiah[]> {
  const settings = parseNiahSettings(input);
  const { variants, judge } = await chosen(settings);
  const judgeTools = judge === null ? null : { variant: judge, tokenizer: await planningTokenizer(judge) };
  const planned: PlannedNiah[] = [];
  for (const variant of variants) {
    const niah = await createNiah(configOf(settings), {
      variant,
      tokenizer: await planningTokenizer(variant),
      judge: judgeTools,
    });
    planned.push(await describe(settings, variant, niah, judgeTools));
  }
  return planned;
}

/**
 * Starts the runs of all chosen variants, one after the other. Plans are said through `log` first.
 *
 * @throws {InputError} when a setting, a variant, a checkpoint, the haystack or the needle is wrong.
 */
export async function startNiah(
  input: unknown,
  options: { readonly log?: (text: string) => void } = {},
): Promise<RunSequence> {
  const log = options.log ?? console.log;
  const settings = parseNiahSettings(input);
  const { variants, judge } = await chosen(settings);
  const shared = new Resources();
  try {
    const budget = createBudget(settings.maxUsd, { spentUsd: await spentSoFar(settings, variants) });
    const cache = settings.cache ? shared.keep(openCache(join(settings.results, ".cache.sqlite"))) : null;
    const judgeCaller = judge === null ? null : await shared.open(judge, settings, budget, cache);
    const judgeTools = judgeCaller === null
      ? null
      : { variant: judgeCaller.variant, tokenizer: await judgeCaller.backend.tokenizer() };
    const queue = variants.map((variant): QueuedRun => {
      const own = new Resources();
      return {
        async start() {
          const caller = await own.open(variant, settings, budget, cache);
          const niah = await createNiah(configOf(settings), {
            variant,
            tokenizer: await caller.backend.tokenizer(),
            judge: judgeTools,
          });
          log((await describe(settings, variant, niah, judgeTools)).text);
          return runExperiment({
            experiment: niah,
            caller,
            judge: judgeCaller,
            results: settings.results,
            test: settings.test ? { originalSize: fullSize(settings, variant) } : null,
            config: JSON.parse(JSON.stringify(settings)) as Json,
            shard: shardOf(settings),
            svgToPng,
            log,
            score: (row, attempt) =>
              matchAnswer(attempt.output, [row.needle.answer, ...row.needle.accept]).index >= 0,
          });
        },
        close: () => own.close(),
      };
    });
    const sequence = await runInSequence(queue as [QueuedRun, ...QueuedRun[]]);
    sequence.done.catch(() => {}).finally(() => shared.close());
    return sequence;
  } catch (error) {
    await shared.close();
    throw error;
  }
}

/** What a run has opened, closed together in the opposite order; closing twice does nothing. */
class Resources {
  readonly #open: (Disposable | AsyncDisposable)[] = [];

  keep<T extends Disposable | AsyncDisposable>(resource: T): T {
    this.#open.push(resource);
    return resource;
  }

  async open(
    variant: Variant,
    settings: NiahSettings,
    budget: Budget,
    cache: ResponseCache | null,
  ): Promise<Caller> {
    const backend = await openBackend(variant);
    return this.keep(createCaller(backend, {
      budget,
      limits: limitsFrom(settings),
      ...(cache === null ? {} : { cache }),
    }));
  }

  async close(): Promise<void> {
    for (;;) {
      const resource = this.#open.pop();
      if (resource === undefined) return;
      if (Symbol.asyncDispose in resource) await resource[Symbol.asyncDispose]();
      else resource[Symbol.dispose]();
    }
  }
}

function configOf(settings: NiahSettings): NiahConfig {
  const { model: _m, judge: _j, results: _r, maxUsd: _u, shard: _s, cache: _c, ...rest } = settings;
  const { tokensPerMinute: _t, requestsPerMinute: _q, concurrency: _n, ...config } = rest;
  return config;
}

function limitsFrom(settings: NiahSettings): Partial<Limits> {
  return {
    ...(settings.tokensPerMinute === null ? {} : { tokensPerMinute: settings.tokensPerMinute }),
    ...(settings.requestsPerMinute === null ? {} : { requestsPerMinute: settings.requestsPerMinute }),
    ...(settings.concurrency === null ? {} : { maxConcurrency: settings.concurrency }),
  };
}

async function chosen(settings: NiahSettings): Promise<{ variants: Variant[]; judge: Variant | null }> {
  const path = modelsPath();
  const all = await loadVariants(path);
  const names = [...new Set(settings.model.split(",").map((name) => name.trim()))];
  return {
    variants: names.map((name) => pickVariant(all, name, path)),
    judge: settings.judge === null ? null : pickVariant(all, settings.judge, path),
  };
}

const shardOf = (settings: NiahSettings): Shard | null =>
  settings.shard === null ? null : parseShard(settings.shard);

function filesOf(settings: NiahSettings, variant: Variant): RunFiles {
  return runFiles({
    results: settings.results,
    experiment: "niah",
    variant: variant.name,
    test: settings.test,
    shard: shardOf(settings),
  });
}

async function spentSoFar(settings: NiahSettings, variants: readonly Variant[]): Promise<number> {
  if (settings.maxUsd === null) return 0;
  let spent = 0;
  for (const variant of variants) spent += (await readRunStatus(filesOf(settings, variant)))?.spentUsd ?? 0;
  return spent;
}

/** Rows of the full run that a test run stands for. */
function fullSize(settings: NiahSettings, variant: Variant): number {
  const reserve = outputCap(settings, variant);
  const grid = niahGrid({ test: false, window: variant.contextWindow, reserve });
  return grid.lengths.length * grid.depths.length * settings.trials;
}

/** A variant's tokenizer without a key or a server: planning needs neither. */
async function planningTokenizer(variant: Variant): Promise<Tokenizer> {
  if (variant.backend === "api" && missingEnvironment(variant).length > 0) return await loadO200k();
  await using backend = await openBackend(variant);
  return await backend.tokenizer();
}

async function describe(
  settings: NiahSettings,
  variant: Variant,
  niah: Niah,
  judge: NiahJudge | null,
): Promise<PlannedNiah> {
  const files = filesOf(settings, variant);
  const limits = { ...limitsOf(variant), ...limitsFrom(settings) };
  const shard = shardOf(settings);
  const options = {
    rows: shard === null ? niah.rows : shardRows(niah.rows, shard),
    files,
    variant: variant.name,
    price: priceOf(variant),
    limits,
    exact: (await planningTokenizer(variant)).exact,
    judge: judge === null ? null : {
      variant: judge.variant.name,
      price: priceOf(judge.variant),
      callsPerRow: settings.distractors > 0 ? 2 : 1,
      tokens: 1500,
      maxTokens: Math.min(judge.variant.maxOutputTokens, 1024),
    },
  };
  const missing = missingEnvironment(variant);
  const lines = [
    planText(await describePlan(options), options).trimEnd(),
    ...niah.notes,
    `deployment: ${variant.backend === "api" ? deploymentOf(variant) : variant.backend}`,
    ...(missing.length > 0 ? [`missing environment: ${missing.join(", ")} (see .env.example)`] : []),
  ];
  return { variant, niah, files, text: lines.join("\n") };
}
