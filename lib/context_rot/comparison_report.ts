/**
 * The report that compares the variants of a run of all context-rot experiments.
 * @module
 */
import type { Json } from "../base/hash.ts";
import type { Report } from "../runs/experiment.ts";
import type { ComparedBy } from "../runs/experiment_kind.ts";
import { formatEffectiveLength } from "../stats/effective_length.ts";
import { formatShare } from "./audit_summary.ts";
import type { ConditionComparison, PairSummary, PairTest, VariantSummary } from "./compare_variants.ts";

/** One experiment with its variants compared. */
export interface ExperimentComparison {
  /** As in file names. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** What lengths are counted in; null where there are none. */
  readonly unit: ComparedBy["unit"];
  /** By condition. */
  readonly conditions: readonly ConditionComparison[];
}

/** How one run stands. */
export interface ComparedState {
  /** The experiment, as in file names. */
  readonly experiment: string;
  /** The variant. */
  readonly variant: string;
  /** Rows that are done, ended in an error, were not sent for want of room, and were not tried. */
  readonly done: number;
  /** Rows whose last try failed. */
  readonly errors: number;
  /** Rows that are not sent. */
  readonly skipped: number;
  /** Rows not yet tried. */
  readonly pending: number;
  /** Why it failed, or null. */
  readonly failure: string | null;
}

/** What a comparison is made of. */
export interface ComparisonInput {
  /** Whether it is of test runs. */
  readonly test: boolean;
  /** Every experiment of which any run is complete. */
  readonly experiments: readonly ExperimentComparison[];
  /** Every run, failed ones included. */
  readonly runs: readonly ComparedState[];
}

/** The comparison as text and as statistics. */
export function comparisonReport(input: ComparisonInput): Omit<Report, "figures"> {
  const { test, experiments, runs } = input;
  const variants = [...new Set(runs.map(({ variant }) => variant))];
  const simulated = [
    ...new Set(
      experiments.flatMap(({ conditions }) => conditions).flatMap((condition) => condition.variants)
        .filter((variant) => variant.simulated).map(({ variant }) => variant),
    ),
  ];
  const failed = runs.filter(({ failure }) => failure !== null);
  const broken = runs.filter(({ errors, failure }) => errors > 0 && failure === null);
  const compared = experiments.some(({ conditions }) => conditions.some(({ pairs }) => pairs.length > 0));
  const lines = [
    `Context rot, ${variants.join(", ")}${test ? " (test runs)" : ""}`,
    ...(simulated.length > 0
      ? [`Simulated: ${simulated.join(", ")}. Such rows show how the instruments behave, not a model.`]
      : []),
    ...experiments.flatMap(experimentLines),
    ...(compared ? ["", METHODS] : []),
    ...(failed.length > 0
      ? ["", "Failed:", ...failed.map((run) => `  ${run.experiment} ${run.variant}: ${run.failure}`)]
      : []),
    ...broken.map((run) =>
      `${run.experiment} ${run.variant}: ${run.errors} rows ended in an error; start the same command to try them again`
    ),
  ];
  return {
    summary: lines.join("\n"),
    statistics: JSON.parse(JSON.stringify({ test, variants, runs, experiments })) as Json,
  };
}

const METHODS =
  "Intervals of shares are Wilson's (95%). Differences are over the rows that ask both variants the same, with\n" +
  "Newcombe's paired interval, widened by the design effect of rows that share chance (a haystack, a question).\n" +
  "p is exact with whole groups of such rows exchanged; McNemar's exact p takes rows for independent. Holm's correction\n" +
  "is over all pairs and conditions of an experiment.";

function experimentLines({ title, name, unit, conditions }: ExperimentComparison): string[] {
  return [
    "",
    `${title} (${name})`,
    ...conditions.flatMap(({ condition, variants, pairs }) => {
      const width = Math.max(...variants.map(({ variant }) => variant.length));
      const lines = [
        ...variants.flatMap((summary) => variantLines(summary, unit, width)),
        ...pairs.flatMap(pairLines),
      ];
      return condition === null ? lines : [`  ${condition}:`, ...lines.map((line) => `  ${line}`)];
    }),
  ];
}

function variantLines(
  { variant, audit, effective }: VariantSummary,
  unit: string | null,
  width: number,
): string[] {
  const label = `  ${variant.padEnd(width)}  `;
  const rest = " ".repeat(label.length);
  const skipped = audit.skipped > 0 ? `; ${audit.skipped} rows skipped` : "";
  if (audit.sent === 0) return [`${label}no row sent${skipped}`];
  const classes = Object.entries(audit.counts).filter(([, n]) => n > 0).map(([name, n]) => `${name} ${n}`)
    .join(", ");
  return [
    `${label}all rows sent ${formatShare(audit.raw)}; valid rows ${
      audit.invalidShare === 0 ? "the same" : formatShare(audit.valid)
    }`,
    `${rest}${classes}${skipped}`,
    ...effective.map((e) =>
      `${rest}effective length by ${e.rule}: ${formatEffectiveLength(e).replace(" tokens ", ` ${unit} `)}`
    ),
    ...audit.warnings.map((warning) => `${rest}Warning: ${warning}`),
  ];
}

function pairLines({ first, second, raw, valid }: PairSummary): string[] {
  if (raw === null) {
    return [`  ${first} minus ${second}: no row in common; give both the same lengths to compare them`];
  }
  const same = valid !== null && valid.n === raw.n;
  return [
    `  ${first} minus ${second}, ${raw.n} rows in ${raw.clusters} groups`,
    `    all rows sent: ${testText(raw)}`,
    ...(same ? [] : [
      valid === null
        ? "    valid rows: none in common"
        : `    valid rows (${valid.n} in common): ${testText(valid)}`,
    ]),
  ];
}

/** Two digits, and no number smaller than is worth saying. */
const pText = (p: number) => p < 1e-6 ? "under 0.000001" : String(Number(p.toPrecision(2)));

function testText({ difference, p, holmP, mcnemarP, mcnemarHolmP }: PairTest): string {
  const points = (share: number) => (share * 100).toFixed(1);
  const sign = difference.estimate > 0 ? "+" : "";
  return `${sign}${points(difference.estimate)} points (95% interval ${points(difference.low)} to ${
    points(difference.high)
  }), p = ${pText(p)}, Holm ${pText(holmP)}; McNemar p = ${pText(mcnemarP)}, Holm ${pText(mcnemarHolmP)}`;
}
