/**
 * Prompts that a server cut without saying so.
 * @module
 */
import type { AuditOptions, AuditRow } from "./audit.ts";

/** Share of the sent tokens a server must report with the model's own tokenizer. */
const EXACT_SHARE = 0.98;
/** The same when the count is an estimate, relative to the run's own shortest rows. */
const ESTIMATE_SHARE = 0.9;
/** Fewer missing tokens than this are noise of an estimate, however short the prompt. */
const ESTIMATE_NOISE = 100;
/** So many prompts with the run's largest count are a window, when their own sizes differ by this share. */
const SAME_COUNT = { rows: 3, spread: 0.005 } as const;
/** A prompt whose count is under this share of the largest count of the run was not cut at a window. */
const WINDOW_SHARE = 0.45;
/** Prompts of one length that differ by less are a grid; by more, texts of all sizes. */
const GRID_SPREAD = 0.05;

/**
 * Finds the rows whose prompt was cut, with the evidence of each. A row is cut when
 *
 * - the server reports under 98% of what was sent, by the model's own tokenizer; or under 90% of what the run's
 *   shortest rows (where nothing is cut) let expect, when our count comes from another tokenizer, unless the prompts
 *   are of all sizes and the run has counts more than twice as large;
 * - a shorter prompt, by the same share, has the very same reported count, and no count of the run is larger or the
 *   prompts stand on a grid of lengths: a window;
 * - three prompts or more of different sizes have the run's largest count, when our count comes from another tokenizer;
 * - its own reported count is such a window, and under 98% of what we counted;
 * - the reported count is the known window and clearly more was sent;
 * - the reported count fills the known window to the last token, which leaves no room for an answer.
 *
 * Counts of 0 and missing counts tell nothing here. Servers that leave cached tokens out of their count are
 * recognised by the sum of both. A failure that is a step in depth is added to the evidence.
 */
export function findTruncated(rows: readonly AuditRow[], options: AuditOptions): Map<string, string[]> {
  const counted = rows.filter((row) =>
    row.skip === null && row.error === null && (row.prompt_tokens_reported ?? 0) > 0
  );
  const expect = options.tokenizerExact ? (row: AuditRow) => row.token_count : calibrate(counted);
  const share = options.tokenizerExact ? EXACT_SHARE : ESTIMATE_SHARE;
  const shortestWith = new Map<number, number>();
  const longestWith = new Map<number, number>();
  for (const row of counted) {
    const reported = readTokens(row, expect(row));
    shortestWith.set(reported, Math.min(shortestWith.get(reported) ?? Infinity, row.token_count));
    longestWith.set(reported, Math.max(longestWith.get(reported) ?? 0, row.token_count));
  }
  const isGrid = Map.groupBy(counted, (row) => row.length).values().every((group) => {
    const smallest = group.reduce((least, row) => Math.min(least, row.token_count), Infinity);
    return group.every((row) => row.token_count - smallest <= GRID_SPREAD * smallest);
  });
  const largest = shortestWith.keys().reduce((most, reported) => Math.max(most, reported), 0);
  const atLargest = [shortestWith.get(largest) ?? 0, longestWith.get(largest) ?? 0] as const;
  const same = counted.filter((row) => readTokens(row, expect(row)) === largest).length;
  const isWindow = !options.tokenizerExact && same >= SAME_COUNT.rows &&
    atLargest[1] - atLargest[0] >= Math.max(ESTIMATE_NOISE, SAME_COUNT.spread * largest);
  const found = new Map<string, string[]>();
  for (const row of counted) {
    const expected = expect(row);
    const reported = readTokens(row, expected);
    const reasons: string[] = [];
    const clearly = options.tokenizerExact || isGrid ||
      (reported >= WINDOW_SHARE * largest && expected - reported >= ESTIMATE_NOISE);
    if (reported < share * expected && clearly) {
      const basis = options.tokenizerExact ? "sent" : "expected from the shortest rows";
      reasons.push(`the server read ${say(reported)} of ${say(expected)} tokens ${basis}`);
    }
    const shortest = shortestWith.get(reported) as number;
    const longest = longestWith.get(reported) as number;
    const other = !isGrid && reported < EXACT_SHARE * largest
      ? null
      : share * row.token_count > shortest
      ? shortest
      : share * longest > row.token_count && reported < EXACT_SHARE * row.token_count
      ? longest
      : null;
    if (other !== null) {
      reasons.push(
        `a prompt of ${say(other)} tokens and this one of ${say(row.token_count)} both count ${
          say(reported)
        }`,
      );
    }
    if (isWindow && reported === largest) {
      reasons.push(
        `${same} prompts of ${say(atLargest[0])} to ${say(atLargest[1])} tokens all count ${say(largest)}`,
      );
    }
    const window = options.window ?? 0;
    if (window > 0 && Math.abs(reported - window) <= window / 200 && EXACT_SHARE * expected > window) {
      reasons.push(`the count is the window of ${say(window)} tokens`);
    } else if (window > 0 && reported === window) {
      reasons.push(`the count fills the window of ${say(window)} tokens, with no room left for an answer`);
    }
    if (reasons.length > 0) found.set(row.id, reasons);
  }
  addDepthSteps(rows, found);
  return found;
}

