/**
 * LongMemEval runs of other programs, graded as published, audited and drawn as ours are.
 * @module
 */
import { basename } from "node:path";
import { InputError } from "../base/errors.ts";
import type { Json } from "../base/hash.ts";
import type { GradedRow } from "../runs/experiment.ts";
import type { AuditCounts } from "./audit_summary.ts";
import { median, publishedShare, rounded, unjudged } from "./import_counts.ts";
import { gradeImported } from "./import_graded.ts";
import type { Verdict } from "./grade_rows.ts";
import { labelOf } from "./import_label.ts";
import { type MemorySource, type MemorySourceRow, readMemoryRun } from "./import_longmemeval.ts";
import type { ImportedRun, ImportOptions } from "./import_run.ts";
import { type Condition, CONDITIONS } from "./longmemeval_file.ts";
import { matchMemory } from "./longmemeval_match.ts";
import { longMemEvalReport, type LongMemEvalStatistics, type PairedResult } from "./longmemeval_report.ts";
import { ABSTENTION, isAbstentionId } from "./longmemeval_types.ts";

/** Reads, audits and draws a LongMemEval run. Writes nothing. */
export async function importLongMemEval(options: ImportOptions): Promise<ImportedRun[]> {
  const source = await readMemoryRun(options.from, {
    conditions: options.conditions ?? [],
    mapping: options.mapping ?? {},
    where: options.where ?? {},
    ...(options.passScore === undefined ? {} : { passScore: options.passScore }),
  });
  const accept = options.accept ?? [];
  checkGradable(source, accept);
  const typical = new Map(
    CONDITIONS.map((condition) => [condition, median(tokensOf(source, condition)) ?? 0]),
  );
  const rows = gradeImported(
    source.rows.map((row) => ({
      fields: row,
      key: [row.condition, row.id],
      params: {
        custom_id: row.id,
        condition: row.condition,
        question_type: isAbstentionId(row.id) ? ABSTENTION : row.type,
        question: row.question,
        answer: row.answer,
      },
      length: typical.get(row.condition) ?? 0,
      sent: row.sent,
      ...(source.judged || accept.length > 0 || row.output === null || row.answer === null
        ? {}
        : { verdict: matchedVerdict(row, row.output, row.answer) }),
    })),
    {
      judge: "published",
      match: !source.judged,
      accept,
      exact: false,
      window: options.window ?? source.rows.find((row) => row.window !== null)?.window ?? null,
      maxOutput: options.maxOutputTokens ?? null,
    },
  );
  const label = options.variant ?? source.rows[0]?.model ?? labelOf(source.rows[0]?.file ?? "run");
  const report = await longMemEvalReport(rows, {
    variant: { name: label, backend: "api" },
    data: `imported from ${[...new Set(source.files.map(({ path }) => basename(path)))].join(" and ")}`,
    graders: source.judged
      ? "graded by the published verdicts"
      : "no verdicts in the files: graded by normalised match alone, without a judge model",
    imported: true,
  });
  const statistics = report.statistics as { readonly [key: string]: Json };
  const published = publishedCounts(source, rows, statistics as unknown as LongMemEvalStatistics);
  return [{
    experiment: "longmemeval",
    label,
    stem: label,
    suffix: "",
    layout: { parts: CONDITIONS, mainFigure: "accuracy" },
    part: ({ row }) => String(row.params["condition"]),
    rows,
    report: {
      ...report,
      summary: [report.summary, ...mcnemarLine((statistics as unknown as LongMemEvalStatistics).paired.raw)]
        .join("\n"),
      statistics: { published, ...statistics },
    },
    notes: [...source.notes, ...notesOf(source, rows)],
    files: source.files,
  }];
}

/** Right as our own runs without a judge see it: by the rules of the question. */
function matchedVerdict(row: MemorySourceRow, output: string, answer: string): Verdict {
  const { right, atEnd } = matchMemory(output, {
    type: row.type,
    abstention: isAbstentionId(row.id),
    question: row.question,
    answer,
  });
  return { correct: right === true, judge: "match", output: String(right === true), atEnd };
}

function checkGradable(source: MemorySource, accept: readonly string[]): void {
  if (source.judged) return;
  const file = basename(source.rows[0]?.file ?? "");
  if (source.rows.every((row) => row.output === null)) {
    throw new InputError(
      `${file} holds neither outputs nor verdicts: name a column with --map output=COLUMN.`,
    );
  }
  if (accept.length === 0 && source.rows.every((row) => row.answer === null)) {
    throw new InputError(
      `${file} holds neither verdicts nor answers: name a column with --map answer=COLUMN.`,
    );
  }
}

