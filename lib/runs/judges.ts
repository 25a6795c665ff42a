/**
 * Several judges of one run: who decides, and what is left for a person to say.
 * @module
 */
import type { GradedRow } from "./experiment.ts";
import { type JudgeReport, judgeReport } from "./judge_report.ts";
import type { Label, Labels } from "./labels.ts";

/** What one judge said of the rows it was asked about. */
export interface JudgePass {
  /** Name of the variant. */
  readonly judge: string;
  /** Every row as it is graded by this judge alone, in plan order. */
  readonly rows: readonly GradedRow[];
  /** Ids of the rows that this judge was asked about; match settled the others. */
  readonly asked: ReadonlySet<string>;
}

/** What the judges said of a row. */
export interface JudgedRow {
  /** The row as the deciding judge grades it. */
  readonly graded: GradedRow;
  /** What each judge said, in the judges' order: null where its reply cannot be read; undefined where it was not asked. */
  readonly verdicts: readonly (boolean | null | undefined)[];
  /** What each judge replied. */
  readonly replies: readonly string[];
  /** Whether the judges that were asked did not all say the same. */
  readonly open: boolean;
}

/**
 * Puts the judges' passes together. The first judge whose reply can be read decides. Without judges there is one pass.
 */
export function judgedRows(passes: readonly JudgePass[]): JudgedRow[] {
  const [first] = passes;
  return (first?.rows ?? []).map((own, i): JudgedRow => {
    const grades = passes.map(({ rows }) => rows[i] as GradedRow);
    const verdicts = passes.map(({ asked }, j) =>
      asked.has(own.row.id) ? grades[j]?.grade?.correct ?? null : undefined
    );
    const decider = Math.max(0, verdicts.findIndex((verdict) => typeof verdict === "boolean"));
    const said = verdicts.filter((verdict) => verdict !== undefined);
    const graded = grades[decider] as GradedRow;
    const open = passes.length > 1 && new Set(said).size > 1;
    return {
      graded: passes.length < 2 || said.length === 0 ? graded : withVerdicts(graded, passes, verdicts),
      verdicts,
      replies: grades.map(({ grade }) => grade?.judge_output ?? ""),
      open,
    };
  });
}

function withVerdicts(
  graded: GradedRow,
  passes: readonly JudgePass[],
  verdicts: readonly (boolean | null | undefined)[],
): GradedRow {
  if (graded.grade === null) return graded;
  const columns = Object.fromEntries(passes.map(({ judge }, j) => [`judge_${judge}`, verdicts[j] ?? null]));
  const agree = new Set(verdicts.filter((verdict) => verdict !== undefined)).size === 1;
  return {
    ...graded,
    grade: { ...graded.grade, extra: { ...graded.grade.extra, ...columns, judges_agree: agree } },
  };
}

/** Lets labels decide: `relabelled` are the rows as they are graded with the labels in place of every verdict. */
export function withLabels(
  judged: readonly JudgedRow[],
  relabelled: readonly GradedRow[],
  labels: Labels,
): GradedRow[] {
  return judged.map(({ graded }, i) => {
    const label = labels.get(graded.row.id);
    const other = relabelled[i] as GradedRow;
    if (label === undefined || other.grade === null) return graded;
    const before = graded.grade?.extra ?? {};
    const note = label.note === "" ? {} : { label_note: label.note };
    return { ...other, grade: { ...other.grade, extra: { ...before, ...other.grade.extra, ...note } } };
  });
}

/** A run as its judges and its labels leave it. */
export interface JudgedRun {
  /** Every row with its final grade, in plan order. */
  readonly rows: readonly GradedRow[];
  /** What judges and labels add to the report. */
  readonly report: JudgeReport;
  /** Header and rows of the queue of disagreements; null when there are not several judges. */
  readonly queue: readonly [readonly string[], readonly (readonly string[])[]] | null;
}

/**
 * Puts the judges' passes and people's labels together.
 *
 * @param options.relabelled every row as it is graded with the labels in place of every verdict; null without labels.
 * @param options.part the part of the run a row belongs to.
 */
export function judgeRun(
  passes: readonly JudgePass[],
  options: {
    readonly relabelled: readonly GradedRow[] | null;
    readonly labels: Labels;
    readonly part: (row: GradedRow) => string | null;
  },
): JudgedRun {
  const { relabelled, labels, part } = options;
  const judged = judgedRows(passes);
  const rows = relabelled === null
    ? judged.map(({ graded }) => graded)
    : withLabels(judged, relabelled, labels);
  const several = passes.length > 1;
  return {
    rows,
    report: judgeReport(several ? passes : [], judged, rows, labels, part),
    queue: several ? [queueHeader(passes), queueRows(judged, labels)] : null,
  };
}

/** The columns of the queue of disagreements, for these judges. */
export function queueHeader(passes: readonly JudgePass[]): string[] {
  return [
    ...["id", "question", "answer", "output"],
    ...passes.flatMap(({ judge }) => [`verdict_${judge}`, `reply_${judge}`]),
    ...["label", "note"],
  ];
}

/** The queue of disagreements: rows on which the judges differ, with what they said, and the labels there are. */
export function queueRows(judged: readonly JudgedRow[], labels: Labels): string[][] {
  return judged.flatMap(({ graded, verdicts, replies, open }) => {
    const { row, attempt } = graded;
    const label: Label | undefined = labels.get(row.id);
    // What was labelled elsewhere needs nobody; what was labelled here stays, whatever the judges say now.
    if (label === undefined ? !open : !label.queued) return [];
    const text = (column: string) => String(row.params[column] ?? "");
    return [[
      row.id,
      text("question"),
      text("answer"),
      attempt?.output ?? "",
      ...verdicts.flatMap((verdict, j) => [
        verdict === undefined ? "" : verdict === null ? "not readable" : String(verdict),
        replies[j] ?? "",
      ]),
      label === undefined ? "" : String(label.correct),
      label?.note ?? "",
    ]];
  });
}
