/**
 * Tables, statistics and the figure of a LongMemEval run, from graded rows alone.
 * @module
 */
import type { Variant } from "../backends/variants.ts";
import type { Json } from "../base/hash.ts";
import type { MemoryPairs } from "../figures/longmemeval_bars.ts";
import { longMemEvalFigure } from "../figures/longmemeval_figure.ts";
import type { MemoryFigureRow } from "../figures/longmemeval_rows.ts";
import { type GradedRow, isUngraded, type Report } from "../runs/experiment.ts";
import { type Difference, pairedDifference } from "../stats/difference.ts";
import { mcnemarExact } from "../stats/mcnemar_exact.ts";
import { isValid } from "./audit.ts";
import { type AuditCounts, auditSummary, type ClassedRow, formatShare } from "./audit_summary.ts";
import { type Condition, CONDITIONS } from "./longmemeval_file.ts";
import { ABSTENTION, QUESTION_TYPES } from "./longmemeval_types.ts";

/** What a report says beside its rows. */
export interface LongMemEvalReportOptions {
  /** The model. */
  readonly variant: Pick<Variant, "name" | "backend">;
  /** Description of the data. */
  readonly data: string;
  /** Who graded: `graded by normalised match, then by gpt-4o-mini`. */
  readonly graders: string;
  /** Whether the rows are from another program. */
  readonly imported?: boolean;
}

/** Questions seen under both conditions. */
export interface PairedResult {
  /** Questions. */
  readonly n: number;
  /** The two-by-two table. */
  readonly table: MemoryPairs;
  /** Focused minus full, with its interval; null without questions. */
  readonly difference: Difference | null;
  /** Two-sided exact McNemar p-value. */
  readonly mcnemarP: number;
}

/** Counts and accuracies by condition. */
export type ByCondition = Readonly<Record<Condition, AuditCounts>>;

/** The statistics of a run. */
export interface LongMemEvalStatistics {
  /** All questions. */
  readonly conditions: ByCondition;
  /** By question type, in the order of tables. */
  readonly types: readonly ({ readonly type: string } & ByCondition)[];
  /** Pairs of rows that were both sent, and of those that are both valid. */
  readonly paired: { readonly raw: PairedResult; readonly valid: PairedResult };
  /** Sentences for title and report. */
  readonly warnings: readonly string[];
}

interface MemoryRow extends ClassedRow {
  readonly id: string;
  readonly condition: Condition;
  readonly type: string;
  readonly tokens: number;
}

/** Accuracy of both conditions raw and over valid rows, by question type, and paired; the figure. */
export async function longMemEvalReport(
  graded: readonly GradedRow[],
  options: LongMemEvalReportOptions,
): Promise<Report> {
  const { variant, graders, data, imported = false } = options;
  const rows = classed(graded);
  const statistics = longMemEvalStatistics(rows);
  const { conditions, types, paired, warnings } = statistics;
  const simulated = variant.backend === "simulated";
  const invalid = CONDITIONS.some((name) => conditions[name].invalidShare > 0);
  const shown = invalid ? paired.valid : paired.raw;
  const pairsOf = invalid ? "valid under both conditions" : "asked under both conditions";
  const figure = await longMemEvalFigure(rows.map(figureRow), {
    variant: variant.name,
    pairs: shown.n === 0 ? null : shown.table,
    pairsOf,
    tokens: { focused: medianOf(rows, "focused"), full: medianOf(rows, "full") },
    notes: [
      sentence(`${data}; ${graders}`),
      ...(shown.n === 0 ? [] : [`${shown.n} questions ${pairsOf}: ${formatPaired(shown)}`]),
    ],
    simulated,
    imported,
  });
  return {
    summary: [
      ...(simulated ? ["Simulated: these rows show how the instruments behave, not a model."] : []),
      `LongMemEval, ${variant.name}, ${data}; ${graders}`,
      ...CONDITIONS.flatMap((name) => formatCondition(name, conditions[name])),
      ...(paired.raw.n === 0 ? [] : [
        `Paired, ${paired.raw.n} questions asked under both conditions: ${formatTable(paired.raw.table)}`,
        `  ${formatPaired(paired.raw)}`,
      ]),
      ...(invalid && paired.valid.n > 0
        ? [
          `Paired, ${paired.valid.n} questions valid under both conditions: ${
            formatTable(paired.valid.table)
          }`,
          `  ${formatPaired(paired.valid)}`,
        ]
        : []),
      ...(types.length > 1 ? ["By question type, valid rows:", ...types.flatMap(formatType)] : []),
      ...warnings.map((warning) => `Warning: ${warning}`),
    ].join("\n"),
    statistics: JSON.parse(JSON.stringify({ ...statistics, simulated })) as Json,
    figures: { accuracy: figure },
  };
}

