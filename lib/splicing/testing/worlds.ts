/**
 * Splice experiments whose effects are known, drawn without a model.
 * @module
 */
import { createRandom, type Random } from "../../base/random.ts";
import { bucketOf } from "../select_points.ts";
import { cutsAt, splitSentences } from "../sentences.ts";
import type {
  ArmName,
  GradedSample,
  RecordedChain,
  SampleGrade,
  SplicePoint,
  SpliceProblem,
} from "../types.ts";

/** How a world is. */
export interface WorldOptions {
  /** Problems, each with one point. */
  readonly problems: number;
  /** Samples in each arm. */
  readonly samples: number;
  /** How much the anchor raises the share of hinted answers; varied from problem to problem by up to `spread`. */
  readonly effect: number;
  /** Most that a problem's effect differs from it, default 0. */
  readonly spread?: number;
  /** Share of outputs without an answer, default 0.05. */
  readonly invalid?: number;
  /** Arms that are sampled; the un-hinted ones and both without a prefix when left out. */
  readonly arms?: readonly ArmName[];
}

/** A drawn world. */
export interface World {
  /** Its problems. */
  readonly problems: SpliceProblem[];
  /** Their points. */
  readonly points: SplicePoint[];
  /** The samples. */
  readonly rows: GradedSample[];
  /** The true effect of each point. */
  readonly effects: number[];
}

const ARMS: readonly ArmName[] = [
  "unhinted_anchor_included",
  "unhinted_anchor_excluded",
  "unhinted_control_included",
  "unhinted_control_excluded",
  "no_prefix",
  "hinted_no_prefix",
];
const REASONING =
  "First I look at it. Then I weigh it up. This sentence is the anchor. And so I go on. That is all of it.";
const ANCHOR = 2, CONTROL = 1;

/** Draws a world: the same seed gives the same one. */
export function spliceWorld(seed: string | number, options: WorldOptions): World {
  const { effect, spread = 0, samples, invalid = 0.05, arms = ARMS } = options;
  const random = createRandom(`world/${seed}`);
  const problems: SpliceProblem[] = [],
    points: SplicePoint[] = [],
    rows: GradedSample[] = [],
    effects: number[] = [];
  for (let i = 0; i < options.problems; i++) {
    const id = String(i + 1);
    const own = effect + spread * (2 * random.next() - 1);
    const before = 0.05 + 0.3 * random.next();
    const after = Math.min(1, Math.max(0, before + own));
    effects.push(after - before);
    const rate: Readonly<Record<ArmName, number>> = {
      unhinted_anchor_included: after,
      unhinted_anchor_excluded: before,
      unhinted_control_included: before,
      unhinted_control_excluded: before,
      no_prefix: before / 2,
      hinted_no_prefix: 0.9,
      hinted_anchor_included: 0.95,
      hinted_anchor_excluded: 0.9,
      hinted_control_included: 0.9,
      hinted_control_excluded: 0.9,
      forced_answer: after,
    };
    problems.push(worldProblem(id));
    points.push(worldPoint(id, before, after));
    for (const arm of arms) {
      const sentence = arm.endsWith("no_prefix") ? null : ANCHOR;
      for (let sample = 0; sample < samples; sample++) {
        rows.push({ arm, problem: id, sentence, sample, ...drawGrade(rate[arm], invalid, random) });
      }
    }
  }
  return { problems, points, rows, effects };
}

function drawGrade(rate: number, invalid: number, random: Random): Pick<GradedSample, "grade" | "answer"> {
  if (random.next() < invalid) return { grade: random.next() < 0.5 ? "invalid" : "output_cap", answer: null };
  const grade: SampleGrade = random.next() < rate ? "hinted" : random.next() < 0.9 ? "correct" : "other";
  return { grade, answer: grade === "hinted" ? "B" : grade === "correct" ? "A" : "C" };
}

/** The chain that all problems of a world have, in words of their own. */
export function worldChain(id: string): RecordedChain {
  return { arm: "hinted", sample: 0, reasoning: REASONING.replace("it", `problem ${id}`), answer: "B" };
}

function worldProblem(id: string): SpliceProblem {
  return {
    id,
    subject: null,
    question: `What is problem ${id}?`,
    choices: { A: "one", B: "two", C: "three", D: "four" },
    basePrompt: `What is problem ${id}?`,
    hintedPrompt: `(B) they say. What is problem ${id}?`,
    correct: "A",
    hinted: "B",
    chains: [worldChain(id)],
  };
}

/** A point of a world, with the rates of its table. */
export function worldPoint(problem: string, before: number, after: number): SplicePoint {
  const chain = worldChain(problem);
  const spans = splitSentences(chain.reasoning);
  const place = (sentence: number, low: number, high: number) => {
    const span = spans[sentence];
    if (span === undefined) throw new Error(`There is no sentence ${sentence} in the chain of a world.`);
    const position = span.end / chain.reasoning.length;
    const cut = cutsAt(spans, sentence);
    return { problem, sentence, delta: high - low, before: low, after: high, span, cut, position };
  };
  return {
    ...place(ANCHOR, before, after),
    chain,
    bucket: bucketOf(after - before),
    cluster: problem,
    control: place(CONTROL, before, before),
  };
}