function tokensOf(source: MemorySource, condition: Condition): number[] {
  return source.rows.flatMap((row) => row.condition === condition && row.sent !== null ? [row.sent] : []);
}

/** Counts, pairs and tests in the form in which published numbers are given. */
function publishedCounts(
  source: MemorySource,
  rows: readonly GradedRow[],
  { conditions, paired }: LongMemEvalStatistics,
): Json {
  const ids = new Set(source.rows.map((row) => row.id));
  const of = (condition: Condition) => source.rows.filter((row) => row.condition === condition);
  const one = (condition: Condition): Json => {
    const own = of(condition);
    const tokens = tokensOf(source, condition);
    return {
      rows: own.length,
      unjudged: conditions[condition].ungraded,
      ...shareOf(conditions[condition]),
      tokens_min_median_max: tokens.length === 0
        ? null
        : [Math.min(...tokens), median(tokens) ?? 0, Math.max(...tokens)],
      verdict_spellings: spellings(own),
      answerable: classShare(rows, condition, false),
      abstention: classShare(rows, condition, true),
    };
  };
  return {
    unique_ids: ids.size,
    ids_ending_abs: [...ids].filter(isAbstentionId).length,
    focused: one("focused"),
    full: one("full"),
    not_paired: {
      focused_only: only(of("focused"), of("full")),
      full_only: only(of("full"), of("focused")),
    },
    ...pairsJson(paired.raw),
  };
}

function mcnemarLine({ n, table, mcnemarP }: PairedResult): string[] {
  return n === 0 ? [] : [
    `McNemar, two-sided exact binomial: b = ${table.focusedOnly} (focused only), c = ${table.fullOnly} (full only), ` +
    `p = ${mcnemarP.toPrecision(7)}`,
  ];
}

const shareOf = ({ raw }: AuditCounts) => ({ ...publishedShare(raw) });

function pairsJson({ n, table, difference, mcnemarP }: PairedResult): { readonly [key: string]: Json } {
  return {
    paired: {
      n,
      both_correct: table.both,
      focused_only: table.focusedOnly,
      full_only: table.fullOnly,
      neither: table.neither,
    },
    mcnemar: n === 0 ? null : { b: table.focusedOnly, c: table.fullOnly, p: mcnemarP },
    difference: difference === null ? null : {
      estimate: rounded(difference.estimate),
      interval95: [rounded(difference.low), rounded(difference.high)],
    },
  };
}

/** Right of all judged rows, of the questions that no chat answers or of the others. */
function classShare(rows: readonly GradedRow[], condition: Condition, abstention: boolean): Json {
  const judged = rows.filter(({ row, grade }) =>
    row.params["condition"] === condition && isAbstentionId(String(row.params["custom_id"])) === abstention &&
    grade !== null && grade.correct !== null
  );
  return { correct: judged.filter(({ grade }) => grade?.correct === true).length, n: judged.length };
}

function spellings(rows: readonly MemorySourceRow[]): { readonly [key: string]: number } {
  const counts = new Map<string, number>();
  for (const { verdict } of rows) {
    if (verdict !== null) counts.set(verdict.text, (counts.get(verdict.text) ?? 0) + 1);
  }
  return Object.fromEntries(counts);
}

function only(own: readonly MemorySourceRow[], other: readonly MemorySourceRow[]): string[] {
  const ids = new Set(other.map((row) => row.id));
  return own.flatMap((row) => ids.has(row.id) ? [] : [row.id]);
}

function notesOf(source: MemorySource, rows: readonly GradedRow[]): string[] {
  const notes = unjudged(rows).map(([reason, n]) =>
    `${n} row${
      n === 1 ? "" : "s"
    } unjudged (${reason}): in no denominator, not paired, and not counted as false`
  );
  for (const condition of CONDITIONS) {
    const found = spellings(source.rows.filter((row) => row.condition === condition));
    const names = Object.entries(found);
    if (new Set(names.map(([text]) => text.trim().toLowerCase())).size < names.length) {
      notes.push(
        `${condition}: verdicts are spelled in several ways (${
          names.map(([text, n]) => `${text} ${n}`).join(", ")
        })`,
      );
    }
  }
  const sent = source.rows.filter((row) => row.skip === null);
  if (!sent.some((row) => row.reported !== null)) {
    notes.push("the files hold no token counts of the server: a cut prompt could not be seen");
  }
  if (sent.some((row) => row.sent === null)) {
    notes.push("the tokens that were sent are not known for all rows");
  }
  return notes;
}
