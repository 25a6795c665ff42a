/**
 * Projections of texts onto traits' vectors, in the layout of the experiment.
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import { InputError } from "../base/errors.ts";
import { readTextIfExists, writeAtomic } from "../base/files.ts";
import { Direction } from "../backends/steering.ts";
import { movingAverage, projectTokens, velocity } from "./projection.ts";
import type { RawActivations } from "./raw_activations.ts";
import type { SteeringVector } from "./steering_vector.ts";

const numbers = z.array(z.number().nullable());

/** A text's projection onto one vector. */
export interface VectorProjection {
  /** The vector: its component, layer, position, method, and the SHA-256 of its numbers. */
  readonly vector: {
    readonly component: string;
    readonly layer: number;
    readonly position: string;
    readonly method: string;
    readonly sha256: string;
  };
  /** `h . v` of each token, v of length 1. */
  readonly projection: readonly (number | null)[];
  /** `|h|` */
  readonly norm: readonly (number | null)[];
  /** Cosine of the angle between them. */
  readonly cosine: readonly (number | null)[];
  /** Mean cosine of each token and the four before it. */
  readonly average: readonly (number | null)[];
  /** Change of that mean from token to token. */
  readonly velocity: readonly (number | null)[];
  /** Mean cosine over the prompt, and over the response; null where there is no token. */
  readonly mean: { readonly prompt: number | null; readonly response: number | null };
}

/** A text's projections onto the vectors of a trait. */
export interface TextProjection {
  /** Names its file. */
  readonly id: string;
  /** What was asked. */
  readonly prompt: string;
  /** What was answered. */
  readonly response: string;
  /** The trait. */
  readonly trait: string;
  /** The variant whose activations these are. */
  readonly variant: string;
  /** The variant whose response was read, when it is another's; else null. */
  readonly responses_from: string | null;
  /** Texts of the tokens. */
  readonly tokens: readonly string[];
  /** Where the response begins among them. */
  readonly response_start: number;
  /** One for each vector. */
  readonly vectors: readonly VectorProjection[];
}

const projectionSchema: z.ZodType<TextProjection> = z.strictObject({
  id: z.string(),
  prompt: z.string(),
  response: z.string(),
  trait: z.string(),
  variant: z.string(),
  responses_from: z.string().nullable(),
  tokens: z.array(z.string()),
  response_start: z.int().nonnegative(),
  vectors: z.array(z.strictObject({
    vector: z.strictObject({
      component: z.string(),
      layer: z.int().nonnegative(),
      position: z.string(),
      method: z.string(),
      sha256: z.string(),
    }),
    projection: numbers,
    norm: numbers,
    cosine: numbers,
    average: numbers,
    velocity: numbers,
    mean: z.strictObject({ prompt: z.number().nullable(), response: z.number().nullable() }),
  })),
});

/** Projects a text onto vectors. @throws {InputError} when a vector is of another width. */
export function projectText(
  raw: RawActivations,
  vectors: readonly SteeringVector[],
  about: Pick<TextProjection, "trait" | "variant" | "responses_from">,
): TextProjection {
  return {
    id: raw.id,
    prompt: raw.prompt,
    response: raw.response,
    ...about,
    tokens: raw.tokens,
    response_start: raw.responseStart,
    vectors: vectors.map((one) => projection(raw, one)),
  };
}

function projection(
  raw: RawActivations,
  { component, layer, position, method, vector }: SteeringVector,
): VectorProjection {
  const site = `${component}.${layer}`;
  const activations = raw.activations[site];
  if (activations === undefined || activations.length !== raw.ids.length * vector.length) {
    throw new InputError(
      `A vector of ${vector.length} numbers does not fit the activations at ${site}: it was made from another model.`,
    );
  }
  const tokens = projectTokens(activations, vector);
  const cosine = tokens.map((token) => rounded(token.cosine));
  const average = movingAverage(tokens.map((token) => token.cosine)).map(rounded);
  return {
    vector: { component, layer, position, method, sha256: new Direction(vector).sha256 },
    projection: tokens.map((token) => rounded(token.projection)),
    norm: tokens.map((token) => rounded(token.norm)),
    cosine,
    average,
    velocity: velocity(average).map(rounded),
    mean: {
      prompt: rounded(meanOf(cosine.slice(0, raw.responseStart))),
      response: rounded(meanOf(cosine.slice(raw.responseStart))),
    },
  };
}

/** Writes projections of texts, one file each. @returns their paths. @throws {InputError} */
export async function writeProjections(folder: string, texts: readonly TextProjection[]): Promise<string[]> {
  const paths: string[] = [];
  for (const text of texts) {
    const path = join(folder, `${text.id}.json`);
    await writeAtomic(path, JSON.stringify(text, null, 1) + "\n");
    paths.push(path);
  }
  return paths;
}

/** Reads a text's projections. @throws {InputError} when the file is missing or damaged. */
export async function readProjection(folder: string, id: string): Promise<TextProjection> {
  const path = join(folder, `${id}.json`);
  const text = await readTextIfExists(path);
  const wrong = (why: string, cause?: unknown) =>
    new InputError(`${path} ${why}: run deno task project again.`, { cause });
  if (text === undefined) throw wrong("is not there");
  try {
    return projectionSchema.parse(JSON.parse(text));
  } catch (error) {
    throw wrong("is damaged", error);
  }
}

const rounded = (x: number | null) => x === null ? null : Number(x.toPrecision(7));

function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((x) => x !== null);
  return known.length === 0 ? null : known.reduce((sum, x) => sum + x, 0) / known.length;
}
