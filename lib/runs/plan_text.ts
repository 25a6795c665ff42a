/**
 * What a run would do, said before it does it.
 * @module
 */
import { estimateCost, type Price, SHORT_ANSWER } from "../backends/prices.ts";
import type { Limits } from "../backends/variants.ts";
import { scanAttempts } from "./attempt_records.ts";
import { durationText } from "./board.ts";
import type { Row } from "./experiment.ts";
import type { RunFiles } from "./run_files.ts";

/** What {@linkcode describePlan} looks at. */
export interface PlanOptions {
  /** The whole plan, or one shard of it. */
  readonly rows: readonly Row[];
  /** The files of the run, which say what is done. */
  readonly files: RunFiles;
  /** The name of the variant. */
  readonly variant: string;
  /** null when it is unknown. */
  readonly price: Price | null;
  /** How fast the variant may be asked. */
  readonly limits: Limits;
  /** Whether the model counts tokens as we do. */
  readonly exact: boolean;
  /** Whether a judge may be asked at all; true when left out. */
  readonly judged?: boolean;
  /** The judges, with the most calls that one row may need and how large they are at most. */
  readonly judges?: readonly PlannedJudge[];
  /** Whether the response cache answers a row; none is looked up when left out. */
  readonly inCache?: (row: Row) => boolean | Promise<boolean>;
}

/** A judge as a plan counts it. */
export interface PlannedJudge {
  /** Its name. */
  readonly variant: string;
  /** null when it is unknown. */
  readonly price: Price | null;
  /** Most calls that one row may need. */
  readonly callsPerRow: number;
  /** Most prompt tokens of a call. */
  readonly tokens: number;
  /** Output cap of a call. */
  readonly maxTokens: number;
  /** Whether rows that are done have been judged as well. */
  readonly settled?: boolean;
}

/** A range of US dollars, or null when the price is unknown. */
export type CostRange = { readonly low: number; readonly high: number } | null;

/** A run before it begins. */
export interface PlanDescription {
  /** Rows planned. */
  readonly rows: number;
  /** Rows done before. */
  readonly done: number;
  /** Rows to send, those that ended in an error before included. */
  readonly todo: number;
  /** Rows to send that ended in an error before. */
  readonly retried: number;
  /** Rows to send that the response cache answers: they are in no other number below. Null when it was not asked. */
  readonly cached: number | null;
  /** Reason -> rows that are not sent. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Of the rows to send. */
  readonly promptTokens: number;
  /** Answers as they are expected. */
  readonly outputTokensLow: number;
  /** Every answer at its cap. */
  readonly outputTokensHigh: number;
  /** Of the rows to send. */
  readonly cost: CostRange;
  /** Calls of all judges when every row needs as many as it may. */
  readonly judgeCallsHigh: number;
  /** Of all judges. Low is nothing: matching may settle every row. */
  readonly judgeCost: CostRange;
  /** Each judge's part of it. */
  readonly judges: readonly {
    readonly variant: string;
    readonly callsHigh: number;
    readonly cost: CostRange;
  }[];
  /** Least minutes that the rate limits allow for the prompts alone; null when there are no limits. */
  readonly minutesLow: number | null;
  /** The same with every answer at its cap. */
  readonly minutesHigh: number | null;
}

/**
 * Counts what a run would send. Sends nothing and writes nothing.
 *
 * @throws {InputError} when the attempts file is damaged.
 */
