/**
 * Several judges of one run: who decides, how far they agree, and what is left for a person to say.
 * @module
 */
import type { Json } from "../base/hash.ts";
import { type CohenKappa, cohenKappa } from "../stats/cohen_kappa.ts";
import { type Share, wilson } from "../stats/wilson.ts";
import { type GradedRow, isUngraded, isValid, type Report } from "./experiment.ts";
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

/** A report with what several judges and labels add to it; the same when they add nothing. */
export function withJudges(
  report: Report,
  judges: JudgeReport,
  files: { readonly disagreements: string },
): Report {
  const lines = judgeLines(judges, files);
  if (lines.length === 0) return report;
  const { statistics } = report;
  const fields = typeof statistics === "object" && statistics !== null && !Array.isArray(statistics)
    ? statistics as { readonly [key: string]: Json }
    : { report: statistics };
  return {
    ...report,
    summary: [report.summary.trimEnd(), ...lines].join("\n"),
    statistics: { ...fields, judges: JSON.parse(JSON.stringify(judges)) as Json },
  };
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

const percent = (value: number | null) => value === null ? "-" : `${(value * 100).toFixed(1)}%`;
const shareText = ({ correct, n, estimate, low, high }: Share) =>
  n === 0
    ? "no rows"
    : `${correct}/${n} = ${percent(estimate)} (95% interval ${percent(low)} to ${percent(high)})`;

/** A judge report as lines for people; none when there is one judge and no label. */
export function judgeLines(report: JudgeReport, files: { readonly disagreements: string }): string[] {
  const lines = report.pairs.flatMap((pair) => {
    const [first, second] = pair.judges;
    const head = `Judges ${first} and ${second}`;
    if (pair.kappa.n === 0) return [`${head}: no row was judged by both`];
    const [[both, firstOnly], [secondOnly, neither]] = pair.table;
    const unreadable = pair.unreadable === 0
      ? ""
      : `; ${pair.unreadable} more without a verdict that can be read`;
    return [
      `${head}: agree on ${shareText(pair.kappa.agreement)} of the rows both judged; ${
        kappaText(pair.kappa)
      }`,
      `  both true ${both}, ${first} only ${firstOnly}, ${second} only ${secondOnly}, both false ${neither}${unreadable}`,
      `  called true: ${first} ${percent(pair.prevalence[0].estimate)}, ${second} ${
        percent(pair.prevalence[1].estimate)
      }`,
    ];
  });
  if (report.open > 0) {
    lines.push(
      `${count(report.open, "disagreement")} without a label: ${
        report.judges[0]
      } decides. If all went either way: ` +
        rangeText(report.range),
      ...Object.entries(report.parts).map(([part, own]) => `  ${part}: ${rangeText(own)}`),
      `  Fill in the label column (true or false) of ${files.disagreements} and start the same command again`,
    );
  }
  if (report.labelled > 0) {
    lines.push(
      `${
        count(report.labelled, "row")
      } labelled by a person (judge: relabel), ${report.changed} of them changed`,
    );
  }
  return lines;
}

const count = (n: number, noun: string) => `${n} ${noun}${n === 1 ? "" : "s"}`;
const range = ({ low, high }: AccuracyRange) =>
  `${low.correct}/${low.n} = ${percent(low.estimate)} to ${high.correct}/${high.n} = ${
    percent(high.estimate)
  }`;

const rangeText = ({ raw, valid }: PartRange) =>
  `right ${range(raw)} of all rows sent, ${range(valid)} of valid rows`;

function kappaText({ kappa, low, high }: CohenKappa): string {
  if (kappa === null) return "no kappa: all rows have the same verdict";
  const interval = low === null || high === null
    ? "no interval: the rows show no variation"
    : `95% interval ${low.toFixed(3)} to ${high.toFixed(3)}`;
  return `Cohen's kappa ${kappa.toFixed(3)} (${interval})`;
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
