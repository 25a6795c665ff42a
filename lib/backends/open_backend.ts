/**
 * Opens any variant.
 * @module
 */
import type { Clock } from "../base/clock.ts";
import type { Backend } from "./backend.ts";
import { openSimulated } from "./simulated.ts";
import type { Environment, Variant } from "./variants.ts";

/** Options of {@linkcode openBackend}. */
export interface OpenOptions {
  /** Where base URLs and keys are read from; the process's own when left out. */
  readonly env?: Environment;
  /** Time for simulated latency and Retry-After dates. */
  readonly clock?: Clock;
  /** Most milliseconds one request to a server may take; 10 minutes when left out. */
  readonly timeoutMs?: number;
  /** Stops the loading of an in-process model. */
  readonly signal?: AbortSignal;
}

/**
 * Opens a variant's backend; close it with `await using`.
 *
 * @throws {InputError} when an environment variable or a checkpoint is missing.
 */
export async function openBackend(variant: Variant, options: OpenOptions = {}): Promise<Backend> {
  switch (variant.backend) {
    case "simulated":
      return openSimulated(variant, options);
    case "api":
      return (await import("./api.ts")).openApi(variant, options);
    case "local":
      return await (await import("./local.ts")).openLocal(variant, options);
  }
}
