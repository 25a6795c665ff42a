/**
 * A kind of experiment: what makes its runs from settings, for tasks, notebooks and workflows.
 * @module
 */
import { z } from "zod";
import type { Tokenizer } from "../backends/backend.ts";
import type { Caller } from "../backends/caller.ts";
import type { Steerable } from "../backends/steerable.ts";
import type { Variant } from "../backends/variants.ts";
import { InputError } from "../base/errors.ts";
import type { Json } from "../base/hash.ts";
import type { Attempt, Experiment, Row } from "./experiment.ts";
import { type RunSettings, runSettingsSchema } from "./run_settings.ts";

/** A model and what counts its prompts. */
export interface CountedModel {
  /** The model. */
  readonly variant: Variant;
  /** Counts its prompts. */
  readonly tokenizer: Tokenizer;
}

/** What an experiment is planned for. */
export interface CreateOptions extends CountedModel {
  /** Judge what code cannot, the one that decides first; none when left out. */
  readonly judges?: readonly CountedModel[];
  /** The model itself, open for reading activations; left out when it only is planned, or runs elsewhere. */
  readonly steerable?: Steerable;
  /** The results folder, for experiments that keep files of their own beside the run's. */
  readonly results?: string;
}

/** The most that judging one row may take, for the cost estimate; whether there is a judge is not asked here. */
export interface Judging {
  /** Calls of the judge. */
  readonly callsPerRow: number;
  /** Prompt tokens of a call. */
  readonly tokens: number;
  /** Output cap of a call, where the judge can give that much. */
  readonly maxTokens: number;
}

/** An experiment with what a plan says of it. */
export interface PlannedExperiment<R extends Row = Row> extends Experiment<R> {
  /** Lines for people that end the plan: what is asked, of which data. */
  readonly notes: readonly string[];
  /** Rows of the full plan: of this one, or of the one that a test plan samples. */
  readonly fullSize: number;
  /** What judging takes when there is a judge; null when no judge is ever asked. */
  readonly judging: Judging | null;
  /** Says at once whether an answer is right, for the board; null when it cannot be said. */
  score?(row: R, attempt: Attempt): boolean | null;
  /**
   * Finds out, before the first row is sent, whether the model can do what the rows need.
   *
   * @throws {InputError} when it cannot: what is missing, and what to do.
   */
  check?(caller: Caller): Promise<void>;
}

/** An experiment that is not planned yet: its name does not depend on the model. */
export interface ExperimentSpec {
  /** As in file names and the workflow state: `niah`, `repeated-words-apple-apples`. */
  readonly name: string;
  /** For people: `Needle in a haystack`. */
  readonly title: string;
  /**
   * Plans it for a model.
   *
   * @throws {InputError} when the settings do not suit the model or their data is missing.
   */
  create(options: CreateOptions): Promise<PlannedExperiment>;
}

/** Settings that were checked, and the experiments they ask for. */
export interface ParsedKind {
  /** What all kinds share. */
  readonly settings: RunSettings;
  /** Whether it is a test run. */
  readonly test: boolean;
  /** All settings, as they are kept beside the results. */
  readonly json: Json;
  /** One, or one for each word pair. */
  readonly experiments: readonly ExperimentSpec[];
  /** The variants that run; left out where `model` names them as they stand. @throws {InputError} */
  readonly choose?: (
    known: ReadonlyMap<string, Variant>,
  ) => readonly Variant[] | Promise<readonly Variant[]>;
}

/** Where a row stands when variants are compared. */
export interface ComparedPlace {
  /** The same for the row that asks another variant the same. */
  readonly key: string;
  /** Input length, in the kind's unit; 0 where it has none. */
  readonly length: number;
  /** What is compared on its own: `focused`, `full`; null where there is no such division. */
  readonly condition: string | null;
  /** The same for rows that share chance: a haystack, a question. */
  readonly cluster: string;
}

