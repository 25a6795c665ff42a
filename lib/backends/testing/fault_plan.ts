/**
 * Which fault each request of the fault server meets.
 * @module
 */
import { createRandom } from "../../base/random.ts";

/** Everything that can go wrong. `none` is an honest answer. */
export const FAULTS = [
  "none",
  "rate_limit",
  "rate_limit_retry_after",
  "server_error",
  "hang",
  "reset",
  "malformed_json",
  "wrong_schema",
  "cut_prompt",
  "empty",
  "pad",
  "very_long",
  "refusal",
] as const;
/** One of {@linkcode FAULTS}. */
export type Fault = typeof FAULTS[number];

/** Faults after which the client gets no answer and should try again. */
export const TRANSPORT_FAULTS: readonly Fault[] = [
  "rate_limit",
  "rate_limit_retry_after",
  "server_error",
  "hang",
  "reset",
  "malformed_json",
  "wrong_schema",
];

/** Decides the fault of a request from its number (from 0) and the hash of its body. */
export type FaultPlan = (request: { readonly index: number; readonly hash: string }) => Fault;

/** Every request meets the same fault. */
export function always(fault: Fault): FaultPlan {
  return () => fault;
}

/** The n-th request meets the n-th fault; further ones none. */
export function inTurn(...faults: readonly Fault[]): FaultPlan {
  return ({ index }) => faults[index] ?? "none";
}

/**
 * A share of requests meets a fault drawn evenly from `faults`; the draw depends on the seed and the request's number.
 *
 * @param share 0..1
 */
export function mix(
  share: number,
  options: { readonly seed?: number; readonly faults?: readonly Fault[] } = {},
): FaultPlan {
  const faults = options.faults ?? FAULTS.filter((fault) => fault !== "none");
  const root = createRandom(options.seed ?? 0);
  return ({ index }) => {
    const random = root.fork(index);
    return random.next() < share ? random.pick(faults) : "none";
  };
}
