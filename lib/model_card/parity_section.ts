/**
 * Whether the embedded model follows the policies that ship, in its own chat format and in Harmony.
 * @module
 */
import { startCompareBackends } from "../parity/start_compare_backends.ts";
import { answerOf } from "../parity/parity_experiment.ts";
import { SAMPLE_PATH } from "../parity/toxicchat.ts";
import { POLICIES } from "../parity/policies.ts";
import type { GradedRow } from "../runs/experiment.ts";
import { wilson } from "../stats/wilson.ts";
import { type CardOptions, gradedRows } from "./card_options.ts";
import { type CardSection, type Measure, shareMeasure } from "./card_section.ts";

/** Options of {@linkcode measureParity}. */
export interface ParityCardOptions extends CardOptions {
  /** The same model spoken to in Harmony. */
  readonly harmony: string;
}

/** Messages of the sample that ships: all of them. */
const MESSAGES = 160;
/** Share that is wanted of everything. */
const WANTED = 0.95;

/** Measures every policy in both formats: answers in the form asked for, right labels, Harmony without repairs. */
export async function measureParity(options: ParityCardOptions): Promise<CardSection> {
  const { model, harmony, results, scale = 1, log = () => {} } = options;
  const rows: { label: string; measures: Measure[] }[] = [];
  for (const policy of POLICIES) {
    log(`parity, ${policy}...`);
    const run = await startCompareBackends({
      variants: `${model},${harmony}`,
      policy,
      passes: 1,
      design: "natural",
      sampleSize: Math.round(MESSAGES * scale),
      maxOutputTokens: 96,
      data: SAMPLE_PATH,
      results: `${results}/parity_${policy}`,
    }, { log: () => {} });
    for (const [i, graded] of (await gradedRows(run)).entries()) {
      const share = (counts: (row: GradedRow) => boolean) =>
        shareMeasure(wilson(graded.filter(counts).length, graded.length));
      rows.push({
        label: `${policy}, ${i === 0 ? "its own chat format" : "Harmony"}`,
        measures: [
          share((row) => answerOf(row)?.label !== null && row.attempt !== null),
          share(isRight),
          share(({ attempt }) => attempt?.status === "done" && (attempt.recoveries ?? []).length === 0),
        ],
      });
    }
  }
  return {
    name: "parity",
    columns: ["policy, format", "label in the form asked for", "label right", "format without repairs"],
    rows,
    claims: ["in the form the policy asks for", "right", "in a format that needs no repair"].map(
      (what, i) => {
        const shares = rows.map(({ measures }) => measures[i] as Measure);
        const worst = shares.reduce((least, share) => share.estimate < least.estimate ? share : least);
        return {
          claim: `Parity: at least ${
            WANTED * 100
          }% of answers are ${what}, under each policy and in both formats.`,
          measured: `worst ${worst.text}`,
          holds: worst.estimate >= WANTED,
        };
      },
    ),
  };
}

const isRight = (row: GradedRow) => answerOf(row)?.label === row.row.params["toxicity"];
