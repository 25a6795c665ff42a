/**
 * Draws the messages that backends are compared on.
 * @module
 */
import { InputError } from "../base/errors.ts";
import { createRandom } from "../base/random.ts";
import type { ChatItem } from "./toxicchat.ts";

/** How a sample is drawn; see {@linkcode drawSample}. */
export const DESIGNS = ["balanced", "natural", "neyman"] as const;
/** The name of a design. */
export type Design = typeof DESIGNS[number];

/** A drawn message. */
export interface SampledItem extends ChatItem {
  /** How many messages of the data set it stands for. */
  readonly weight: number;
}

/** A sample. */
export interface Sample {
  /** In random order. */
  readonly items: readonly SampledItem[];
  /** How many of each stratum were drawn, of how many: `[not toxic, toxic]`. */
  readonly strata: readonly [StratumSize, StratumSize];
  /** What had to be done otherwise than asked, for people. */
  readonly notes: readonly string[];
}

/** A stratum of a sample. */
export interface StratumSize {
  /** Drawn. */
  readonly drawn: number;
  /** In the data set. */
  readonly population: number;
}

/** Shares of messages that two backends are expected to label differently: not toxic, toxic. */
export const EXPECTED_DISAGREEMENT: readonly [number, number] = [0.03, 0.2];

/**
 * Draws `size` messages without replacement, the same ones for the same seed.
 *
 * - `natural`: every message is as likely; the sample has the data set's share of toxic ones.
 * - `balanced`: as many toxic as not toxic, as far as there are.
 * - `neyman`: by Neyman's allocation (1934): strata by their size times the spread of disagreement expected in them, which
 *   makes the reweighted agreement as sharp as it can be.
 *
 * Weights say what a message stands for; shares of the data set are reweighted with them.
 *
 * @throws {InputError} when fewer messages are there than asked for.
 */
export function drawSample(
  items: readonly ChatItem[],
  options: {
    readonly size: number;
    readonly design: Design;
    readonly seed: number;
    readonly expectedDisagreement?: readonly [number, number];
  },
): Sample {
  const { size, design, seed, expectedDisagreement = EXPECTED_DISAGREEMENT } = options;
  if (size > items.length) {
    throw new InputError(
      `--sample-size is ${size}, but the data set holds ${items.length} messages: ask for fewer, or give more with --data.`,
    );
  }
  const random = createRandom(`parity sample/${design}/${seed}`);
  const strata = [0, 1].map((label) => items.filter(({ toxicity }) => toxicity === label));
  const sizes = strata.map((stratum) => stratum.length) as [number, number];
  if (design === "natural") {
    const drawn = random.shuffle(items).slice(0, size);
    const weight = items.length / size;
    const toxic = drawn.filter(({ toxicity }) => toxicity === 1).length;
    return {
      items: drawn.map((item) => ({ ...item, weight })),
      strata: [
        { drawn: size - toxic, population: sizes[0] },
        { drawn: toxic, population: sizes[1] },
      ],
      notes: [],
    };
  }
  const wantedToxic = design === "balanced"
    ? Math.floor(size / 2)
    : neymanShare(sizes, expectedDisagreement) * size;
  const toxic = clamp(Math.round(wantedToxic), size, sizes);
  const counts = [size - toxic, toxic] as const;
  const drawn = strata.flatMap((stratum, label) => {
    const count = counts[label as 0 | 1];
    return random.shuffle(stratum).slice(0, count).map((item) => ({
      ...item,
      weight: stratum.length / count,
    }));
  });
  const short = design === "balanced" && toxic !== Math.floor(size / 2);
  return {
    items: random.shuffle(drawn),
    strata: [{ drawn: counts[0], population: sizes[0] }, { drawn: counts[1], population: sizes[1] }],
    notes: short ? [`not balanced: the data set holds ${sizes[1]} toxic and ${sizes[0]} other messages`] : [],
  };
}

/** The toxic share of a sample by Neyman's allocation. */
function neymanShare(sizes: readonly [number, number], expected: readonly [number, number]): number {
  const [other, toxic] = expected.map((p, i) => (sizes[i] as number) * Math.sqrt(p * (1 - p))) as [
    number,
    number,
  ];
  return other + toxic === 0 ? 0.5 : toxic / (other + toxic);
}

/** A number of toxic messages that is there, and leaves a number of others that is there, with one of each if it can. */
function clamp(toxic: number, size: number, [others, toxics]: readonly [number, number]): number {
  const least = Math.max(size - others, Math.min(1, toxics, size));
  const most = Math.min(toxics, size - Math.min(1, others, size - least));
  return Math.min(most, Math.max(least, toxic));
}
