/**
 * Whether the embedded model writes in the styles that ship when told to, and whether vectors move it when not.
 * @module
 */
import { z } from "zod";
import type { GradedRow } from "../runs/experiment.ts";
import { finishedResults } from "../runs/sequence.ts";
import type { ExperimentResult } from "../runs/run_handle.ts";
import { startSteeringFactory } from "../steering/start_steering_factory.ts";
import { startSteeringSweep } from "../steering/start_steering_sweep.ts";
import { loadStyle, type Style, STYLES } from "../steering/style.ts";
import { styleScore } from "../steering/style_score.ts";
import { wilson } from "../stats/wilson.ts";
import type { CardOptions } from "./card_options.ts";
import { type CardSection, type Claim, shareMeasure } from "./card_section.ts";

/** Questions of our own, half of them to choose strengths on. */
const QUESTIONS = 40;
/** An answer is in a style when half of its sentences hold the style's markers. */
const IN_STYLE = 0.5;

/** Of a report: steered or prompted against others, on questions held out from the choice. */
const statisticsSchema = z.looseObject({
  comparisons: z.array(z.looseObject({
    label: z.string(),
    estimate: z.number().nullable(),
    low: z.number().nullable(),
    high: z.number().nullable(),
    adjusted_p: z.number().nullable(),
  })),
});
type Comparison = z.output<typeof statisticsSchema>["comparisons"][number];

/** What the section reads of a finished experiment. */
export type StyleResult = Pick<ExperimentResult, "rows" | "report">;

/**
 * Measures each style: plain answers, answers asked for in the prompt, and answers steered through the cache or the
 * residual stream.
 */
export async function measureSteering(options: CardOptions): Promise<CardSection> {
  const { model, results, scale = 1, log = () => {} } = options;
  const questions = Math.max(8, Math.round(QUESTIONS * scale));
  const common = { model, test: scale < 1, maxOutputTokens: 120, seed: 2026, results: `${results}/steering` };
  log("steering through the cache...");
  const factory = await startSteeringFactory({ ...common, maxQuestions: questions }, { log: () => {} });
  const cached = finishedResults(await factory.done);
  log("steering the residual stream...");
  const traits = STYLES.map((style) => `styles/${style}`).join(",");
  const sweep = await startSteeringSweep({ ...common, traits, questions }, { log: () => {} });
  return steeringSection({
    cached,
    residual: finishedResults(await sweep.done),
    styles: await Promise.all(STYLES.map(loadStyle)),
  });
}

/** The section of the results of factories and sweeps, one of each for each style. */
export function steeringSection({ cached, residual, styles }: {
  readonly cached: readonly StyleResult[];
  readonly residual: readonly StyleResult[];
  readonly styles: readonly Style[];
}): CardSection {
  const rows = cached.flatMap(({ rows }, i) => {
    const style = styles[i];
    if (style === undefined) return [];
    const share = (arm: string) => {
      const said = rows.filter((row) => armOf(row) === arm && row.attempt?.status === "done");
      const inStyle = said.filter(({ attempt }) =>
        styleScore(style, attempt?.output ?? "").score >= IN_STYLE
      );
      return shareMeasure(wilson(inStyle.length, said.length));
    };
    return [{ label: style.name, measures: [share("unsteered"), share("prompted")] }];
  });
  const claimOf = (
    results: readonly StyleResult[],
    label: string,
    claim: string,
    enough: (found: boolean[]) => boolean,
  ): Claim => {
    const tests = results.map(({ report }) =>
      statisticsSchema.safeParse(report?.statistics).data?.comparisons.find((one) => one.label === label)
    );
    return {
      claim,
      measured: tests.map((test, i) => `${styles[i]?.name} ${comparisonText(test)}`).join("; "),
      holds: enough(tests.map((test) => (test?.estimate ?? 0) > 0 && (test?.adjusted_p ?? 1) < 0.05)),
    };
  };
  return {
    name: "steering",
    columns: ["style", "in the style, plainly asked", "in the style, asked for it"],
    rows,
    claims: [
      claimOf(
        cached,
        "asked for in the prompt against unsteered",
        "Steering: each style is told from plain answers by its markers when the prompt asks for it, adjusted p < 0.05.",
        (found) => found.length > 0 && found.every(Boolean),
      ),
      claimOf(
        cached,
        "steered against unsteered",
        "Steering: vectors in the cache move at least one style without being asked for, adjusted p < 0.05.",
        (found) => found.some(Boolean),
      ),
      claimOf(
        residual,
        "steered against random vectors of the same length",
        "Steering: vectors in the residual stream move at least one style without being asked for, more than random ones of their length, adjusted p < 0.05.",
        (found) => found.some(Boolean),
      ),
    ],
  };
}

const armOf = ({ row }: GradedRow) => row.params["arm"];

function comparisonText(test: Comparison | undefined): string {
  if (test?.estimate === undefined || test.estimate === null) return "not compared";
  const { estimate, low, high, adjusted_p } = test;
  const interval = low === null || high === null ? "" : ` (${low.toFixed(0)} to ${high.toFixed(0)})`;
  return `${estimate >= 0 ? "+" : ""}${estimate.toFixed(0)}${interval}, p = ${
    adjusted_p?.toPrecision(2) ?? "?"
  }`;
}
