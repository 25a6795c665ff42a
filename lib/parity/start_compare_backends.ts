/**
 * The comparison of two backends as a kind of experiment, with the comparison that follows its runs.
 * @module
 */
import { z } from "zod";
import type { Message } from "../backends/backend.ts";
import { deploymentOf, loadVariants, snakeName, type Variant } from "../backends/variants.ts";
import type { Json } from "../base/hash.ts";
import { defineKind, type ExperimentKind } from "../runs/experiment_kind.ts";
import { chosenVariants } from "../runs/run_settings.ts";
import { finishedResults, type RunSequence } from "../runs/sequence.ts";
import { type StartOptions, startRuns } from "../runs/start_runs.ts";
import type { ExperimentResult } from "../runs/workflow.ts";
import type { Answer } from "./answer.ts";
import { chooseBackends, servedBy, servedVariant } from "./choose_backends.ts";
import { compareAnswers } from "./compare.ts";
import { type CompareConfig, compareConfigSchema } from "./compare_config.ts";
import { disagreements } from "./disagreements.ts";
import {
  answerOf,
  createPass,
  loadMaterial,
  passName,
  RENDERED_ROWS,
  sentParameters,
} from "./parity_experiment.ts";
import { classifyMessages } from "./policies.ts";
import { serverRendering } from "./server_rendering.ts";
import { writeComparison, type WrittenComparison } from "./write_comparison.ts";

/** The comparison of two backends, for tasks, notebooks and workflows: one experiment for each pass. */
export const compareBackendsKind: ExperimentKind = defineKind({
  name: "compare-backends",
  title: "Comparison of backends",
  short: "comparison",
  config: compareConfigSchema,
  experiments: (config) =>
    Array.from({ length: config.passes }, (_, i) => ({
      name: passName(i + 1),
      title: `Comparison of backends, pass ${i + 1}`,
      create: (options) => createPass(config, i + 1, options),
    })),
  choose: (config, model, known) => chooseBackends(config, model, known),
});

/** The runs of both backends, and the comparison of what they answered. */
export interface ComparisonRun extends RunSequence {
  /**
   * Waits for the runs, compares the backends and writes the comparison; null when the runs were stopped, or are a
   * shard. Written anew from the attempts each time.
   *
   * @throws {InputError} for what the user can mend.
   */
  compare(): Promise<WrittenComparison | null>;
}

/** Name of a comparison's files, without ending. */
export function comparisonName(sides: readonly [string, string], test: boolean): string {
  return `${test ? "test_" : ""}${sides.map(snakeName).join("_vs_")}_compare_backends`;
}

/**
 * Starts the runs of both backends, see {@linkcode startRuns}. A variant such as `pocket-served` is served by our own
 * server for as long as the runs go on.
 *
 * @throws {InputError} when a setting, a variant, a checkpoint or an input is wrong.
 */
export async function startCompareBackends(
  input: unknown,
  options: StartOptions = {},
): Promise<ComparisonRun> {
  const parsed = compareBackendsKind.parse(input);
  const { variants } = await chosenVariants(parsed.settings, parsed.choose);
  const sides = variants as readonly [Variant, Variant];
  const servers = await startServers(sides);
  let sequence: RunSequence;
  try {
    sequence = await startRuns(compareBackendsKind, input, { ...options, running: servers.running });
  } catch (error) {
    await servers[Symbol.asyncDispose]();
    throw error;
  }
  const closed = sequence.done.catch(() => {}).then(() => servers[Symbol.asyncDispose]());
  return {
    ...sequence,
    async compare() {
      const results = finishedResults(await sequence.done);
      await closed;
      const config = configOf(input);
      const whole = results.length === 2 * config.passes &&
        results.every(({ stoppedBy, rows }) => stoppedBy === null && rows.length > 0);
      if (!whole) return null;
      return await compareResults(results, config, sides, parsed.settings.results, parsed.json);
    },
  };
}

