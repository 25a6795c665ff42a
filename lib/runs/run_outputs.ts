/**
 * The files that a run's attempts and graded rows are projected into.
 * @module
 */
import { z } from "zod";
import { readTextIfExists, writeAtomic } from "../base/files.ts";
import { hashJson, type Json } from "../base/hash.ts";
import type { RunIdentity } from "./attempts.ts";
import { type ResultRow, type TestMarks, writeEvaluatedCsv, writeResultsCsv } from "./csv.ts";
import type { Experiment, GradedRow, Report, Row } from "./experiment.ts";
import type { RunFiles } from "./run_files.ts";
import { tokenDashboard, tokenSummary, type TokenUsage } from "./token_dashboard.ts";

/** Draws an SVG as PNG of a width in pixels. */
export type SvgToPng = (svg: string, options: { readonly width: number }) => Promise<Uint8Array>;

/** What a report that was written before says of itself. */
export interface WrittenReport {
  /** Hash of what its grades were made from. */
  readonly inputs: string;
  /** Hash of its grades, see {@linkcode gradesHash}; undefined in files of older versions. */
  readonly grades?: string | undefined;
  /** Its figures' alternative texts, by name. */
  readonly figures: Readonly<Record<string, string>>;
  /** Files of the experiment's own that were written with it; undefined where it has none. */
  readonly files?: readonly string[] | undefined;
}

const reportSchema = z.object({
  inputs: z.string(),
  grades: z.string().optional(),
  figures: z.record(z.string(), z.string()),
  files: z.array(z.string()).optional(),
});

/** Width of the PNG figures: readable when shown at 800 pixels on fine screens too. */
const PNG_WIDTH = 1600;

/** Writes a run's files, and says which are there. */
export class RunOutputs<R extends Row> {
  readonly #files: RunFiles;
  readonly #experiment: Pick<Experiment<R>, "part">;
  readonly #rows: readonly R[];

  /** The outputs of `rows`, which are all of the plan or one shard of it. */
  constructor(files: RunFiles, experiment: Pick<Experiment<R>, "part">, rows: readonly R[]) {
    this.#files = files;
    this.#experiment = experiment;
    this.#rows = rows;
  }

  /** Writes the results CSVs. @throws {InputError} when they cannot be written. */
  async writeResults(
    result: (row: Row) => Omit<ResultRow, "row">,
    test: TestMarks | null,
  ): Promise<void> {
    await Promise.all(
      this.#files.csvs.map(({ part, results }) =>
        writeResultsCsv(results, this.#rows.filter((row) => this.#isIn(row, part)), result, { test })
      ),
    );
  }

  /** Writes the evaluated CSVs. @throws {InputError} when they cannot be written. */
  async writeEvaluated(graded: readonly GradedRow[], test: TestMarks | null): Promise<void> {
    for (const { part, evaluated } of this.#files.csvs) {
      const rows = graded.filter(({ row }) => this.#isIn(row as R, part));
      await writeEvaluatedCsv(evaluated, rows, { test });
    }
  }

  /** Writes the token dashboard and summary. @throws {InputError} when they cannot be written. */
  async writeTokens(usage: Omit<TokenUsage, "name" | "path">): Promise<void> {
    const { name, tokenDashboard: path, tokenSummary: summary } = this.#files;
    const whole: TokenUsage = { name: `${name}_results`, path, ...usage };
    await writeAtomic(path, tokenDashboard(whole));
    await writeAtomic(summary, JSON.stringify(tokenSummary(whole), null, 2) + "\n");
  }

  /** Writes the figures, then the report that names them. @throws {InputError} when they cannot be written. */
  async writeReport(
    report: Report,
    about: RunIdentity & {
      readonly made: Date;
      readonly inputs: string;
      readonly grades: string;
      readonly files: readonly string[];
    },
    svgToPng: SvgToPng,
  ): Promise<void> {
    const figures: Record<string, string> = {};
    for (const [name, { svg, alt }] of Object.entries(report.figures)) {
      await writeAtomic(this.#files.figure(name, "svg"), svg);
      await writeAtomic(this.#files.figure(name, "png"), await svgToPng(svg, { width: PNG_WIDTH }));
      figures[name] = alt;
    }
    await writeAtomic(this.#files.reportText, report.summary.trimEnd() + "\n");
    const { experiment, variant, model, mode, inputs, grades } = about;
    const made = about.made.toISOString();
    const { statistics } = report;
    const files = about.files.length === 0 ? {} : { files: about.files };
    const content = { experiment, variant, model, mode, made, inputs, grades, figures, ...files, statistics };
    await writeAtomic(this.#files.reportJson, JSON.stringify(content, null, 2) + "\n");
  }

  /** The last report, when it and the files before it were made from `inputs`; else null. */
  async readReport(inputs: () => Promise<string>): Promise<WrittenReport | null> {
    try {
      const text = await readTextIfExists(this.#files.reportJson);
      const report = reportSchema.parse(JSON.parse(text ?? "null"));
      const { plan, tokenSummary, csvs } = this.#files;
      const there = await allExist([plan, tokenSummary, ...csvs.map(({ results }) => results)]);
      return there && report.inputs === await inputs() ? report : null;
    } catch (error) {
      if (error instanceof z.ZodError || error instanceof SyntaxError) return null;
      throw error;
    }
  }

  /** Whether the evaluated CSVs are there. */
  evaluatedExist(): Promise<boolean> {
    return allExist(this.#files.csvs.map(({ evaluated }) => evaluated));
  }

  /** Whether all that a report names is there. */
  figuresExist(report: WrittenReport): Promise<boolean> {
    const { reportText } = this.#files;
    const figures = Object.keys(report.figures).flatMap((
      name,
    ) => [this.#files.figure(name, "svg"), this.#files.figure(name, "png")]);
    return allExist([reportText, ...figures, ...report.files ?? []]);
  }

  #isIn(row: R, part: string | null): boolean {
    return part === null || this.#experiment.part?.(row) === part;
  }
}

/** One hash for what was said of every row: equal hashes have equal reports. */
export function gradesHash(rows: readonly GradedRow[]): string {
  return hashJson(JSON.parse(JSON.stringify(rows.map(({ row, grade }) => [row.id, grade]))) as Json);
}

async function allExist(paths: readonly string[]): Promise<boolean> {
  const there = await Promise.all(paths.map((path) => Deno.stat(path).then(() => true, () => false)));
  return there.every(Boolean);
}
