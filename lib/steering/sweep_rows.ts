/**
 * The rows of a steering sweep: one question asked under one steering.
 * @module
 */
import type { Message } from "../backends/backend.ts";
import { Direction, type ResidualSteer, type Steering } from "../backends/steering.ts";
import { createRandom } from "../base/random.ts";
import type { Row } from "../runs/experiment.ts";
import type { SweepConfig } from "./sweep_config.ts";
import type { SteeredComponent } from "./trait_fields.ts";
import { type Candidate, candidateName } from "./sweep_config.ts";
import { norm } from "./steering_vector.ts";

/**
 * Why a question is asked.
 *
 * - `baseline`: unsteered.
 * - `prompt`: unsteered, the trait asked for in the prompt.
 * - `search`: to choose layer and strength; on questions of the first half alone.
 * - `zero`: steered with strength 0, which must change nothing.
 * - `trait`, `random`, `shuffled`: on questions of the second half, with the trait's vector, random ones of the same
 *   length, and ones of the same length made from shuffled labels. Each question has a random and a shuffled vector of its
 *   own, so that no single lucky draw decides.
 */
export const ARMS = ["baseline", "prompt", "search", "zero", "trait", "random", "shuffled"] as const;
/** Why a question is asked. */
export type Arm = typeof ARMS[number];

/** The half of the questions a question is in. */
export type Split = "search" | "report";

/** A question of a sweep. */
export interface SweepQuestion {
  /** Its place among the trait's questions, from 0. */
  readonly index: number;
  /** What is asked. */
  readonly text: string;
  /** The half it is in. */
  readonly split: Split;
}

/** One question under one steering. */
export interface SweepRow extends Row {
  /** Its columns. */
  readonly params: {
    readonly arm: Arm;
    readonly split: Split;
    readonly question: number;
    readonly prompt: string;
    /** Methods of the vector, with `+` between them; empty when nothing is steered. */
    readonly method: string;
    /** Layers, with `+` between them. */
    readonly layers: string;
    /** Length of the steering over that of the activations; null when nothing is steered. */
    readonly ratio: number | null;
    /** The coefficient of a vector of length 1, the mean over the layers; null when nothing is steered. */
    readonly coef: number | null;
  };
}

/** Vectors of length 1 that a sweep steers with. */
export interface SweepVectors {
  /** The trait's vector. @throws {InputError} when there is none. */
  trait(candidate: Candidate, layer: number): Float32Array;
  /** The `draw`th vector made in the same way from shuffled labels; null where the activations are not there. */
  shuffled(candidate: Candidate, layer: number, draw: number): Float32Array | null;
}

/** Draws the questions of a sweep and their halves: the first half to choose on, the second to report on. */
export function drawQuestions(questions: readonly string[], most: number, seed: number): SweepQuestion[] {
  const order = createRandom(`sweep questions/${seed}`).shuffle(
    questions.map((text, index) => ({ text, index })),
  );
  const drawn = order.slice(0, most);
  const half = Math.floor(drawn.length / 2);
  return drawn.map((question, i) => ({ ...question, split: i < half ? "search" : "report" }));
}

/** What a question is asked with. */
export function questionMessages(question: string): Message[] {
  return [{ role: "user", content: question }];
}

/** What a question is asked with when the trait is asked for, in place of the plain instruction where there is one. */
export function askedForMessages(question: string, instruction: string, neutral: string | null): Message[] {
  const plain = neutral !== null && question.startsWith(neutral)
    ? question.slice(neutral.length).trimStart()
    : question;
  return questionMessages(`${instruction}\n\n${plain}`);
}

/** A random vector of length 1: normal components, seeded. */
export function randomVector(width: number, seed: string): Float32Array {
  const random = createRandom(seed);
  const values = Array.from(
    { length: width },
    () => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next()),
  );
  const length = norm(values);
  return Float32Array.from(values, (x) => x / length);
}

/** How strongly and where a candidate steers. */
export interface Dose {
  /** What is steered with. */
  readonly candidate: Candidate;
  /** Length of the steering over that of the activations. */
  readonly ratio: number;
  /** Whose vectors. */
  readonly arm: Exclude<Arm, "baseline" | "prompt">;
  /** Which random or shuffled vector: the question's place. */
  readonly draw: number;
}

/** Makes steerings of doses; a vector's content is hashed once. */
export interface Steerer {
  /** The steering; null when the arm has no vector. */
  steering(dose: Dose): { readonly steering: Steering; readonly coef: number } | null;
}

/**
 * Makes the steerings of a sweep.
 *
 * The coefficient of a vector of length 1 is the ratio times the mean length of the activations at its site, for `add`
 * and `clamp`; for `ablate` it is the ratio itself, the share of the projection removed. Coefficients have 4
 * significant digits, as files are named by them.
 *
 * @param meanNorm mean length of the activations in a layer, over the tokens that are steered.
 */
export function createSteerer(
  config: Pick<SweepConfig, "phase" | "mode" | "seed"> & { readonly component: SteeredComponent },
  vectors: SweepVectors,
  meanNorm: (layer: number) => number,
): Steerer {
  const directions = new Map<string, Direction | null>();
  const directionOf = ({ arm, candidate, draw }: Dose, layer: number): Direction | null => {
    const from = arm === "random" || arm === "shuffled" ? arm : "trait";
    const key = `${from === "trait" ? from : `${from} ${draw}`}/${candidateName(candidate)}/${layer}`;
    let direction = directions.get(key);
    if (direction === undefined) {
      const trait = vectors.trait(candidate, layer);
      const values = from === "trait"
        ? trait
        : from === "shuffled"
        ? vectors.shuffled(candidate, layer, draw)
        : randomVector(trait.length, `random control/${config.seed}/${config.component}/${layer}/${draw}`);
      directions.set(key, direction = values === null ? null : new Direction(values));
    }
    return direction;
  };
  return {
    steering(dose) {
      const { component, phase, mode } = config;
      const residual: ResidualSteer[] = [];
      for (const layer of dose.candidate.layers) {
        const vector = directionOf(dose, layer);
        if (vector === null) return null;
        const scale = mode === "ablate" ? 1 : meanNorm(layer);
        const coef = Number((dose.ratio * scale).toPrecision(4));
        residual.push({ component, layer, vector, coef, mode, phase });
      }
      const coef = residual.reduce((sum, steer) => sum + steer.coef, 0) / residual.length;
      return { steering: { residual }, coef: Number(coef.toPrecision(4)) };
    },
  };
}