async function compareResults(
  results: readonly ExperimentResult[],
  config: CompareConfig,
  sides: readonly [Variant, Variant],
  folder: string,
  settings: Json,
): Promise<WrittenComparison> {
  const { sample, data, policy } = await loadMaterial(config);
  const answers = results.map(({ rows }) => rows.map(answerOf).filter((answer) => answer !== null));
  const first = answers.slice(0, config.passes);
  const second = answers.slice(config.passes);
  const names = sides.map(({ name }) => name) as [string, string];
  const comparison = compareAnswers({
    sides: names,
    items: sample.items.map(({ item, toxicity, weight }) => ({ item, truth: toxicity, weight })),
    first,
    second,
    parameters: [sentParameters(config, sides[0]), sentParameters(config, sides[1])],
    rendered: await renderedBy(
      sides,
      [results[0], results[config.passes]],
      sample.items.slice(0, RENDERED_ROWS).map(({ text }) => classifyMessages(policy, text)),
    ),
  }, { criterion: config.criterion, seed: config.seed });
  const texts = new Map(sample.items.map((item) => [item.item, item]));
  const byItem = [first, second].map((passes) => new Map(passes[0]?.map((answer) => [answer.item, answer])));
  const source =
    `${sample.items.length} messages of ${data.name}, ${config.design}, policy ${policy.name}, ` +
    `temperature ${config.temperature}, ${config.passes} passes`;
  return await writeComparison(comparison, {
    results: folder,
    name: comparisonName(names, config.test),
    title: `${names.join(" and ")} compared on ${source}`,
    notes: [`On ${source}`],
    simulated: sides.some(({ backend }) => backend === "simulated"),
    about: { settings },
    appendix: disagreements(comparison, {
      text: (item) => texts.get(item)?.text ?? "",
      answers: (item) => byItem.map((answers) => answers.get(item) ?? null),
    }),
    details: (item) => ({
      user_input: texts.get(item)?.text ?? "",
      weight: texts.get(item)?.weight ?? null,
      ...details(names[0], byItem[0]?.get(item)),
      ...details(names[1], byItem[1]?.get(item)),
    }),
  });
}

/** The first prompts as both backends render them; none where one of them cannot say. */
async function renderedBy(
  sides: readonly [Variant, Variant],
  results: readonly (ExperimentResult | undefined)[],
  chats: readonly (readonly Message[])[],
): Promise<[string, string][]> {
  const own = results.map((result) =>
    renderedSchema.safeParse(result?.report?.statistics).data?.rendered ?? []
  );
  const texts = await Promise.all(sides.map(async (variant, i) => {
    const rendered = own[i] ?? [];
    if (rendered.length > 0 || variant.backend !== "api" || deploymentOf(variant) === "cloud") {
      return rendered;
    }
    return (await Promise.all(chats.map((chat) => serverRendering(variant, chat)))).filter((text) =>
      text !== null
    );
  }));
  const [first = [], second = []] = texts;
  return first.length !== second.length ? [] : first.map((text, i) => [text, second[i] as string]);
}

const renderedSchema = z.looseObject({ rendered: z.array(z.string()) });

function details(name: string, answer: Answer | undefined): Record<string, string | number | null> {
  const side = snakeName(name);
  return {
    [`${side}_category`]: answer?.category ?? null,
    [`${side}_response`]: answer?.response ?? null,
    [`${side}_reasoning`]: answer?.reasoning ?? null,
    [`${side}_unparsed`]: answer?.unparsed ?? null,
    [`${side}_finish_reason`]: answer?.finishReason ?? null,
    [`${side}_prompt_tokens`]: answer?.promptTokens ?? null,
    [`${side}_completion_tokens`]: answer?.completionTokens ?? null,
    [`${side}_reasoning_tokens`]: answer?.reasoningTokens ?? null,
  };
}

function configOf(input: unknown): CompareConfig {
  const keys = new Set(Object.keys(compareConfigSchema.shape));
  const own = Object.entries((input ?? {}) as Record<string, unknown>).filter(([key]) => keys.has(key));
  return compareConfigSchema.parse(Object.fromEntries(own));
}

/** Our own servers for the variants that want one. */
async function startServers(
  variants: readonly Variant[],
): Promise<AsyncDisposable & { readonly running: ReadonlyMap<string, Variant> }> {
  const known = await loadVariants();
  const open: AsyncDisposable[] = [];
  const running = new Map<string, Variant>();
  const close = async () => {
    for (const server of open.splice(0).toReversed()) await server[Symbol.asyncDispose]();
  };
  try {
    for (const { name } of variants) {
      const local = servedBy(name, known);
      if (local === null) continue;
      const { startServer } = await import("../serve/start_server.ts");
      const server = await startServer({ variant: local });
      open.push(server);
      running.set(name, servedVariant(local, server.url));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { running, [Symbol.asyncDispose]: close };
}
