/**
 * Problems that are the same question and chain under several ids.
 * @module
 */
import { sha256 } from "../base/hash.ts";
import type { DeltaRow } from "./delta_row.ts";
import { compareIds } from "./input_text.ts";
import type { SpliceProblem } from "./types.ts";

/** Problems that are not independent. */
export interface Cluster {
  /** Its name: the first of its ids. */
  readonly name: string;
  /** Its ids, in order. */
  readonly problems: readonly string[];
  /** What is equal. */
  readonly because: "the same reasoning" | "the same measurements";
}

/** Fewer rows than this may be equal by chance. */
const FEWEST_ROWS = 4;

/**
 * Clusters of problems whose hinted chains are equal byte for byte, or, where there is no reasoning to compare, whose rows
 * in the table of deltas are. They are one observation and not several. Only clusters of two and more are given.
 */
export function clusterProblems(problems: readonly SpliceProblem[], rows: readonly DeltaRow[]): Cluster[] {
  const keys = new Map<string, string[]>();
  const because = new Map<string, Cluster["because"]>();
  const put = (id: string, key: string, why: Cluster["because"]) => {
    keys.set(key, [...keys.get(key) ?? [], id]);
    because.set(key, why);
  };
  const known = new Set<string>();
  for (const { id, chains } of problems) {
    const hinted = chains.filter(({ arm }) => arm === "hinted").map(({ reasoning }) => reasoning);
    if (hinted.length === 0) continue;
    known.add(id);
    put(id, sha256(JSON.stringify(hinted)), "the same reasoning");
  }
  for (const [id, group] of Map.groupBy(rows, ({ problem }) => problem)) {
    if (known.has(id) || group.length < FEWEST_ROWS) continue;
    const values = group.map(({ sentence, text, before, after }) => [sentence, text, before, after]);
    put(id, sha256(JSON.stringify(values)), "the same measurements");
  }
  return [...keys].filter(([, ids]) => ids.length > 1).map(([key, ids]) => {
    const sorted = ids.sort(compareIds);
    return { name: sorted[0] as string, problems: sorted, because: because.get(key) as Cluster["because"] };
  }).sort((a, b) => compareIds(a.name, b.name));
}

/** The cluster of each problem; its own id for a problem that is like no other. */
export function clusterOf(clusters: readonly Cluster[]): (problem: string) => string {
  const names = new Map(clusters.flatMap(({ name, problems }) => problems.map((id) => [id, name] as const)));
  return (problem) => names.get(problem) ?? problem;
}