/** How rows of a kind are compared between variants. */
export interface ComparedBy {
  /** What lengths are counted in; null where rows have no lengths but conditions alone. */
  readonly unit: "tokens" | "words" | null;
  /** Where a row stands. */
  place(row: Row): ComparedPlace;
}

/** A kind of experiment; make it with {@linkcode defineKind}. */
export interface ExperimentKind {
  /** As in `deno task NAME` and `--only NAME`. */
  readonly name: string;
  /** For people: `Needle in a haystack`. */
  readonly title: string;
  /** For people, where room is short: `NIAH`. */
  readonly short: string;
  /** How its rows are compared between variants; null when they are not. */
  readonly compared: ComparedBy | null;
  /**
   * Checks settings: the kind's own and the shared ones, in one flat object.
   *
   * @throws {InputError} naming each wrong setting.
   */
  parse(input: unknown): ParsedKind;
}

/** What is wrong with a setting, as zod says it. */
export interface SettingsIssue {
  /** Where it is. */
  readonly path: readonly PropertyKey[];
  /** What is wrong. */
  readonly message: string;
  /** `unrecognized_keys` for settings that do not exist. */
  readonly code?: string | undefined;
  /** The settings that do not exist. */
  readonly keys?: readonly string[];
}

/** The part of a zod schema that is used here. */
export interface SettingsSchema<C> {
  /** Checks settings. */
  safeParse(
    input: unknown,
  ): { readonly success: true; readonly data: C } | {
    readonly success: false;
    readonly error: Error & { readonly issues: readonly SettingsIssue[] };
  };
}

const objectSchema = z.record(z.string(), z.unknown());

/** Makes a kind from the schema of its own settings (strict, with `test`) and what makes its experiments from them. */
export function defineKind<C extends { readonly test: boolean }>(kind: {
  readonly name: string;
  readonly title: string;
  readonly short: string;
  readonly config: SettingsSchema<C>;
  readonly compared?: ComparedBy;
  experiments(config: C): readonly ExperimentSpec[];
  /** Chooses the variants that run, of those in models.json or others; `model` names them when left out. */
  choose?(
    config: C,
    model: string,
    known: ReadonlyMap<string, Variant>,
  ): readonly Variant[] | Promise<readonly Variant[]>;
}): ExperimentKind {
  const { name, title, short, compared = null } = kind;
  return {
    name,
    title,
    short,
    compared,
    parse(input) {
      const { own, shared } = splitSettings(objectSchema.parse(input ?? {}));
      const config = kind.config.safeParse(own);
      const settings = runSettingsSchema.safeParse(shared);
      if (!config.success || !settings.success) {
        const errors = [config, settings].flatMap((parsed) => parsed.success ? [] : [parsed.error]);
        throw new InputError(`Wrong ${short} settings: ${errors.map(settingsProblems).join("; ")}.`, {
          cause: errors[0],
        });
      }
      return {
        settings: settings.data,
        test: config.data.test,
        json: JSON.parse(JSON.stringify({ ...config.data, ...settings.data })) as Json,
        experiments: kind.experiments(config.data),
        ...(kind.choose === undefined ? {} : {
          choose: (known) => kind.choose?.(config.data, settings.data.model, known) ?? [],
        }),
      };
    },
  };
}

/** The settings of a kind alone, and those that all kinds share. */
export function splitSettings(
  settings: Readonly<Record<string, unknown>>,
): { readonly own: Record<string, unknown>; readonly shared: Record<string, unknown> } {
  const entries = Object.entries(settings);
  const isShared = ([key]: [string, unknown]) => key in runSettingsSchema.shape;
  return {
    own: Object.fromEntries(entries.filter((entry) => !isShared(entry))),
    shared: Object.fromEntries(entries.filter(isShared)),
  };
}

/** What is wrong with settings, in words. */
export function settingsProblems({ issues }: { readonly issues: readonly SettingsIssue[] }): string {
  return issues.map(({ code, keys, path, message }) =>
    code === "unrecognized_keys"
      ? `there is no setting ${keys?.join(", ")}`
      : `${path.join(".") || "settings"}: ${message}`
  ).join("; ");
}
