/**
 * Imports a published run: reads its files, audits its rows, and writes our CSVs, report and figures.
 * @module
 */
import { basename, resolve } from "node:path";
import { snakeName } from "../backends/variants.ts";
import { InputError } from "../base/errors.ts";
import { writeAtomic } from "../base/files.ts";
import type { Json } from "../base/hash.ts";
import { svgToPng } from "../figures/svg_to_png.ts";
import { writeEvaluatedCsv, writeResultsCsv } from "../runs/csv.ts";
import type { GradedRow, Layout, Report } from "../runs/experiment.ts";
import { lockRun } from "../runs/lock.ts";
import { type RunFiles, runFiles } from "../runs/run_files.ts";
import type { ImportKind } from "./import_fields.ts";
import { importLongMemEval } from "./import_longmemeval_run.ts";
import { importNiah } from "./import_niah_run.ts";
import type { SourceFile } from "./import_records.ts";
import { importRepeatedWords } from "./import_words_run.ts";

/** What is imported, and how. */
export interface ImportOptions {
  /** Files, or folders of JSON files. */
  readonly from: readonly string[];
  /** What they are. */
  readonly as: ImportKind;
  /** The results folder. */
  readonly results: string;
  /** Name of our files; `imported_` and the label when left out. */
  readonly name?: string | null;
  /** What the model is called in titles; the model the file names, else from the file's name. */
  readonly variant?: string | null;
  /** The context window of the model in tokens, over what the files say. */
  readonly window?: number | null;
  /** Output cap of the foreign run in tokens. */
  readonly maxOutputTokens?: number | null;
  /** Columns given by hand: our field -> theirs. */
  readonly mapping?: Readonly<Record<string, string>>;
  /** Conditions of the files, in their order, where their names do not say them. */
  readonly conditions?: readonly string[];
  /** Further answers that count as right where the files hold no verdicts. */
  readonly accept?: readonly string[];
  /** Least score that is right, where a file has scores. */
  readonly passScore?: number;
  /** Only rows whose column has this value. */
  readonly where?: Readonly<Record<string, string>>;
}

/** One run out of the files, before it is written. */
export interface ImportedRun {
  /** As in file names: `niah`. */
  readonly experiment: string;
  /** What the model is called. */
  readonly label: string;
  /** What its files are called after `imported_`, when no name is given. */
  readonly stem: string;
  /** What tells it from other runs of the same import, for file names; empty when it is alone. */
  readonly suffix: string;
  /** How its files are laid out, as its experiment has it. */
  readonly layout?: Layout;
  /** The part of the layout a row belongs to. */
  part?(row: GradedRow): string;
  /** Its rows. */
  readonly rows: readonly GradedRow[];
  /** Tables and figures. */
  readonly report: Report;
  /** What was noticed on reading, for people. */
  readonly notes: readonly string[];
  /** The files it is from. */
  readonly files: readonly SourceFile[];
}

/** An imported run with its files. */
export interface WrittenImport extends ImportedRun {
  /** Where everything is. */
  readonly written: RunFiles;
  /** The report as it is written, for people. */
  readonly text: string;
}

/** Width of the PNG figures. */
const PNG_WIDTH = 1600;

/**
 * Imports runs and writes their files. Everything is read and drawn before anything is written.
 *
 * @throws {InputError} when a file cannot be read or is of another kind, or a file of our own would be overwritten.
 */
export async function importRuns(options: ImportOptions): Promise<WrittenImport[]> {
  const runs = await readRuns(options);
  const taken = new Set<string>();
  const prepared: WrittenImport[] = [];
  for (const run of runs) {
    const stem = options.name ?? `imported_${run.stem}`;
    const variant = fileName(run.suffix === "" ? stem : `${stem}_${run.suffix}`);
    const written = runFiles({
      results: options.results,
      experiment: run.experiment,
      variant,
      test: false,
      layout: run.layout ?? null,
    });
    if (taken.has(written.name)) {
      throw new InputError(
        `Two runs of the files would be called ${written.name}: import them one at a time with --name.`,
      );
    }
    taken.add(written.name);
    await refuseOverwriting(written, run);
    const text = [run.report.summary, ...run.notes.map((note) => `Noticed: ${note}`)].join("\n");
    prepared.push({ ...run, written, text });
  }
  for (const run of prepared) await write(run, options);
  return prepared;
}

/** A name as every system can write it. */
function fileName(text: string): string {
  return snakeName(text).replaceAll(/[^\p{L}\p{N}]+/gu, "_").replaceAll(/^_|_$/g, "");
}

function readRuns(options: ImportOptions): Promise<ImportedRun[]> {
  switch (options.as) {
    case "chroma-niah":
    case "niah-v2":
      return importNiah(options);
    case "chroma-repeated-words":
      return importRepeatedWords(options);
    case "chroma-longmemeval":
      return importLongMemEval(options);
  }
}

async function refuseOverwriting(files: RunFiles, run: ImportedRun): Promise<void> {
  const remedy = "choose another name with --name, or another folder with --results.";
  if (await Deno.stat(files.attempts).then(() => true, () => false)) {
    throw new InputError(`${files.attempts} belongs to a run of our own called ${files.name}: ${remedy}`);
  }
  const ours = new Set(
    [
      ...files.csvs.flatMap(({ results, evaluated }) => [results, evaluated]),
      files.reportJson,
      files.reportText,
    ].map((path) => resolve(path)),
  );
  const source = run.files.find(({ path }) => ours.has(resolve(path)));
  if (source !== undefined) {
    throw new InputError(`${source.path} would be overwritten by its own import: ${remedy}`);
  }
}

async function write(run: WrittenImport, options: ImportOptions): Promise<void> {
  const { written: files, rows, report } = run;
  using _lock = await lockRun(files.lock);
  for (const { part, results, evaluated } of files.csvs) {
    const own = part === null ? rows : rows.filter((graded) => run.part?.(graded) === part);
    const byRow = new Map(own.map((graded) => [graded.row, graded]));
    const none = { attempt: null, attempts: 0 };
    await writeResultsCsv(results, own.map(({ row }) => row), (row) => byRow.get(row) ?? none);
    await writeEvaluatedCsv(evaluated, own);
  }
  const figures: Record<string, string> = {};
  for (const [name, { svg, alt }] of Object.entries(report.figures)) {
    await writeAtomic(files.figure(name, "svg"), svg);
    await writeAtomic(files.figure(name, "png"), await svgToPng(svg, { width: PNG_WIDTH }));
    figures[name] = alt;
  }
  await writeAtomic(files.reportText, `${run.text}\n`);
  const content: Json = {
    experiment: run.experiment,
    variant: run.label,
    imported: {
      as: options.as,
      files: run.files.map(({ path, sha256, records }) => ({ file: basename(path), sha256, records })),
      notes: [...run.notes],
    },
    figures,
    statistics: report.statistics,
  };
  await writeAtomic(files.reportJson, JSON.stringify(content, null, 2) + "\n");
}
