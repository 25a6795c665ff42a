/**
 * What the embedded model can do at LongMemEval, on the sample that ships.
 * @module
 */
import { startLongMemEval } from "../context_rot/start_longmemeval.ts";
import type { GradedRow } from "../runs/experiment.ts";
import { clusterPaired } from "../stats/cluster_paired.ts";
import { wilson } from "../stats/wilson.ts";
import { type CardOptions, gradedRows } from "./card_options.ts";
import { type CardSection, differenceText, shareMeasure } from "./card_section.ts";

/** Measures focused and full prompts, by type of question. */
export async function measureLongMemEval(options: CardOptions): Promise<CardSection> {
  const { model, results, scale = 1, log = () => {} } = options;
  log("LongMemEval...");
  const run = await startLongMemEval({ model, test: scale < 1, results: `${results}/longmemeval` }, {
    log: () => {},
  });
  const [rows = []] = await gradedRows(run);
  const types = [...new Set(rows.map(typeOf))];
  const shareOf = (condition: string, type: string | null) => {
    const chosen = rows.filter((row) =>
      conditionOf(row) === condition && (type === null || typeOf(row) === type)
    );
    return shareMeasure(wilson(chosen.filter(isRight).length, chosen.length));
  };
  const full = new Map(rows.filter((row) => conditionOf(row) === "full").map((row) => [idOf(row), row]));
  const { difference, p } = clusterPaired(
    rows.filter((row) => conditionOf(row) === "focused").flatMap((row) => {
      const other = full.get(idOf(row));
      return other ? [{ first: isRight(row), second: isRight(other), cluster: idOf(row) }] : [];
    }),
  );
  return {
    name: "longmemeval",
    columns: ["questions", "focused", "full"],
    rows: [null, ...types].map((type) => ({
      label: type ?? "all",
      measures: [shareOf("focused", type), shareOf("full", type)],
    })),
    claims: [{
      claim: "LongMemEval: focused prompts are answered better than full ones, paired, p < 0.05.",
      measured: `${differenceText(difference)}, p = ${p.toPrecision(2)}`,
      holds: difference.estimate > 0 && p < 0.05,
    }],
  };
}

const conditionOf = ({ row }: GradedRow) => String(row.params["condition"]);
const typeOf = ({ row }: GradedRow) =>
  String(row.params["custom_id"]).endsWith("_abs") ? "abstention" : String(row.params["question_type"]);
const idOf = ({ row }: GradedRow) => String(row.params["custom_id"]);
const isRight = ({ grade }: GradedRow) => grade?.correct === true;
