/**
 * How well the embedded model copies repeated words.
 * @module
 */
import { startRepeatedWords } from "../context_rot/start_repeated_words.ts";
import type { GradedRow } from "../runs/experiment.ts";
import { clusterPaired } from "../stats/cluster_paired.ts";
import { wilson } from "../stats/wilson.ts";
import { type CardOptions, gradedRows } from "./card_options.ts";
import { type CardSection, differenceText, shareMeasure } from "./card_section.ts";

/** Numbers of words: prompt and copy of the default pair stay within 1,024 tokens up to 200. */
const COUNTS = [5, 10, 25, 50, 100, 200, 300, 400];
const WITHIN = 200;
const POSITIONS = [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100];
/** A copy is near-exact from this Levenshtein score. */
const NEAR = 0.98;

/** Measures copies of the default pair at eleven places of the modified word. */
export async function measureRepeatedWords(options: CardOptions): Promise<CardSection> {
  const { model, results, scale = 1, log = () => {} } = options;
  log("Repeated Words...");
  const run = await startRepeatedWords({
    model,
    counts: scale < 1 ? COUNTS.slice(0, 2) : COUNTS,
    positions: POSITIONS,
    results: `${results}/repeated_words`,
  }, { log: () => {} });
  const [rows = []] = await gradedRows(run);
  return repeatedWordsSection(rows);
}

/** The section of the rows of a run. Rows that were not sent, because they do not fit, say nothing. */
export function repeatedWordsSection(planned: readonly GradedRow[]): CardSection {
  const rows = planned.filter(({ attempt }) => attempt?.status === "done");
  const share = (chosen: readonly GradedRow[], counts: (row: GradedRow) => boolean) =>
    wilson(chosen.filter(counts).length, chosen.length);
  const within = rows.filter((row) => countOf(row) <= WITHIN);
  const beyond = rows.filter((row) => countOf(row) > WITHIN);
  const near = share(within, isNear);
  const scores = [within, beyond].map((chosen) => meanScore(chosen)) as [number, number];
  // Texts with the modified word at about the same place are one group, however long they are.
  const lost = clusterPaired(
    within.map((row) => ({ first: isNear(row), second: isPlaced(row), cluster: placeOf(row) })),
  );
  return {
    name: "repeated-words",
    columns: ["words", "near-exact", "modified word kept", "in its place"],
    rows: [...new Set(rows.map(countOf))].map((count) => {
      const chosen = rows.filter((row) => countOf(row) === count);
      return {
        label: String(count),
        measures: [isNear, isKept, isPlaced].map((counts) => shareMeasure(share(chosen, counts))),
      };
    }),
    claims: [
      {
        claim:
          `Repeated Words: at least 90% of copies of up to ${WITHIN} words have a score of ${NEAR} or more.`,
        measured: shareMeasure(near).text,
        holds: (near.estimate ?? 0) >= 0.9,
      },
      {
        claim: `Repeated Words: longer texts are copied worse, by at least 0.1 of the score.`,
        measured: `${scores[0].toFixed(3)} up to ${WITHIN} words, ${scores[1].toFixed(3)} beyond`,
        holds: beyond.length > 0 && scores[0] - scores[1] >= 0.1,
      },
      {
        claim:
          `Repeated Words: the place of the modified word is lost first: of texts of up to ${WITHIN} words fewer copies have it in its place than are near-exact, paired, p < 0.05.`,
        measured: `${shareMeasure(share(within, isPlaced)).text} in its place, ${
          shareMeasure(near).text
        } near-exact: ${differenceText(lost.difference)}, p = ${lost.p.toPrecision(2)}`,
        holds: lost.difference.estimate > 0 && lost.p < 0.05,
      },
    ],
  };
}

const countOf = ({ row }: GradedRow) => Number(row.params["word_count"]);
const placeOf = ({ row }: GradedRow) => Math.round(Number(row.params["relative_position"]) * 10);
const scoreOf = ({ grade }: GradedRow) => Number(grade?.extra?.["levenshtein_score"] ?? 0);
const meanScore = (rows: readonly GradedRow[]) =>
  rows.reduce((sum, row) => sum + scoreOf(row), 0) / Math.max(1, rows.length);
const isNear = (row: GradedRow) => scoreOf(row) >= NEAR;
const isKept = ({ grade }: GradedRow) => grade?.extra?.["modified_word_present"] === true;
const isPlaced = ({ grade }: GradedRow) => grade?.extra?.["position_accuracy"] === true;
