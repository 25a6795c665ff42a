/**
 * What makes two backends answer differently: another template, other sampling, a cut prompt or answer, or the model.
 * @module
 */
import type { Json } from "../base/hash.ts";
import { mcnemarExact } from "../stats/mcnemar_exact.ts";
import { type Answer, sameText } from "./answer.ts";
import { DIFFERS_BELOW, type NoiseFloor } from "./noise_floor.ts";

/** What may differ. */
export type CauseName = "template" | "truncation" | "sampling" | "numerics" | "model";

/** One finding. */
export interface Cause {
  /**
   * - `template`: the same messages became another prompt.
   * - `truncation`: a backend read the end of long prompts only, or stopped answers early.
   * - `sampling`: other parameters, or answers that vary more.
   * - `numerics`: rare differences at near ties, as other kernels or batch sizes make them.
   * - `model`: other weights, another quantisation or another model.
   */
  readonly cause: CauseName;
  /** `certain`: it is seen. `likely`: a test below 1%. `possible`: what remains. */
  readonly certainty: "certain" | "likely" | "possible";
  /** What shows it, for people. */
  readonly evidence: string;
}

/** Where two generations first differ. */
export interface Divergence {
  /** Rows whose texts differ. */
  readonly rows: number;
  /** Rows compared. */
  readonly of: number;
  /** Rows whose tokens could be compared. */
  readonly with_logprobs: number;
  /** Median place of the first token that differs, from 0; null where tokens are not known. */
  readonly median_token: number | null;
  /** Median gap of the log-probabilities (natural log) that both gave their own token there. */
  readonly median_logprob_gap: number | null;
  /** Rows where both tokens had at most 60% there, and gaps below 0.3: near ties. */
  readonly near_ties: number;
}

/** All findings; keys are those of the JSON. */
export interface Drift {
  /** Most certain first. Empty when nothing differs. */
  readonly causes: readonly Cause[];
  /** Prompts as both backends count them. */
  readonly prompt_tokens: {
    /** Rows where both backends count the prompt. */
    readonly compared: number;
    readonly equal: number;
    /** Median of second less first over the rows that differ; null when none does. */
    readonly median_difference: number | null;
  };
  /** Prompts as both backends render them; null where that is not known. */
  readonly rendered_prompt: RenderedDiff | null;
  /** Sampling parameters as they are sent to each backend, and the names of those that differ. */
  readonly parameters: {
    readonly first: Json;
    readonly second: Json;
    readonly differ: readonly string[];
  } | null;
  /** Answers that ended at the output cap. */
  readonly capped: { readonly first: number; readonly second: number; readonly p: number };
  /** Where texts first differ. */
  readonly divergence: Divergence;
}

/** Where two rendered prompts first differ. */
export interface RenderedDiff {
  /** Prompts compared. */
  readonly compared: number;
  /** Prompts that are the same, byte for byte. */
  readonly equal: number;
  /** From which character on the first unequal pair differs, and both texts there; null when all are equal. */
  readonly first_difference: { readonly at: number; readonly first: string; readonly second: string } | null;
}

/** What drift is looked for in. */
export interface DriftInput {
  /** First passes of both backends on the same items, in the same order. */
  readonly pairs: readonly (readonly [Answer, Answer])[];
  /** A/A; null where there was one pass. */
  readonly floor: NoiseFloor | null;
  /** Parameters as they are sent to each backend. */
  readonly parameters?: readonly [Json, Json] | null;
  /** Prompts as each backend renders them, of the same items, where both can say. */
  readonly rendered?: readonly (readonly [string, string])[];
}

