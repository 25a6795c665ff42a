/**
 * A limit in US dollars that is never passed.
 * @module
 */

/** A request that would have passed the budget was not sent. */
export class BudgetError extends Error {
  /** Tells it from other errors. */
  override readonly name = "BudgetError";
  /** The limit. */
  readonly maxUsd: number;
  /** What was, or may have been, billed before. */
  readonly spentUsd: number;
  /** The most the request might have cost. */
  readonly neededUsd: number;
  /** The message says what was spent, what was needed and what to do. */
  constructor(maxUsd: number, spentUsd: number, neededUsd: number) {
    super(
      `The budget of $${maxUsd} stops here: $${
        spentUsd.toFixed(6)
      } may have been spent and the next request may ` +
        `cost up to $${neededUsd.toFixed(6)}. Raise --max-usd and start the same command to go on.`,
    );
    this.maxUsd = maxUsd;
    this.spentUsd = spentUsd;
    this.neededUsd = neededUsd;
  }
}

/** Money set aside for one request. */
export interface Reservation {
  /** Replaces the reserved amount by what was, or may have been, billed. Only the first call counts. */
  settle(usd: number): void;
}

/** A budget that several callers share. */
export interface Budget {
  /** null means no limit. */
  readonly maxUsd: number | null;
  /** What was, or may have been, billed so far. */
  readonly spentUsd: number;
  /**
   * Sets money aside. Waits while requests under way might still give back enough.
   *
   * @param usd the most the request may cost.
   * @throws {BudgetError} when it would pass the limit whatever the requests under way give back.
   */
  reserve(usd: number, signal?: AbortSignal): Promise<Reservation>;
}

/**
 * A budget of at most `maxUsd` (null: no limit).
 *
 * @param options.spentUsd what earlier runs of the same work have spent of it.
 */
export function createBudget(maxUsd: number | null, options: { readonly spentUsd?: number } = {}): Budget {
  let spent = options.spentUsd ?? 0;
  let reserved = 0;
  let underWay = 0;
  let changed = Promise.withResolvers<void>();
  const notify = () => {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };
  const fits = (usd: number) => maxUsd === null || spent + reserved + usd <= maxUsd;
  return {
    maxUsd,
    get spentUsd() {
      return spent;
    },
    async reserve(usd, signal) {
      while (!fits(usd)) {
        signal?.throwIfAborted();
        if (underWay === 0 || spent + usd > (maxUsd as number)) {
          throw new BudgetError(maxUsd as number, spent, usd);
        }
        await changed.promise;
      }
      reserved += usd;
      underWay++;
      let open = true;
      return {
        settle(actual) {
          if (!open) return;
          open = false;
          underWay--;
          // Sums of many floats drift; with nothing under way, nothing is reserved.
          reserved = underWay === 0 ? 0 : reserved - usd;
          spent += actual;
          notify();
        },
      };
    },
  };
}
