/**
 * Needle runs of other programs, graded as published, audited and drawn as ours are.
 * @module
 */
import { InputError } from "../base/errors.ts";
import type { Json } from "../base/hash.ts";
import type { GradedRow } from "../runs/experiment.ts";
import { auditSummary } from "./audit_summary.ts";
import { niahCounts, unjudged } from "./import_counts.ts";
import { gradeImported, type ImportedRow } from "./import_graded.ts";
import { labelOf } from "./import_label.ts";
import { type NiahSource, type NiahSourceRow, readNiahRuns } from "./import_niah.ts";
import type { ImportedRun, ImportOptions } from "./import_run.ts";
import { classedNiahRow, niahReport } from "./niah_report.ts";

/** The output cap that the niah-v2 program sends with every request. */
const NIAH_V2_CAP = 256;

/** Reads, audits and draws the needle runs of some files. Writes nothing. */
export async function importNiah(options: ImportOptions): Promise<ImportedRun[]> {
  const sources = await readNiahRuns(options.from, {
    kind: options.as,
    window: options.window ?? null,
    where: options.where ?? {},
    mapping: options.mapping ?? {},
    ...(options.passScore === undefined ? {} : { passScore: options.passScore }),
  });
  const models = new Set(sources.map(({ model }) => model)).size;
  const runs: ImportedRun[] = [];
  for (const source of sources) runs.push(await oneRun(source, options, sources.length > 1, models > 1));
  return runs;
}

async function oneRun(
  source: NiahSource,
  options: ImportOptions,
  several: boolean,
  models: boolean,
): Promise<ImportedRun> {
  const accept = options.accept ?? [];
  checkGradable(source, accept);
  const rows = gradeImported(source.rows.map((row) => importedRow(row, source)), {
    judge: "published",
    match: !source.judged,
    accept,
    exact: source.exact,
    window: source.window?.tokens ?? null,
    maxOutput: options.maxOutputTokens ?? (options.as === "niah-v2" ? NIAH_V2_CAP : null),
  });
  const label = options.variant ?? source.model ?? labelOf(source.rows[0]?.file ?? "run");
  const named = (options.name ?? options.variant ?? null) !== null;
  const parts = [...(models && named ? [source.model] : []), source.variant].filter((part) => part !== null);
  const shown = several && source.variant !== null ? `${label} (${source.variant})` : label;
  const report = await niahReport(rows, {
    variant: shown,
    source: `Imported from ${[...new Set(source.files.map(({ path }) => fileName(path)))].join(" and ")}`,
    graders: source.judged
      ? "graded by the published verdicts"
      : "no verdicts in the files: graded by normalised match alone, without a judge model",
    seed: 0,
    unit: source.unit,
    imported: true,
  });
  const summary = auditSummary(rows.map(classedNiahRow), { unit: source.unit });
  const statistics = report.statistics as { readonly [key: string]: Json };
  return {
    experiment: "niah",
    label: shown,
    stem: label,
    suffix: several ? parts.join("_") : "",
    rows,
    report: {
      ...report,
      statistics: {
        published: niahCounts(rows, summary),
        window: source.window?.tokens ?? null,
        ...statistics,
      },
    },
    notes: [...source.notes, ...auditNotes(source, rows, accept)],
    files: source.files,
  };
}

function importedRow(row: NiahSourceRow, source: NiahSource): ImportedRow {
  return {
    fields: row,
    key: [source.model, source.variant, row.id, row.length, row.depth, row.trial],
    params: {
      approximate_input_length: row.length,
      needle_depth: row.depth,
      trial: row.trial,
      question: row.question,
      answer: row.answer,
      ...(row.id === null ? {} : { source_id: row.id }),
      ...(row.model === null ? {} : { model: row.model }),
      ...(row.variant === null ? {} : { variant: row.variant }),
      token_count_from: row.sentFrom,
    },
    length: row.length,
    depth: row.depth,
    sent: row.sent,
  };
}

function checkGradable(source: NiahSource, accept: readonly string[]): void {
  if (source.judged) return;
  const file = source.rows[0]?.file ?? "";
  if (source.rows.every((row) => row.output === null)) {
    throw new InputError(
      `${file} holds neither outputs nor verdicts: name their columns with --map output=COLUMN or --map verdict=COLUMN.`,
    );
  }
  if (accept.length === 0 && source.rows.every((row) => row.answer === null)) {
    throw new InputError(
      `${file} holds neither verdicts nor answers to compare the outputs with: name a column with --map answer=COLUMN, ` +
        `or give the answer with --accept TEXT.`,
    );
  }
}

const fileName = (path: string) => path.split(/[\\/]/).at(-1) ?? path;

function auditNotes(source: NiahSource, rows: readonly GradedRow[], accept: readonly string[]): string[] {
  const notes: string[] = [];
  const sent = source.rows.filter((row) => row.skip === null);
  const skipped = source.rows.filter((row) => row.skip !== null);
  const stored = skipped.filter((row) => row.verdict?.correct === false).length;
  if (stored > 0) {
    notes.push(
      `${stored} row${
        stored === 1 ? " was" : "s were"
      } never sent and yet stored as not correct: they are in no ` +
        `denominator here`,
    );
  }
  for (const [reason, n] of unjudged(rows)) {
    notes.push(
      `${n} row${n === 1 ? "" : "s"} unjudged (${reason}): in no denominator, and not counted as false`,
    );
  }
  const levels = [...new Set(sent.map((row) => row.sentFrom))];
  const planned = sent.filter((row) => row.sentFrom === "planned length").length;
  if (planned > 0) {
    notes.push(
      `${planned} of ${sent.length} rows: tokens sent are not known, the planned length stands for them`,
    );
  }
  if (levels.includes("estimated from the run's own counts")) {
    notes.push(
      "tokens sent are not in the file; they are estimated from the counts of the run's shorter lengths",
    );
  }
  if (!sent.some((row) => row.reported !== null)) {
    notes.push(
      "the files hold no token counts of the server: a cut prompt could only be seen as a step in depth",
    );
  }
  if (!source.judged && accept.length === 0) {
    const long = source.rows.some((row) => (row.answer ?? "").split(/\s+/).length > 8);
    if (long) {
      notes.push(
        "the answers are whole sentences, and a match finds them only word for word: give the short answer with --accept TEXT",
      );
    }
  }
  return notes;
}