/** Which end of the prompt the failures of one length point at. */
export type DepthStep = "front" | "back";

/**
 * Whether failures are a step in depth, as a prompt cut at one end leaves: rows fail up to a depth and pass beyond it
 * (`front`), or the other way round (`back`), with at most one mixed depth between. Needs five depths, two on each
 * side. A hint, not a proof: a model may also lose one end.
 */
export function depthStep(
  rows: readonly { readonly depth?: number; readonly correct: boolean | null }[],
): DepthStep | null {
  const groups = new Map<number, { right: number; n: number }>();
  for (const { depth, correct } of rows) {
    if (depth === undefined) continue;
    const group = groups.get(depth) ?? { right: 0, n: 0 };
    group.n++;
    if (correct === true) group.right++;
    groups.set(depth, group);
  }
  const shares = [...groups].sort(([a], [b]) => a - b).map(([, { right, n }]) => right / n);
  if (isStep(shares)) return "front";
  return isStep(shares.toReversed()) ? "back" : null;
}

function isStep(shares: readonly number[]): boolean {
  const start = shares.findIndex((share) => share > 0.1);
  const fails = start === -1 ? shares.length : start;
  const rest = shares.slice(fails);
  const passes = (rest[0] ?? 1) >= 0.9 ? rest : rest.slice(1);
  return shares.length >= 5 && fails >= 2 && passes.length >= 2 && passes.every((share) => share >= 0.9);
}

function addDepthSteps(rows: readonly AuditRow[], found: Map<string, string[]>): void {
  const cut = Map.groupBy(rows.filter((row) => found.has(row.id)), (row) => row.length);
  for (const group of cut.values()) {
    const step = depthStep(group);
    if (step === null) continue;
    for (const row of group) {
      found.get(row.id)?.push(`failures are a step in depth: the ${step} of the prompt was cut`);
    }
  }
}

/** The server's count, with the cached tokens where it leaves them out. */
function readTokens(row: AuditRow, expected: number): number {
  const reported = row.prompt_tokens_reported as number;
  const both = reported + (row.cached_tokens ?? 0);
  return Math.abs(both - expected) <= (1 - EXACT_SHARE) * expected ? both : reported;
}

/**
 * The reported count to expect of a row whose tokenizer is unknown: `overhead + ratio * sent`, the line through the
 * medians of the shortest length and of the next one about twice as long (the overhead is the server's chat template).
 * Where there is none, or where it is cut already (no tokenizer in use makes under 0.75 tokens of one of ours in
 * prose), the line through the shorter and the longer half of the shortest length's rows, and where those are much
 * alike the ratio alone.
 */
function calibrate(rows: readonly AuditRow[]): (row: AuditRow) => number {
  const groups = [...Map.groupBy(rows, (row) => row.length)].sort(([a], [b]) => a - b)
    .map(([, group]) => group);
  const shortest = (groups[0] ?? []).toSorted((a, b) => a.token_count - b.token_count);
  if (shortest.length === 0) return (row) => row.token_count;
  const first = middle(shortest);
  const half = Math.floor(shortest.length / 2);
  const line = lineThrough(first, groups.map(middle).find((other) => other.sent >= 1.9 * first.sent)) ??
    (half === 0 ? null : lineThrough(middle(shortest.slice(0, half)), middle(shortest.slice(-half))));
  return line ?? ((row) => first.read / first.sent * row.token_count);
}

/** Medians of some rows. */
interface Middle {
  readonly sent: number;
  readonly read: number;
}

function middle(rows: readonly AuditRow[]): Middle {
  return {
    sent: median(rows.map((row) => row.token_count)),
    read: median(rows.map((row) => row.prompt_tokens_reported as number)),
  };
}

/** `overhead + ratio * sent` through two points; null where the second is missing, too near, or cut. */
function lineThrough(first: Middle, second: Middle | undefined): ((row: AuditRow) => number) | null {
  if (second === undefined || second.sent < 1.5 * first.sent) return null;
  const ratio = (second.read - first.read) / (second.sent - first.sent);
  const overhead = first.read - ratio * first.sent;
  if (ratio < 0.75 || overhead < -0.1 * first.read) return null;
  return (row) => overhead + ratio * row.token_count;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] as number) + (sorted[Math.floor(half)] as number)) / 2;
}

function say(tokens: number): string {
  return Math.round(tokens).toLocaleString("en-US");
}
