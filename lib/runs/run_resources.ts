/**
 * What runs open and must close.
 * @module
 */
import type { Budget } from "../backends/budget.ts";
import type { ResponseCache } from "../backends/cache.ts";
import { type Caller, createCaller } from "../backends/caller.ts";
import { openBackend } from "../backends/open_backend.ts";
import type { Variant } from "../backends/variants.ts";
import { limitsFrom, type RunSettings } from "./run_settings.ts";

/** What runs have opened, closed together in the opposite order; closing twice does nothing. */
export class RunResources {
  readonly #open: (Disposable | AsyncDisposable)[] = [];

  /** Takes something to close. */
  keep<T extends Disposable | AsyncDisposable>(resource: T): T {
    this.#open.push(resource);
    return resource;
  }

  /**
   * Opens a variant's backend and its caller.
   *
   * @throws {InputError} when a key or a checkpoint is missing, or a budget cannot be kept without a price.
   */
  async open(
    variant: Variant,
    settings: RunSettings,
    budget: Budget,
    cache: ResponseCache | null,
  ): Promise<Caller> {
    const backend = await openBackend(variant);
    try {
      return this.keep(createCaller(backend, {
        budget,
        limits: limitsFrom(settings),
        ...(cache === null ? {} : { cache }),
      }));
    } catch (error) {
      await backend[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Closes everything. */
  async close(): Promise<void> {
    for (;;) {
      const resource = this.#open.pop();
      if (resource === undefined) return;
      if (Symbol.asyncDispose in resource) await resource[Symbol.asyncDispose]();
      else resource[Symbol.dispose]();
    }
  }
}
