/**
 * Who may use the engine now, who waits, and who is sent away.
 * @module
 */
import { ApiError } from "./api_error.ts";

/** Options of {@linkcode Admission}. */
export interface AdmissionOptions {
  /** Most samples that are drawn at once, over all requests. */
  readonly maxConcurrency: number;
  /** Most requests that wait for their turn. */
  readonly maxQueue: number;
}

interface Waiting {
  readonly weight: number;
  readonly enter: () => void;
}

/** Lets requests in, in the order of their arrival, as long as the samples of all that are in stay below the limit. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #queue: Waiting[] = [];
  #used = 0;

  /** Nobody is in. */
  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Requests that wait. */
  get queued(): number {
    return this.#queue.length;
  }

  /** Samples that are being drawn. */
  get used(): number {
    return this.#used;
  }

  /**
   * Refuses what can never be let in, and what would have to wait where nobody may wait any more.
   *
   * @throws {ApiError} 400 and 429.
   */
  check(weight: number): void {
    const { maxConcurrency, maxQueue } = this.#options;
    if (weight > maxConcurrency) {
      const text =
        `${weight} samples are asked for at once and this server draws ${maxConcurrency}: ask for fewer ` +
        "(prompts times n), or start it with a larger --max-concurrency.";
      throw new ApiError(400, text, { param: "n", code: "invalid_value" });
    }
    if (this.#fits(weight) || this.#queue.length < maxQueue) return;
    throw new ApiError(429, `The server is busy: ${this.#queue.length} requests are waiting already.`, {
      type: "rate_limit_error",
      code: "rate_limit_exceeded",
      headers: { "retry-after": "1" },
    });
  }

  /**
   * Waits for its turn. Disposing of what it gives makes room for the next.
   *
   * @throws {ApiError} as {@linkcode Admission.check}; the signal's reason when it fires first.
   */
  async enter(weight: number, signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    this.check(weight);
    if (this.#fits(weight)) this.#used += weight;
    else await this.#wait(weight, signal);
    let inside = true;
    return {
      [Symbol.dispose]: () => {
        if (!inside) return;
        inside = false;
        this.#used -= weight;
        this.#letIn();
      },
    };
  }

  #fits(weight: number): boolean {
    return this.#queue.length === 0 && this.#used + weight <= this.#options.maxConcurrency;
  }

  #wait(weight: number, signal: AbortSignal): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const leave = () => {
        this.#queue.splice(this.#queue.indexOf(waiting), 1);
        this.#letIn();
        reject(signal.reason);
      };
      const waiting: Waiting = {
        weight,
        enter: () => {
          signal.removeEventListener("abort", leave);
          this.#used += weight;
          resolve();
        },
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#queue.push(waiting);
    });
  }

  #letIn(): void {
    for (;;) {
      const next = this.#queue[0];
      if (next === undefined || this.#used + next.weight > this.#options.maxConcurrency) return;
      this.#queue.shift();
      next.enter();
    }
  }
}
