/**
 * What a run of all context-rot experiments would do.
 * @module
 */
import { deploymentOf, type Limits, missingEnvironment, type Variant } from "../backends/variants.ts";
import { InputError, messageOf } from "../base/errors.ts";
import type { CountedModel } from "../runs/experiment_kind.ts";
import { type PlannedRun, planningTokenizer, planRun } from "../runs/plan_runs.ts";
import { planTable } from "../runs/plan_table.ts";
import { chosenVariants, limitsIn, type RunSettings } from "../runs/run_settings.ts";
import { shardOf } from "../runs/run_settings.ts";
import { type ChosenKind, parseContextRot } from "./context_rot_settings.ts";

/** A run that cannot be planned or has failed. */
export interface RunFailure {
  /** The experiment, as in file names. */
  readonly experiment: string;
  /** The variant. */
  readonly variant: string;
  /** Why, for people. */
  readonly message: string;
}

/** A run of all experiments before it begins. */
export interface ContextRotPlan {
  /** The settings that all share. */
  readonly settings: RunSettings;
  /** Whether it is a test run. */
  readonly test: boolean;
  /** The kinds that were chosen. */
  readonly kinds: readonly [ChosenKind, ...ChosenKind[]];
  /** The variants, in order. */
  readonly variants: readonly Variant[];
  /** The runs that can be planned, variant by variant. */
  readonly runs: readonly PlannedRun[];
  /** The runs that cannot, for reasons of their variant. */
  readonly failures: readonly RunFailure[];
  /** For people: deployment, limits, what is missing, data, and the cost estimate. */
  readonly text: string;
}

/**
 * Plans all chosen experiments on all chosen variants. Sends nothing and writes nothing.
 *
 * @throws {InputError} when a setting or a variant's name is wrong, or an experiment cannot be planned for any variant.
 */
export async function planContextRot(input: unknown): Promise<ContextRotPlan> {
  const kinds = parseContextRot(input);
  const [{ settings, test }] = kinds;
  shardOf(settings);
  const { variants, judges } = await chosenVariants(settings);
  const judgeModels: CountedModel[] = [];
  for (const variant of judges) judgeModels.push({ variant, tokenizer: await planningTokenizer(variant) });
  const runs: PlannedRun[] = [];
  const failures: (RunFailure & { readonly error: unknown })[] = [];
  for (const variant of variants) {
    const fail = (experiment: string, error: unknown) => {
      if (!(error instanceof InputError)) throw error;
      failures.push({ experiment, variant: variant.name, message: messageOf(error), error });
    };
    const specs = kinds.flatMap((kind) => kind.experiments.map((spec) => ({ kind, spec })));
    let model: CountedModel;
    try {
      model = { variant, tokenizer: await planningTokenizer(variant) };
    } catch (error) {
      for (const { spec } of specs) fail(spec.name, error);
      continue;
    }
    for (const { kind, spec } of specs) {
      try {
        const experiment = await spec.create({ ...model, judges: judgeModels });
        runs.push(await planRun(kind, spec.title, experiment, model, judgeModels));
      } catch (error) {
        fail(spec.name, error);
      }
    }
  }
  for (const { experiment, error } of failures) {
    // Where no variant can do it, it is the input and not the variant.
    if (!runs.some((run) => run.experiment.name === experiment)) throw error;
  }
  const plan = { settings, test, kinds, variants, runs, failures };
  return { ...plan, text: textOf(plan, judges) };
}

function textOf(plan: Omit<ContextRotPlan, "text">, judges: readonly Variant[]): string {
  const { settings, variants, runs, failures } = plan;
  const width = Math.max(...[...variants, ...judges].map(({ name }) => name.length));
  const line = (variant: Variant, role: string) => {
    const missing = missingEnvironment(variant);
    const where = variant.backend === "api"
      ? `${deploymentOf(variant)} deployment`
      : variant.backend === "local"
      ? "in this process"
      : "simulated";
    const gap = missing.length > 0 ? `; MISSING: ${missing.join(", ")} (see .env.example)` : "";
    return `  ${variant.name.padEnd(width)}  ${role}${where}, ${
      limitText(limitsIn(settings, variant))
    }${gap}`;
  };
  return [
    "Models:",
    ...variants.map((variant) => line(variant, "")),
    ...judges.map((judge) => line(judge, "judge, ")),
    ...(judges.length === 0 ? ["  no judge: answers are graded by code alone"] : []),
    "",
    "Experiments:",
    ...plan.kinds.flatMap(({ experiments }) =>
      experiments.flatMap(({ name, title }) => [
        `  ${title} (${name})`,
        ...notesOf(runs.filter((run) => run.experiment.name === name), variants.length).map((note) =>
          `    ${note}`
        ),
      ])
    ),
    ...(failures.length > 0
      ? ["", "Cannot run:", ...failures.map((f) => `  ${f.experiment} ${f.variant}: ${f.message}`)]
      : []),
    "",
    "Cost estimate:",
    planTable(runs.map(({ experiment, variant, plan }) => ({
      experiment: experiment.name,
      variant: variant.name,
      plan,
    }))).replace(/^/gm, "  "),
    ...(settings.maxUsd === null
      ? []
      : [`  stops before $${settings.maxUsd} are spent, over all runs and sessions`]),
  ].join("\n");
}

/** The notes of an experiment, each once; with the variants it is for where it is not for all. */
function notesOf(runs: readonly PlannedRun[], variants: number): string[] {
  const notes = new Map<string, string[]>();
  for (const { experiment, variant } of runs) {
    for (const note of experiment.notes) notes.set(note, [...notes.get(note) ?? [], variant.name]);
  }
  return [...notes].map(([note, names]) =>
    names.length === variants ? note : `${note} [${names.join(", ")}]`
  );
}

function limitText({ tokensPerMinute, requestsPerMinute, maxConcurrency }: Limits): string {
  const whole = (n: number) => n.toLocaleString("en-US");
  return [
    tokensPerMinute === null ? "no token limit" : `${whole(tokensPerMinute)} tokens/min`,
    ...(requestsPerMinute === null ? [] : [`${whole(requestsPerMinute)} requests/min`]),
    `${maxConcurrency} at once`,
  ].join(", ");
}
