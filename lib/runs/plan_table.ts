/**
 * What several runs would do, in one table.
 * @module
 */
import { durationText } from "./board.ts";
import { type CostRange, costRangeText, type PlanDescription } from "./plan_text.ts";

/** A run of the table. */
export interface PlanTableRow {
  /** The experiment. */
  readonly experiment: string;
  /** The variant. */
  readonly variant: string;
  /** What it would do. */
  readonly plan: PlanDescription;
}

const HEADER = [
  ...["experiment", "variant", "rows", "done", "cached", "skipped", "to send", "prompt tokens"],
  ...["output tokens", "judge calls", "cost", "time"],
];
const LEFT = 2;
const whole = (n: number) => Math.round(n).toLocaleString("en-US");

/**
 * One line for each run and one for the total: rows, tokens, judge calls, cost with its range (the judge's included)
 * and the time that rate limits ask for. Runs go one after the other, so that times add up. Without a line break at the
 * end.
 */
export function planTable(rows: readonly PlanTableRow[]): string {
  const lines = rows.map(({ experiment, variant, plan }) => [experiment, variant, ...cells(plan)]);
  if (rows.length > 1) lines.push(["total", "", ...cells(total(rows.map(({ plan }) => plan)))]);
  const all = [HEADER, ...lines];
  const widths = HEADER.map((_, i) => Math.max(...all.map((line) => line[i]?.length ?? 0)));
  return all.map((line) =>
    line.map((cell, i) => i < LEFT ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number))
      .join("  ").trimEnd()
  ).join("\n");
}

/** The counts of a line; a sum where a part is unknown is a lower bound. */
interface Line extends
  Pick<
    PlanDescription,
    "rows" | "done" | "todo" | "promptTokens" | "outputTokensLow" | "outputTokensHigh" | "judgeCallsHigh"
  > {
  readonly cached: number | null;
  readonly skipped: Readonly<Record<string, number>>;
  readonly cost: CostRange;
  readonly judgeCost: CostRange;
  readonly minutesLow: number | null;
  readonly minutesHigh: number | null;
  /** Whether an unknown cost, or time, is left out of the sums. */
  readonly more?: { readonly cost: boolean; readonly time: boolean };
}

function cells(line: Line): string[] {
  const skipped = Object.values(line.skipped).reduce((sum, n) => sum + n, 0);
  const cost = add(line.cost, line.judgeCost);
  const { outputTokensLow: low, outputTokensHigh: high, more } = line;
  return [
    whole(line.rows),
    whole(line.done),
    line.cached === null ? "-" : whole(line.cached),
    whole(skipped),
    whole(line.todo),
    whole(line.promptTokens),
    low === high ? whole(high) : `${whole(low)} to ${whole(high)}`,
    line.judgeCallsHigh === 0 ? "0" : `up to ${whole(line.judgeCallsHigh)}`,
    (more?.cost ? "at least " : "") + costRangeText(cost),
    timeText(line),
  ];
}

function timeText({ todo, minutesLow, minutesHigh, more }: Line): string {
  if (todo === 0) return "none";
  if (minutesLow === null || minutesHigh === null) return "no limit";
  const [low, high] = [durationText(minutesLow * 60_000), durationText(minutesHigh * 60_000)];
  return (more?.time ? "at least " : "") + (low === high ? low : `${low} to ${high}`);
}

function add(a: CostRange, b: CostRange): CostRange {
  return a && b && { low: a.low + b.low, high: a.high + b.high };
}

function total(plans: readonly PlanDescription[]): Line {
  const sum = (of: (plan: PlanDescription) => number | null) =>
    plans.reduce((total, plan) => total + (of(plan) ?? 0), 0);
  const costs = plans.map((plan) => add(plan.cost, plan.judgeCost));
  const limited = plans.filter(({ minutesLow }) => minutesLow !== null);
  return {
    rows: sum((plan) => plan.rows),
    done: sum((plan) => plan.done),
    cached: plans.every(({ cached }) => cached === null) ? null : sum((plan) => plan.cached),
    skipped: { all: sum((plan) => Object.values(plan.skipped).reduce((n, m) => n + m, 0)) },
    todo: sum((plan) => plan.todo),
    promptTokens: sum((plan) => plan.promptTokens),
    outputTokensLow: sum((plan) => plan.outputTokensLow),
    outputTokensHigh: sum((plan) => plan.outputTokensHigh),
    judgeCallsHigh: sum((plan) => plan.judgeCallsHigh),
    cost: costs.reduce((total, cost) => cost === null ? total : add(total, cost), { low: 0, high: 0 }),
    judgeCost: { low: 0, high: 0 },
    minutesLow: limited.length === 0 ? null : sum((plan) => plan.minutesLow),
    minutesHigh: limited.length === 0 ? null : sum((plan) => plan.minutesHigh),
    more: {
      cost: costs.includes(null),
      time: plans.some(({ minutesLow, todo }) => minutesLow === null && todo > 0),
    },
  };
}
