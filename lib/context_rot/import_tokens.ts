/**
 * How many prompt tokens a foreign run really sent, from the counts its file holds.
 * @module
 */

/** The token counts of a row. */
export interface CountedRow {
  /** Length group, in tokens or characters. */
  readonly length: number;
  /** The file's own count of what was sent; null where it has none. */
  readonly sent: number | null;
  /** The server's count; null where the file has none. 0 is an engine's failure and tells nothing. */
  readonly reported: number | null;
  /** Whether the row was sent at all. */
  readonly skip: string | null;
}

/** Where the counts of sent tokens are from. */
export type SentFrom = "file" | "planned length" | "estimated from the run's own counts" | "unknown";

/** Whether one count stands on every row of several lengths: no count of those prompts. */
export function isStale(rows: readonly CountedRow[]): boolean {
  const counts = new Set(rows.flatMap(({ sent }) => sent === null ? [] : [sent]));
  return counts.size === 1 && new Set(rows.map(({ length }) => length)).size > 1;
}

/** Whether the counts of sent tokens only repeat what the server reported. */
export function isCopy(rows: readonly CountedRow[]): boolean {
  const both = rows.filter(({ sent, reported }) => sent !== null && (reported ?? 0) > 0);
  return both.length > 0 &&
    both.filter(({ sent, reported }) => sent === reported).length >= 0.9 * both.length;
}

const FLAT = 1.02;

/**
 * Tokens to expect at each length, from the reported counts of the run itself. Going up from the shortest length, a
 * length whose median is what the two lengths before it lead to (within 10%) stands for itself; one that is lower was
 * cut, and gets what they lead to. Nothing is given where no shorter length shows what to expect.
 */
export function expectedTokens(rows: readonly CountedRow[]): Map<number, number> {
  const groups = [...Map.groupBy(rows.filter((row) => (row.reported ?? 0) > 0), (row) => row.length)]
    .sort(([a], [b]) => a - b)
    .map(([length, group]) => ({ length, read: median(group.map((row) => row.reported as number)) }));
  const whole: { length: number; read: number }[] = [];
  const expected = new Map<number, number>();
  for (const group of groups) {
    const before = whole.at(-1);
    const first = whole.at(-2);
    if (before === undefined) {
      whole.push(group);
      expected.set(group.length, group.read);
      continue;
    }
    const grown = before.read * group.length / before.length;
    const led = first === undefined ? grown : before.read +
      (before.read - first.read) / (before.length - first.length) * (group.length - before.length);
    const flat = group.read <= FLAT * before.read && group.length > 1.1 * before.length;
    // One shorter length says little: a template of fixed size weighs most on the shortest prompt.
    const cut = flat || group.read < (first === undefined ? 0.6 : 0.9) * led;
    expected.set(group.length, cut ? Math.round(led) : group.read);
    if (!cut) whole.push(group);
  }
  return expected;
}

/**
 * The window that a run's counts show: a multiple of 1,024 that is the largest count, on at least three rows, and on
 * every counted row of some length. Null when there is none.
 */
export function seenWindow(rows: readonly CountedRow[]): number | null {
  const counted = rows.filter((row) => (row.reported ?? 0) > 0);
  const most = counted.reduce((max, row) => Math.max(max, row.reported as number), 0);
  if (most === 0 || most % 1024 !== 0) return null;
  const groups = [...Map.groupBy(counted, (row) => row.length).values()];
  return groups.some((group) => group.length >= 3 && group.every((row) => row.reported === most))
    ? most
    : null;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] as number) + (sorted[Math.floor(half)] as number)) / 2;
}