export async function describePlan(options: PlanOptions): Promise<PlanDescription> {
  const { rows, files, price, limits, exact, judges = [], inCache } = options;
  const known = new Map<string, "done" | "error">();
  await scanAttempts(files.attempts, {
    attempt({ id, status }) {
      if (known.get(id) !== "done") known.set(id, status);
    },
  });
  const skipped: Record<string, number> = {};
  const todo: Row[] = [];
  let done = 0, retried = 0;
  for (const row of rows) {
    if (row.skip !== null) skipped[row.skip] = (skipped[row.skip] ?? 0) + 1;
    else if (known.get(row.id) === "done") done++;
    else {
      todo.push(row);
      if (known.has(row.id)) retried++;
    }
  }
  const sent: Row[] = [];
  for (const row of todo) if (!await inCache?.(row)) sent.push(row);
  const promptTokens = sent.reduce((sum, row) => sum + row.tokens, 0);
  const outputTokensLow = sent.reduce(
    (sum, { answerTokens = SHORT_ANSWER, maxTokens }) => sum + Math.min(maxTokens, answerTokens),
    0,
  );
  const outputTokensHigh = sent.reduce((sum, row) => sum + row.maxTokens, 0);
  const judging = judges.map((judge) => {
    const callsHigh = judge.callsPerRow * (todo.length + (judge.settled ? 0 : done));
    const tokens = { tokens: judge.tokens * callsHigh, maxTokens: judge.maxTokens * callsHigh };
    const high = estimateCost(judge.price, [tokens])?.high;
    return { variant: judge.variant, callsHigh, cost: high === undefined ? null : { low: 0, high } };
  });
  return {
    rows: rows.length,
    done,
    todo: todo.length,
    retried,
    cached: inCache === undefined ? null : todo.length - sent.length,
    skipped,
    promptTokens,
    outputTokensLow,
    outputTokensHigh,
    cost: estimateCost(price, sent, { exact }),
    judgeCallsHigh: judging.reduce((sum, judge) => sum + judge.callsHigh, 0),
    judgeCost: judging.some(({ cost }) => cost === null)
      ? null
      : { low: 0, high: judging.reduce((sum, { cost }) => sum + (cost?.high ?? 0), 0) },
    judges: judging,
    minutesLow: minutes(limits, sent.length, promptTokens),
    minutesHigh: minutes(limits, sent.length, promptTokens + outputTokensHigh),
  };
}

function minutes(limits: Limits, requests: number, tokens: number): number | null {
  const { tokensPerMinute, requestsPerMinute } = limits;
  if (tokensPerMinute === null && requestsPerMinute === null) return null;
  return Math.max(tokens / (tokensPerMinute ?? Infinity), requests / (requestsPerMinute ?? Infinity));
}

const whole = (n: number) => Math.round(n).toLocaleString("en-US");
const dollars = (n: number) => `$${n < 1 ? n.toFixed(4) : n.toFixed(2)}`;

/** `$0.0123 to $1.50`, or that it is unknown. */
export function costRangeText(cost: CostRange, unknown = "unknown"): string {
  if (cost === null) return unknown;
  return cost.low === cost.high ? dollars(cost.high) : `${dollars(cost.low)} to ${dollars(cost.high)}`;
}

const costRange = (cost: CostRange, who: string) =>
  costRangeText(cost, `unknown: no price is known for ${who}`);

/** The plan as lines for people; ends with a line break. */
export function planText(plan: PlanDescription, options: PlanOptions): string {
  const { files, variant, limits, price, judged = true } = options;
  const retried = plan.retried > 0 ? ` (${whole(plan.retried)} of them ended in an error before)` : "";
  const skipped = Object.entries(plan.skipped).map(([reason, n]) => `${whole(n)} ${reason}`);
  const limit = [
    limits.tokensPerMinute === null ? [] : [`${whole(limits.tokensPerMinute)} tokens/min`],
    limits.requestsPerMinute === null ? [] : [`${whole(limits.requestsPerMinute)} requests/min`],
    [`${limits.maxConcurrency} at once`],
  ].flat().join(", ");
  const time = plan.todo === 0
    ? "none"
    : plan.minutesLow === null || plan.minutesHigh === null
    ? "as fast as the model answers (no rate limit)"
    : `at least ${durationText(plan.minutesLow * 60_000)}, by the limits up to ${
      durationText(plan.minutesHigh * 60_000)
    }`;
  const lines = [
    ["rows", `${whole(plan.rows)} planned`],
    ["to send", whole(plan.todo) + retried],
    ["done before", whole(plan.done)],
    ...(plan.cached === null ? [] : [["cached", `${whole(plan.cached)} of those to send`]]),
    ["skipped", skipped.length > 0 ? skipped.join(", ") : "0"],
    ["prompt tokens", whole(plan.promptTokens)],
    ["output tokens", `at most ${whole(plan.outputTokensHigh)}`],
    ["cost", costRange(plan.cost, variant) + (price ? ` (${price.source})` : "")],
    ...(plan.judges.length === 0 ? [["judge", judged ? "none: matching alone" : "none needed"]] : []),
    ...plan.judges.flatMap((judge) => [
      ["judge", `at most ${whole(judge.callsHigh)} calls of ${judge.variant}`],
      ["judge cost", costRange(judge.cost, judge.variant)],
    ]),
    ...(plan.judges.length > 1 ? [["judges' cost", costRange(plan.judgeCost, "a judge")]] : []),
    ["limits", limit],
    ["time", time],
  ];
  return [
    `Plan of ${files.name}`,
    ...lines.map(([label = "", text]) => `  ${label.padEnd(14)} ${text}`),
    "",
  ].join("\n");
}