/** Finds what differs. */
export function findDrift({ pairs, floor, parameters = null, rendered = [] }: DriftInput): Drift {
  const tokens = promptTokens(pairs);
  const renderedDiff = compareRendered(rendered);
  const capped = cappedAnswers(pairs);
  const divergence = firstDivergences(pairs);
  const differ = parameters === null ? [] : differingKeys(...parameters);
  const causes: Cause[] = [];
  const add = (cause: CauseName, certainty: Cause["certainty"], evidence: string) =>
    causes.push({ cause, certainty, evidence });

  if (renderedDiff !== null && renderedDiff.first_difference !== null) {
    const { at, first, second } = renderedDiff.first_difference;
    add(
      "template",
      "certain",
      `rendered prompts differ from character ${at} on: ${JSON.stringify(first)} against ${
        JSON.stringify(second)
      }`,
    );
  }
  causes.push(...tokens.causes);
  if (differ.length > 0) {
    add("sampling", "certain", `other parameters are sent: ${differ.join(", ")}`);
  }
  if (capped.p < DIFFERS_BELOW) {
    add(
      "truncation",
      "likely",
      `answers end at the output cap on ${capped.first} rows of the first backend and ${capped.second} of the second`,
    );
  }
  if (floor !== null && floor.label_noise_p < DIFFERS_BELOW) {
    add("sampling", "likely", `labels repeat on ${selfShares(floor, "label")} of items in two passes`);
  } else if (floor !== null && floor.text_noise_p < DIFFERS_BELOW) {
    add(
      "sampling",
      "possible",
      `texts repeat on ${
        selfShares(floor, "text")
      } of items in two passes (a busy server that batches can do this too)`,
    );
  }
  const explained = causes.some(({ certainty }) => certainty !== "possible");
  const beyondNoise = floor === null ? divergence.rows > 0 : floor.differs;
  if (!explained && divergence.rows > 0 && beyondNoise) causes.push(unexplained(pairs, divergence));
  const rank = { certain: 0, likely: 1, possible: 2 };
  causes.sort((a, b) => rank[a.certainty] - rank[b.certainty]);
  const { compared, equal, median_difference } = tokens;
  return {
    causes,
    prompt_tokens: { compared, equal, median_difference },
    rendered_prompt: renderedDiff,
    parameters: parameters === null ? null : { first: parameters[0], second: parameters[1], differ },
    capped,
    divergence,
  };
}

/** Differences of one or two tokens on every row may only be how a server counts. */
const COUNTING = 2;
/** Rows that may differ before counts are said to: a server may report a retry or a cache hit oddly. */
const ODD_ROWS = 0.02;

function promptTokens(pairs: DriftInput["pairs"]) {
  const counts = pairs.flatMap(([a, b]) =>
    a.promptTokens && b.promptTokens ? [[a.promptTokens, b.promptTokens]] : []
  ) as [
    number,
    number,
  ][];
  const unequal = counts.filter(([a, b]) => a !== b);
  const differences = unequal.map(([a, b]) => b - a).sort((x, y) => x - y);
  const result = {
    compared: counts.length,
    equal: counts.length - unequal.length,
    median_difference: differences.length === 0 ? null : differences[differences.length >> 1] as number,
    causes: [] as Cause[],
  };
  if (unequal.length <= counts.length * ODD_ROWS) return result;
  const rows = `${unequal.length} of ${counts.length} rows`;
  const cut = ([0, 1] as const).map((side) => cutAt(counts, side)).find((found) => found !== null);
  if (cut) {
    const which = cut.side === 0 ? "first" : "second";
    result.causes.push({
      cause: "truncation",
      certainty: "certain",
      evidence:
        `the ${which} backend counts at most ${cut.window} prompt tokens, on ${rows} fewer than the other`,
    });
    return result;
  }
  const [least, most] = [differences[0] as number, differences.at(-1) as number];
  const constant = least === most && unequal.length === counts.length;
  result.causes.push({
    cause: "template",
    certainty: constant && Math.abs(least) <= COUNTING ? "possible" : "certain",
    evidence: constant
      ? `the second backend counts ${signed(least)} prompt tokens on every row`
      : `the second backend counts ${signed(least)} to ${signed(most)} prompt tokens on ${rows}`,
  });
  return result;
}

/** Whether one side's counts stop at a window: equal below it, and the window's own count where the other has more. */
function cutAt(counts: readonly (readonly [number, number])[], side: 0 | 1) {
  const window = Math.max(...counts.map((pair) => pair[side]));
  const longer = counts.filter((pair) => pair[1 - side] as number > window);
  const below = counts.filter((pair) => (pair[1 - side] as number) <= window);
  const atWindow = longer.filter((pair) => pair[side] >= window - 2).length;
  const fits = longer.length >= 2 && atWindow >= 0.9 * longer.length &&
    below.filter(([a, b]) => a === b).length >= 0.9 * below.length;
  const lengths = new Set(longer.map((pair) => pair[1 - side]));
  return fits && lengths.size > 1 ? { side, window } : null;
}

