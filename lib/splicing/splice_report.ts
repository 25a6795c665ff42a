/**
 * What a splice experiment found, for people and programs.
 * @module
 */
import type { Json } from "../base/hash.ts";
import type { Report } from "../runs/experiment.ts";
import type { SpliceOutcome } from "./splice_files.ts";
import { workLine, workSaved } from "./work_saved.ts";

/** Reports on all stages. */
export function spliceReport(outcome: SpliceOutcome): Report {
  const { answered, derived, book } = outcome;
  const work = workSaved(answered, book);
  return {
    summary: [`${derived.points.length} splice points`, workLine(work)].filter((line) => line !== "").join(
      "\n",
    ),
    statistics: JSON.parse(JSON.stringify({ work })) as Json,
    figures: {},
  };
}
