/**
 * Whether a variant's server is there at all.
 * @module
 */
import { messageOf } from "../base/errors.ts";
import { redact, secretsOf } from "./redact.ts";
import { type Environment, serverUrl, type Variant } from "./variants.ts";

/** Options of {@linkcode reachProblem}. */
export interface ReachOptions {
  /** Where addresses and keys are read from; the process's own when left out. */
  readonly env?: Environment;
  /** Most milliseconds to wait for an answer; 10 seconds when left out. */
  readonly timeoutMs?: number;
  /** Ends the wait. */
  readonly signal?: AbortSignal;
}

/**
 * Why a variant's server cannot be reached, in words, or null when it answers, whatever it answers (a refused key is
 * for the first request to find out). Asks for the list of models, which costs nothing. Variants without a server are
 * always reached.
 */
export async function reachProblem(variant: Variant, options: ReachOptions = {}): Promise<string | null> {
  if (variant.backend !== "api") return null;
  const { env = Deno.env, timeoutMs = 10_000 } = options;
  const url = serverUrl(variant, env) ?? "";
  const signals = [AbortSignal.timeout(timeoutMs), ...(options.signal ? [options.signal] : [])];
  try {
    const response = await fetch(`${url.replace(/\/+$/, "")}/models`, { signal: AbortSignal.any(signals) });
    await response.body?.cancel();
    return null;
  } catch (error) {
    const name = variant.baseUrlEnv === undefined ? "baseUrl in models.json" : variant.baseUrlEnv;
    return `The server of ${variant.name} does not answer (${
      redact(messageOf(error), secretsOf([variant], env))
    }): start it, or correct ${name}.`;
  }
}