/** How two rendered prompts differ; null when there are none. */
export function compareRendered(rendered: readonly (readonly [string, string])[]): RenderedDiff | null {
  if (rendered.length === 0) return null;
  const unequal = rendered.filter(([a, b]) => a !== b);
  const shown = unequal[0];
  if (shown === undefined) {
    return { compared: rendered.length, equal: rendered.length, first_difference: null };
  }
  const [a, b] = shown;
  let at = 0;
  while (a[at] === b[at]) at++;
  const around = (text: string) => text.slice(Math.max(0, at - 20), at + 60).toWellFormed();
  return {
    compared: rendered.length,
    equal: rendered.length - unequal.length,
    first_difference: { at, first: around(a), second: around(b) },
  };
}

function cappedAnswers(pairs: DriftInput["pairs"]): Drift["capped"] {
  const capped = (answer: Answer) => answer.finishReason === "length";
  const only = (one: 0 | 1) =>
    pairs.filter((pair) => capped(pair[one]) && !capped(pair[one === 0 ? 1 : 0])).length;
  return {
    first: pairs.filter(([a]) => capped(a)).length,
    second: pairs.filter(([, b]) => capped(b)).length,
    p: mcnemarExact(only(0), only(1)),
  };
}

/** Both tokens at most this likely, and about as likely as each other: a near tie. */
const TIE = { most: Math.log(0.6), gap: 0.3 };

function firstDivergences(pairs: DriftInput["pairs"]): Divergence {
  const unequal = pairs.filter(([a, b]) => !sameText(a, b));
  const places = unequal.flatMap(([a, b]) => {
    if (!a.logprobs?.length || !b.logprobs?.length) return [];
    const one = a.logprobs, two = b.logprobs;
    let at = 0;
    while (at < one.length && at < two.length && one[at]?.token === two[at]?.token) at++;
    const [x, y] = [one[at], two[at]];
    return x === undefined || y === undefined
      ? []
      : [{ at, x: x.logprob, y: y.logprob, gap: Math.abs(x.logprob - y.logprob) }];
  });
  const median = (values: number[]) => values.sort((p, q) => p - q)[values.length >> 1] ?? null;
  return {
    rows: unequal.length,
    of: pairs.length,
    with_logprobs: places.length,
    median_token: median(places.map(({ at }) => at)),
    median_logprob_gap: median(places.map(({ gap }) => gap)),
    near_ties: places.filter(({ x, y, gap }) => x <= TIE.most && y <= TIE.most && gap <= TIE.gap).length,
  };
}

/** What remains when prompts, parameters and noise are the same: the arithmetic, or the model. */
function unexplained(pairs: DriftInput["pairs"], divergence: Divergence): Cause {
  const { with_logprobs, near_ties, rows, of } = divergence;
  if (with_logprobs >= 3) {
    const share = near_ties / with_logprobs;
    return {
      cause: share >= 0.5 ? "numerics" : "model",
      certainty: "likely",
      evidence: `${near_ties} of ${with_logprobs} texts part at a near tie of two tokens`,
    };
  }
  const moved = pairs.filter(([a, b]) => a.label !== b.label).length;
  return {
    cause: moved > 0.05 * of ? "model" : "numerics",
    certainty: "possible",
    evidence:
      `texts differ on ${rows} of ${of} rows and outcomes (0, 1, unparsed) on ${moved}, with the same prompts and ` +
      `sampling as far as known; log-probabilities would tell rounding from other weights`,
  };
}

function differingKeys(first: Json, second: Json): string[] {
  const [a, b] = [first, second] as Record<string, Json>[];
  const keys = [...new Set([...Object.keys(a ?? {}), ...Object.keys(b ?? {})])];
  return keys.filter((key) => JSON.stringify(a?.[key]) !== JSON.stringify(b?.[key]))
    .map((key) =>
      `${key} (${JSON.stringify(a?.[key]) ?? "not sent"} against ${JSON.stringify(b?.[key]) ?? "not sent"})`
    );
}

const signed = (n: number) => n > 0 ? `${n} more` : n < 0 ? `${-n} fewer` : "as many";

function selfShares(floor: NoiseFloor, key: "label" | "text"): string {
  const percent = (share: number | null) => `${((share ?? 0) * 100).toFixed(1)}%`;
  return `${percent(floor.first[key].share)} and ${percent(floor.second[key].share)}`;
}
