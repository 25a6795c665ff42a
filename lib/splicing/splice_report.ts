/**
 * What a splice experiment found, for people and programs.
 * @module
 */
import type { Json } from "../base/hash.ts";
import type { Report } from "../runs/experiment.ts";
import { analyseSplice, type SpliceAnalysis } from "./analyse_splice.ts";
import { formatAnalysis, pointTable } from "./analysis_text.ts";
import { reportFigures } from "./report_figures.ts";
import { readSample } from "./read_sample.ts";
import type { SpliceOutcome } from "./splice_outcome.ts";
import { rowsOf } from "./splice_stages.ts";
import type { ArmName, GradedSample } from "./types.ts";
import { workLine, workSaved } from "./work_saved.ts";

/** The samples of the arms as the analysis takes them; rows that were not answered are left out. */
export function gradedSamples(outcome: Pick<SpliceOutcome, "answered" | "book">): GradedSample[] {
  return rowsOf(outcome.answered, "arms").flatMap(({ row, attempt }): GradedSample[] => {
    if (attempt === null) return [];
    const { answer, grade } = readSample(row, attempt, outcome.book.marks);
    const { arm, problem_number, sentence_number, sample_num } = row.params;
    return [{
      arm: arm as ArmName,
      problem: problem_number,
      sentence: sentence_number,
      sample: sample_num,
      answer,
      grade,
    }];
  });
}

/** Analyses the arms of all points. The same answers give the same analysis. */
export function analysisOf(outcome: SpliceOutcome): SpliceAnalysis {
  const { derived: { points, data }, config } = outcome;
  return analyseSplice(gradedSamples(outcome), points, { problems: data.problems, seed: config.seed });
}

/** Reports on all stages. */
export async function spliceReport(outcome: SpliceOutcome): Promise<Report> {
  const { answered, derived, book, variant } = outcome;
  const analysis = analysisOf(outcome);
  const work = workSaved(answered, book);
  const lines = [
    ...(variant.backend === "simulated"
      ? ["Simulated: these samples show how the instruments behave, not a model."]
      : []),
    ...stageLines(outcome),
    ...(derived.points.length === 0 ? [] : [formatAnalysis(analysis)]),
    workLine(work),
  ];
  return {
    summary: lines.filter((line) => line !== "").join("\n"),
    statistics: JSON.parse(JSON.stringify({ analysis, points: pointTable(analysis.points), work })) as Json,
    figures: await reportFigures(outcome, analysis),
  };
}

/** What was recorded, measured and chosen on the way. */
function stageLines({ derived, material, sizes }: SpliceOutcome): string[] {
  const { chosen, effects, selection, points, data } = derived;
  const lines: string[] = [];
  if (material.stages.includes("record")) {
    const swayed = chosen.source === "recorded" ? chosen.chains.length : 0;
    lines.push(
      `Recorded: ${swayed} of ${data.problems.length} problems have a hinted chain that ends with the hinted answer` +
        (chosen.source === "written"
          ? ". No chain was swayed, so that chains written by us stand in: this shows what the model makes of such " +
            "chains, not how it reasons"
          : ""),
    );
  }
  if (material.stages.includes("deltas")) {
    if (effects === null) return [...lines, "Deltas: not measured yet"];
    const known = effects.filter(({ delta }) => delta !== null);
    lines.push(
      `Measured: ${known.length} sentences of ${chosen.chains.length} chains, ${sizes.deltas} samples behind each` +
        (known.length === 0 ? "; no answer could be read" : ""),
    );
  }
  if (derived.deltas === "written") {
    lines.push(
      "This model's answers follow no sentence of these chains. The slips that we wrote are spliced all the same, with " +
        "the deltas of the process that wrote them: the arms show that it does not follow them",
    );
  }
  if (points.length === 0) {
    const next = selection?.next ?? null;
    lines.push(
      `No sentence moved the answer by ${sizes.threshold} or more: nothing was spliced.` +
        (next === null
          ? ""
          : ` The largest change was ${
            next.delta.toFixed(3)
          } (problem ${next.problem}, sentence ${next.sentence}).`),
    );
  }
  return lines;
}
