/**
 * How far the judges of a run agree, and how much hangs on the rows on which they do not.
 * @module
 */
import { type CohenKappa, cohenKappa } from "../stats/cohen_kappa.ts";
import { type Share, wilson } from "../stats/wilson.ts";
import { type GradedRow, isUngraded, isValid } from "./experiment.ts";
import type { JudgedRow, JudgePass } from "./judges.ts";
import type { Labels } from "./labels.ts";

/** The agreement of two judges. */
export interface JudgePair {
  /** Names of both. */
  readonly judges: readonly [string, string];
  /** Rows that both judged: `[[both true, first only], [second only, both false]]`. */
  readonly table: readonly [readonly [number, number], readonly [number, number]];
  /** Agreement, kappa, and their intervals. */
  readonly kappa: CohenKappa;
  /** Share that each calls true. */
  readonly prevalence: readonly [Share, Share];
  /** Rows that both were asked about where the reply of one cannot be read as a verdict. */
  readonly unreadable: number;
}

/** The accuracy of a run if every open row were right, and if none were. */
export interface AccuracyRange {
  /** If none were. */
  readonly low: Share;
  /** If all were. */
  readonly high: Share;
}

/** What several judges and labels add to a run's report. */
export interface JudgeReport {
  /** The judges, the deciding one first. */
  readonly judges: readonly string[];
  /** Every two of them. */
  readonly pairs: readonly JudgePair[];
  /** Rows on which the judges differ. */
  readonly disagreements: number;
  /** Of these, the ones that a person has not labelled. */
  readonly open: number;
  /** Rows that a person has labelled. */
  readonly labelled: number;
  /** Of these, the ones whose verdict the label changed. */
  readonly changed: number;
  /** Accuracy if all open rows went either way. */
  readonly range: PartRange;
  /** The same of each part of the run (focused and full), where it has parts. */
  readonly parts: Readonly<Record<string, PartRange>>;
}

/** Accuracy if all open rows went either way: over all rows sent, and over valid ones. */
export interface PartRange {
  /** Over all rows sent. */
  readonly raw: AccuracyRange;
  /** Over valid rows. */
  readonly valid: AccuracyRange;
}

/** How far the judges agree, and how much hangs on the rows on which they do not. */
export function judgeReport(
  passes: readonly JudgePass[],
  judged: readonly JudgedRow[],
  rows: readonly GradedRow[],
  labels: Labels,
  partOf: (row: GradedRow) => string | null = () => null,
): JudgeReport {
  const openIds = new Set(
    judged.filter((row) => row.open && !labels.has(row.graded.row.id)).map((row) => row.graded.row.id),
  );
  const labelled = judged.filter(({ graded }, i) =>
    labels.has(graded.row.id) && rows[i]?.grade?.judge === "relabel"
  );
  return {
    judges: passes.map(({ judge }) => judge),
    pairs: passes.flatMap((first, i) =>
      passes.slice(i + 1).map((second, k) => pairOf(first.judge, second.judge, judged, i, i + 1 + k))
    ),
    disagreements: judged.filter((row) => row.open).length,
    open: openIds.size,
    labelled: labelled.length,
    changed:
      labelled.filter(({ graded }) => graded.grade?.correct !== labels.get(graded.row.id)?.correct).length,
    range: partRange(rows, openIds),
    parts: Object.fromEntries(
      [...Map.groupBy(rows, partOf)].flatMap(([part, group]) =>
        part === null ? [] : [[part, partRange(group, openIds)]]
      ),
    ),
  };
}

function partRange(rows: readonly GradedRow[], open: ReadonlySet<string>): PartRange {
  const sent = rows.filter(({ grade }) => grade !== null);
  const valid = sent.filter(({ row, grade }) =>
    grade !== null &&
    (isValid(grade.validity) || (open.has(row.id) && grade.validity === "error" && grade.correct === null))
  );
  return { raw: rangeOf(sent, open), valid: rangeOf(valid, open) };
}

function rangeOf(rows: readonly GradedRow[], open: ReadonlySet<string>): AccuracyRange {
  const fixed = rows.filter(({ row }) => !open.has(row.id));
  const right = fixed.filter(({ grade }) => grade?.correct === true && grade.validity !== "error").length;
  // A row that nobody could grade counts neither way, as in the report.
  const graded = fixed.filter((row) => !isUngraded(row));
  const left = rows.length - fixed.length;
  const n = graded.length + left;
  return { low: wilson(right, n), high: wilson(right + left, n) };
}

function pairOf(
  first: string,
  second: string,
  judged: readonly JudgedRow[],
  i: number,
  j: number,
): JudgePair {
  const counts = { both: 0, first: 0, second: 0, neither: 0, unreadable: 0 };
  for (const { verdicts } of judged) {
    const [a, b] = [verdicts[i], verdicts[j]];
    if (a === undefined || b === undefined) continue;
    if (a === null || b === null) counts.unreadable++;
    else counts[a ? (b ? "both" : "first") : (b ? "second" : "neither")]++;
  }
  const table = [[counts.both, counts.first], [counts.second, counts.neither]] as const;
  const kappa = cohenKappa(table);
  return {
    judges: [first, second],
    table,
    kappa,
    prevalence: [wilson(counts.both + counts.first, kappa.n), wilson(counts.both + counts.second, kappa.n)],
    unreadable: counts.unreadable,
  };
}
