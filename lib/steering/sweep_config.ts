/**
 * What a user may choose of a steering sweep.
 * @module
 */
import { z } from "zod";
import { InputError } from "../base/errors.ts";
import { ADAPTIVE_SEARCH, type AdaptiveSearch } from "./adaptive_search.ts";
import { EXTRACTION_METHODS, type ExtractionMethod } from "./methods.ts";
import { traitFields, vectorFields } from "./trait_fields.ts";

const factor = z.number().positive();

/** The settings of a sweep; everything has a default. */
export const sweepConfigSchema = z.strictObject({
  /** 16 questions, a few layers, short answers and searches. */
  test: z.boolean().default(false),
  ...traitFields,
  /** Questions asked: `steering` for the trait's own, or a file in `data/prompt_sets`. */
  promptSet: z.string().min(1).default("steering"),
  ...vectorFields,
  /** Methods, separated by commas; `mean_diff+probe` is the mean of both. */
  methods: z.string().min(1).default("mean_diff"),
  /** Layers, separated by commas; `1+2` steers both together. Null for those of the middle half. */
  layers: z.string().min(1).nullable().default(null),
  /** Tokens that are steered. */
  phase: z.enum(["all", "prompt", "response", "last_prompt"]).default("response"),
  mode: z.enum(["add", "ablate", "clamp"]).default("add"),
  /** `adaptive` looks for the strength at which answers break; `grid` tries `ratios`. */
  search: z.enum(["adaptive", "grid"]).default("adaptive"),
  /** Strengths of a grid: length of the steering over that of the activations (for ablate, the share removed). */
  ratios: z.array(z.number()).min(1).max(64).nullable().default(null),
  start: factor.default(ADAPTIVE_SEARCH.start),
  up: factor.min(1).default(ADAPTIVE_SEARCH.up),
  down: factor.max(1).default(ADAPTIVE_SEARCH.down),
  /** Strengths tried in each layer; null for 8, or 4 in a test. */
  steps: z.int().min(1).max(64).nullable().default(null),
  /** Share of coherent answers that a strength needs to be chosen. */
  coherentShare: z.number().gt(0).max(1).default(0.75),
  /** Most questions, half of them to choose on and half to report on; null for all, or 16 in a test. */
  questions: z.int().min(2).nullable().default(null),
  /** Most tokens of an answer; null for 256, or 24 in a test. */
  maxOutputTokens: z.int().min(1).nullable().default(null),
  temperature: z.number().min(0).max(2).default(0),
  /** Draws the split, random vectors and shuffled labels, and seeds answers above temperature 0. */
  seed: z.int().default(0),
});

/** The settings of a sweep, checked and with defaults. */
export type SweepConfig = z.output<typeof sweepConfigSchema>;

/** The search of a config. */
export function searchOf(config: SweepConfig): AdaptiveSearch {
  const { start, up, down } = config;
  return { start, up, down, steps: config.steps ?? (config.test ? 4 : ADAPTIVE_SEARCH.steps) };
}

/** The strengths of a grid; null for an adaptive search. Strengths that were given make a grid. */
export function gridOf({ search, ratios }: Pick<SweepConfig, "search" | "ratios">): readonly number[] | null {
  return ratios ?? (search === "grid" ? GRID_RATIOS : null);
}

/** Strengths of a grid. */
export const GRID_RATIOS: readonly number[] = [0.25, 0.5, 0.75, 1, 1.5, 2, 3];

/** Strengths on which a chosen point is reported, as multiples of the chosen one. */
export function doseFactors({ test }: Pick<SweepConfig, "test">): readonly number[] {
  return test ? [0.5, 1, 1.6, 2.6] : [0.25, 0.5, 0.75, 1, 1.3, 1.7, 2.2, 2.9];
}

/** What is steered with, without a strength. */
export interface Candidate {
  /** The methods whose vectors are averaged; one as a rule. */
  readonly methods: readonly ExtractionMethod[];
  /** Steered together, ascending. */
  readonly layers: readonly number[];
}

/** A candidate's name: `mean_diff 2`, `mean_diff+probe 1+2`. */
export function candidateName({ methods, layers }: Candidate): string {
  return `${methods.join("+")} ${layers.join("+")}`;
}

/**
 * Every combination of methods and layers of a config.
 *
 * @throws {InputError} for a method or a layer that does not exist.
 */
export function candidatesOf(
  config: Pick<SweepConfig, "methods" | "layers" | "test">,
  numLayers: number,
): Candidate[] {
  const methods = split(config.methods).map((group) =>
    split(group, "+").map((name) => {
      const method = EXTRACTION_METHODS.find((known) => known === name);
      if (method !== undefined) return method;
      throw new InputError(
        `There is no method ${JSON.stringify(name)}: give --methods of ${EXTRACTION_METHODS.join(", ")}.`,
      );
    })
  );
  const layers = config.layers === null
    ? middleLayers(numLayers, config.test)
    : split(config.layers).map((group) =>
      [
        ...new Set(
          split(group, "+").map((text) => {
            const layer = /^\d+$/.test(text) ? Number(text) : NaN;
            if (layer < numLayers) return layer;
            throw new InputError(
              `There is no layer ${text}: the model has layers 0 to ${
                numLayers - 1
              }. Give --layers such as 1,2 or 1+2.`,
            );
          }),
        ),
      ].sort((a, b) => a - b)
    );
  const all = methods.flatMap((group) =>
    layers.map((together): Candidate => ({ methods: group, layers: together }))
  );
  return [...new Map(all.map((candidate) => [candidateName(candidate), candidate])).values()];
}

/** The layers of the middle half, at most 8 of them, at most 2 in a test; those between are left out evenly. */
function middleLayers(numLayers: number, test: boolean): number[][] {
  const from = Math.floor(numLayers / 4), to = Math.max(from + 1, Math.ceil(numLayers * 3 / 4));
  const all = Array.from({ length: to - from }, (_, i) => from + i);
  const most = Math.min(all.length, test ? 2 : 8);
  return Array.from(
    { length: most },
    (_, i) => [all[most === 1 ? 0 : Math.round(i * (all.length - 1) / (most - 1))] as number],
  );
}

function split(text: string, by = ","): string[] {
  return text.split(by).map((part) => part.trim()).filter((part) => part !== "");
}
