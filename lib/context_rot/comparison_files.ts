/**
 * The files of a comparison of variants.
 * @module
 */
import { join } from "node:path";
import { writeAtomic } from "../base/files.ts";
import { svgToPng } from "../figures/svg_to_png.ts";
import type { Report } from "../runs/experiment.ts";

/** Paths of a comparison's files. Nothing is created by naming them. */
export interface ComparisonFiles {
  /** For people. */
  readonly text: string;
  /** Statistics, and how every run stands. */
  readonly json: string;
  /** The figure. */
  readonly svg: string;
  /** The figure. */
  readonly png: string;
}

/** Name of the report's figure. */
export const COMPARISON_FIGURE = "comparison";

/** Names a comparison's files: `results/[test_]context_rot_comparison...`. */
export function comparisonFiles(results: string, test: boolean): ComparisonFiles {
  const path = (ending: string) => join(results, `${test ? "test_" : ""}context_rot_comparison.${ending}`);
  return { text: path("txt"), json: path("json"), svg: path("svg"), png: path("png") };
}

/** Writes a comparison; the JSON last. @throws {InputError} when it cannot be written. */
export async function writeComparison(files: ComparisonFiles, report: Report): Promise<void> {
  const figure = report.figures[COMPARISON_FIGURE];
  if (figure !== undefined) {
    await writeAtomic(files.svg, figure.svg);
    await writeAtomic(files.png, await svgToPng(figure.svg, { width: 1600 }));
  }
  await writeAtomic(files.text, report.summary.trimEnd() + "\n");
  const content = { made: new Date().toISOString(), alt: figure?.alt ?? null, statistics: report.statistics };
  await writeAtomic(files.json, JSON.stringify(content, null, 2) + "\n");
}