/** The rows as the audit reads them: a row not reached yet has neither a class nor a skip. */
function classed(graded: readonly GradedRow[]): MemoryRow[] {
  const known = graded.some(({ row }) => typeOf(row.params) !== null && typeOf(row.params) !== ABSTENTION);
  const rows = graded.map(({ row, attempt, grade }): MemoryRow => ({
    ungraded: isUngraded({ attempt, grade }),
    id: String(row.params["custom_id"]),
    condition: row.params["condition"] as Condition,
    type: typeOf(row.params) ?? (known ? "type not known" : "answerable"),
    tokens: attempt?.token_count ?? row.tokens,
    length: 0,
    skip: row.skip,
    validity: grade?.validity ?? null,
    correct: grade?.correct ?? null,
  }));
  const rank = (type: string) => {
    const at = [...QUESTION_TYPES, "answerable"].indexOf(type as typeof QUESTION_TYPES[number]);
    return type === ABSTENTION ? 99 : at < 0 ? 50 : at;
  };
  return rows.toSorted((a, b) =>
    rank(a.type) - rank(b.type) || (a.type < b.type ? -1 : a.type > b.type ? 1 : 0)
  );
}

const typeOf = (params: GradedRow["row"]["params"]) => (params["question_type"] ?? null) as string | null;

/** Counts, pairs and tests of a run's rows. */
function longMemEvalStatistics(rows: readonly MemoryRow[]): LongMemEvalStatistics {
  const reached = rows.filter((row) => row.skip !== null || row.validity !== null);
  const { warnings } = auditSummary(reached);
  return {
    conditions: byCondition(reached),
    types: [...Map.groupBy(reached, (row) => row.type)].map(([type, group]) => ({
      type,
      ...byCondition(group),
    })),
    paired: {
      raw: paired(reached, () => true),
      valid: paired(reached, (row) => row.validity !== null && isValid(row.validity)),
    },
    warnings,
  };
}

function byCondition(rows: readonly MemoryRow[]): ByCondition {
  const of = (condition: Condition) => {
    const { lengths: _l, depths: _d, warnings: _w, ...counts } = auditSummary(
      rows.filter((row) => row.condition === condition),
    );
    return counts;
  };
  return { focused: of("focused"), full: of("full") };
}

function paired(rows: readonly MemoryRow[], keep: (row: MemoryRow) => boolean): PairedResult {
  const table = { both: 0, focusedOnly: 0, fullOnly: 0, neither: 0 };
  const sent = rows.filter((row) => row.skip === null && keep(row));
  for (const pair of Map.groupBy(sent, (row) => row.id).values()) {
    const right = (condition: Condition) => {
      const row = pair.find((candidate) => candidate.condition === condition);
      return row === undefined || row.ungraded ? null : row.correct === true && row.validity !== "error";
    };
    const [focused, full] = [right("focused"), right("full")];
    if (focused === null || full === null) continue;
    table[focused ? (full ? "both" : "focusedOnly") : (full ? "fullOnly" : "neither")]++;
  }
  const { both, focusedOnly, fullOnly, neither } = table;
  const n = both + focusedOnly + fullOnly + neither;
  return {
    n,
    table,
    difference: n === 0
      ? null
      : pairedDifference({ both, firstOnly: focusedOnly, secondOnly: fullOnly, neither }),
    mcnemarP: mcnemarExact(focusedOnly, fullOnly),
  };
}

function figureRow(
  { condition, type, validity, skip, correct, ungraded = false }: MemoryRow,
): MemoryFigureRow {
  return { condition, type, validity, skip, correct, ungraded };
}

function medianOf(rows: readonly MemoryRow[], condition: Condition): number | null {
  const sorted = rows.filter((row) => row.condition === condition).map((row) => row.tokens).sort((a, b) =>
    a - b
  );
  const half = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(half) - 1], sorted[Math.floor(half)]];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}

function formatCondition(name: Condition, counts: AuditCounts): string[] {
  const label = `  ${name.padEnd(8)}`;
  const skipped = counts.skipped > 0 ? `${counts.skipped} skipped, beyond the window` : "";
  if (counts.sent === 0) return [`${label}no row sent${skipped === "" ? "" : `: ${skipped}`}`];
  const classes = Object.entries(counts.counts).filter(([, n]) => n > 0).map(([text, n]) => `${text} ${n}`)
    .join(", ");
  return [
    `${label}${formatShare(counts.raw)} of all rows sent` +
    (counts.invalidShare > 0 ? `; ${formatShare(counts.valid)} of valid rows` : ""),
    `          ${classes}${skipped === "" ? "" : `; ${skipped}`}`,
  ];
}

function formatType({ type, focused, full }: { readonly type: string } & ByCondition): string[] {
  const one = (counts: AuditCounts) => counts.valid.n === 0 ? "no valid rows" : formatShare(counts.valid);
  return [`  ${type}`, `    focused ${one(focused)}`, `    full    ${one(full)}`];
}

const formatTable = (table: MemoryPairs) =>
  `both right ${table.both}, focused only ${table.focusedOnly}, full only ${table.fullOnly}, neither ${table.neither}`;

function formatPaired({ difference, mcnemarP }: PairedResult): string {
  if (difference === null) return "no pairs";
  const points = (share: number) => (share * 100).toFixed(1);
  return `focused minus full: ${points(difference.estimate)} points (95% interval ${
    points(difference.low)
  } to ${points(difference.high)}); exact McNemar p = ${mcnemarP.toPrecision(2)}`;
}

const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
