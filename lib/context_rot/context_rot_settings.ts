/**
 * What may be set of a run of all context-rot experiments.
 * @module
 */
import { z } from "zod";
import { InputError } from "../base/errors.ts";
import { camelCase } from "../base/names.ts";
import { type ExperimentKind, type ParsedKind, settingsProblems } from "../runs/experiment_kind.ts";
import { runSettingsSchema } from "../runs/run_settings.ts";
import { longMemEvalKind } from "./start_longmemeval.ts";
import { niahKind } from "./start_niah.ts";
import { repeatedWordsKind } from "./start_repeated_words.ts";

/** The experiments, in the order in which they run. */
export const CONTEXT_ROT_KINDS: readonly ExperimentKind[] = [niahKind, longMemEvalKind, repeatedWordsKind];

const own = z.record(z.string(), z.unknown()).default({});

const schema = runSettingsSchema.extend({
  /** The small version of every experiment. */
  test: z.boolean().default(false),
  /** Names of the experiments to run, separated by commas; null for all. */
  only: z.string().nullable().default(null),
  /** Names of experiments to leave out. */
  skip: z.string().nullable().default(null),
  ...Object.fromEntries(CONTEXT_ROT_KINDS.map(({ name }) => [camelCase(name), own])),
});

/** A kind that was chosen, with its settings checked. */
export interface ChosenKind extends ParsedKind {
  /** The kind. */
  readonly kind: ExperimentKind;
}

/**
 * Checks settings: the shared ones, `test`, `only`, `skip`, and under each kind's name in camel case its own.
 *
 * @throws {InputError} naming each wrong setting, or when no experiment is left.
 */
export function parseContextRot(input: unknown): readonly [ChosenKind, ...ChosenKind[]] {
  const parsed = schema.safeParse(input ?? {});
  if (!parsed.success) {
    throw new InputError(`Wrong settings: ${settingsProblems(parsed.error)}.`, { cause: parsed.error });
  }
  const { test, only, skip, ...rest } = parsed.data as z.output<typeof schema> & Record<string, unknown>;
  const shared = Object.fromEntries(Object.entries(rest).filter(([key]) => key in runSettingsSchema.shape));
  const wanted = only === null ? null : namesIn(only, "--only");
  const left = skip === null ? new Set() : namesIn(skip, "--skip");
  const kinds = CONTEXT_ROT_KINDS.filter(({ name }) => (wanted?.has(name) ?? true) && !left.has(name));
  if (kinds.length === 0) throw new InputError("--only and --skip leave no experiment to run.");
  return kinds.map((kind) => ({
    kind,
    ...kind.parse({ ...shared, test, ...rest[camelCase(kind.name)] as object }),
  })) as unknown as readonly [ChosenKind, ...ChosenKind[]];
}

function namesIn(list: string, flag: string): Set<string> {
  const known = CONTEXT_ROT_KINDS.map(({ name }) => name);
  const names = list.split(",").map((name) => name.trim()).filter((name) => name !== "");
  const wrong = names.find((name) => !known.includes(name));
  if (wrong !== undefined || names.length === 0) {
    throw new InputError(
      `${flag} names ${wrong === undefined ? "nothing" : JSON.stringify(wrong)}: the experiments are ${
        known.join(", ")
      }.`,
    );
  }
  return new Set(names);
}
