/**
 * Running totals of tokens and money.
 * @module
 */
import type { Clock } from "../base/clock.ts";
import type { Completion } from "./backend.ts";

/** Totals of one model, or of all. */
export interface UsageTotals {
  /** Answered requests. */
  readonly calls: number;
  /** Tries that failed. */
  readonly failures: number;
  /** Prompt tokens. */
  readonly inputTokens: number;
  /** Generated tokens. */
  readonly outputTokens: number;
  /** Part of the input. */
  readonly cachedTokens: number;
  /** Part of the output. */
  readonly reasoningTokens: number;
  /** US dollars that are known, failed tries at the most they may have cost. */
  readonly costUsd: number;
  /** Answered requests whose price is unknown. */
  readonly unpriced: number;
}

/** Totals at one moment. */
export interface UsageSnapshot extends UsageTotals {
  /** Milliseconds since the totals began. */
  readonly elapsedMs: number;
  /** Input and output tokens per minute since the start. */
  readonly tokensPerMinute: number;
  /** Totals by the model's name. */
  readonly models: Readonly<Record<string, UsageTotals>>;
}

/** Adds up what requests took. */
export interface UsageCounter {
  /** Counts an answer. `costUsd` is null when its price is unknown. */
  add(completion: Completion, costUsd: number | null, model?: string): void;
  /** Counts a failed try. */
  addFailure(model: string, costUsd: number | null): void;
  /** The totals now. */
  snapshot(): UsageSnapshot;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const zero = (): Mutable<UsageTotals> => ({
  calls: 0,
  failures: 0,
  inputTokens: 0,
  outputTokens: 0,
  cachedTokens: 0,
  reasoningTokens: 0,
  costUsd: 0,
  unpriced: 0,
});

/** Totals that begin now. */
export function createUsageTotals(clock: Clock): UsageCounter {
  const started = clock.now();
  const all = zero();
  const models = new Map<string, Mutable<UsageTotals>>();
  const of = (model: string) => {
    let totals = models.get(model);
    if (!totals) models.set(model, totals = zero());
    return [all, totals];
  };
  return {
    add({ usage, model }, costUsd, name = model ?? "unknown") {
      for (const t of of(name)) {
        t.calls++;
        t.inputTokens += usage.promptTokens ?? 0;
        t.outputTokens += usage.completionTokens ?? 0;
        t.cachedTokens += usage.cachedTokens ?? 0;
        t.reasoningTokens += usage.reasoningTokens ?? 0;
        t.costUsd += costUsd ?? 0;
        if (costUsd === null) t.unpriced++;
      }
    },
    addFailure(model, costUsd) {
      for (const t of of(model)) {
        t.failures++;
        t.costUsd += costUsd ?? 0;
      }
    },
    snapshot() {
      const elapsedMs = clock.now() - started;
      return {
        ...all,
        elapsedMs,
        tokensPerMinute: elapsedMs > 0 ? (all.inputTokens + all.outputTokens) / (elapsedMs / 60_000) : 0,
        models: Object.fromEntries([...models].map(([name, totals]) => [name, { ...totals }])),
      };
    },
  };
}
