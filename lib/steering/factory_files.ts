/**
 * Where the factory of steering vectors keeps its files.
 *
 * ```
 * results/[{experiment}/][test_]steering_vectors/
 *   steering_vectors.log
 *   datasets/{style}_pairs.jsonl
 *   {variant}/{style}.safetensors, {style}_template.json
 * ```
 *
 * Vectors of another form of pair than the default, or with raw keys, say so in their name: `{style}_examples_raw.safetensors`.
 * @module
 */
import { join } from "node:path";
import { snakeName } from "../backends/variants.ts";
import type { FactoryConfig } from "./factory_config.ts";
import { checkSegment } from "./layout.ts";
import { pairsName } from "./shipped_pairs.ts";

/** What decides where files lie. */
export type FactoryPlace = Pick<FactoryConfig, "experiment" | "test" | "mark"> & {
  /** The results folder. */
  readonly results: string;
};

/** The files of the factory. Nothing is created by naming them. */
export interface FactoryFiles {
  /** What was done, line by line. */
  readonly log: string;
  /** The pairs that a teacher has made. */
  dataset(style: string): string;
  /** The vectors of a style, read from a variant. */
  vectors(style: string, variant: string): string;
  /** What belongs to the vectors: prompts and where they are added. */
  template(style: string, variant: string): string;
}

/** Names the files of the factory. @throws {InputError} when the experiment cannot name a folder. */
export function factoryFiles({ results, experiment, test, mark }: FactoryPlace): FactoryFiles {
  const folder = join(
    results,
    ...(experiment === null ? [] : [checkSegment("experiment", experiment)]),
    `${test ? "test_" : ""}steering_vectors`,
  );
  return {
    log: join(folder, "steering_vectors.log"),
    dataset: (style) => join(folder, "datasets", pairsName(style)),
    vectors: (style, variant) => join(folder, snakeName(variant), `${style}${mark}.safetensors`),
    template: (style, variant) => join(folder, snakeName(variant), `${style}${mark}_template.json`),
  };
}
