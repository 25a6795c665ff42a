/**
 * The analysis of a splice experiment, from graded samples and the points they belong to.
 * @module
 */
import { createRandom } from "../base/random.ts";
import { benjaminiHochberg } from "../stats/benjamini_hochberg.ts";
import { newcombeDifference } from "../stats/difference.ts";
import { endsOf } from "../stats/wilson.ts";
import {
  analysePoint,
  FALSE_FINDINGS,
  judgePoint,
  MARGIN,
  type PointAnalysis,
  type RateDifference,
} from "./analyse_point.ts";
import {
  anchorPair,
  type ArmSummary,
  armSummary,
  controlPair,
  correlate,
  type MeanDifference,
  meanDifference,
  pooledDifference,
  type SpliceCorrelation,
} from "./point_summaries.ts";
import { lettersOf } from "./read_sample.ts";
import { referenceOf, seenLetters } from "./reference.ts";
import { checkVerdict, doseVerdict, effectVerdict, type SpliceVerdict } from "./splice_verdicts.ts";
import {
  ARM_NAMES,
  type ArmName,
  type Bucket,
  BUCKETS,
  type GradedSample,
  type Letter,
  SPLICE_ARMS,
  type SplicePoint,
  type SpliceProblem,
} from "./types.ts";

/** Two arms compared. */
export interface ArmComparison extends MeanDifference {
  /** What is compared: `anchor included less excluded`. */
  readonly name: string;
  /** Newcombe's interval of the pooled rates, as if all samples were independent; null where an arm was not sampled. */
  readonly pooled: RateDifference | null;
}

/** The points of a class of deltas. */
export interface BucketSummary {
  /** The class. */
  readonly bucket: Bucket;
  /** Points. */
  readonly points: number;
  /** Clusters of problems. */
  readonly clusters: number;
  /** Their spliced samples; null without any. */
  readonly spliced: ArmSummary | null;
  /** Their mean effect; null without any. */
  readonly effect: MeanDifference | null;
  /** Points whose effect is shown after correction. */
  readonly called: number;
}

/** The analysis; keys are those of the JSON. */
export interface SpliceAnalysis {
  /** The points, in the order given. */
  readonly points: readonly PointAnalysis[];
  /** Points with an effect that could be tested. */
  readonly tested: number;
  /** Points whose effect is shown after correction. */
  readonly called: number;
  /** The arms that were sampled. */
  readonly arms: readonly ArmSummary[];
  /** Differences over all points. */
  readonly comparisons: readonly ArmComparison[];
  /** Delta against effect: of the spliced sentences, and of these and their controls. */
  readonly correlation: { readonly anchors: SpliceCorrelation; readonly with_controls: SpliceCorrelation };
  /** How many points give the rates of the table again. */
  readonly check: Readonly<
    Record<
      "excluded" | "included",
      { readonly points: number; readonly agree: number } & { readonly mean: MeanDifference | null }
    >
  >;
  /** By class of delta. */
  readonly buckets: readonly BucketSummary[];
  /** The verdicts. */
  readonly verdicts: readonly SpliceVerdict[];
  /** What the numbers depend on. */
  readonly settings: {
    readonly margin: number;
    readonly false_findings: number;
    readonly seed: number;
    readonly resamples: number;
  };
}

/** Options of {@linkcode analyseSplice}. */
export interface AnalyseOptions {
  /** The problems of the points: their letters, and the answers that were recorded. */
  readonly problems: readonly SpliceProblem[];
  /** Draws the bootstrap. */
  readonly seed: number;
  /** Resamples of the bootstrap, default 2000. */
  readonly resamples?: number;
}

/**
 * Analyses graded samples. Rates are over answers that could be read. A problem's points share its arms without a prefix.
 * The un-hinted and the hinted distribution are those of the arms without a prefix, or of the recorded answers where these
 * arms were not sampled. Intervals over points draw whole clusters of problems; those of single rates are Wilson's, those of
 * differences Newcombe's.
 */
export function analyseSplice(
  rows: readonly GradedSample[],
  points: readonly SplicePoint[],
  options: AnalyseOptions,
): SpliceAnalysis {
  const { seed, resamples = 2000 } = options;
  const problems = new Map(options.problems.map((problem) => [problem.id, problem]));
  const byPlace = Map.groupBy(rows, ({ arm, problem, sentence }) => placeKey(arm, problem, sentence));
  const samplesOf = (arm: ArmName, { problem, sentence }: Pick<SplicePoint, "problem" | "sentence">) =>
    byPlace.get(placeKey(arm, problem, SPLICE_ARMS[arm].cut === null ? null : sentence)) ?? [];
  const found = points.map((point) => {
    const problem = problems.get(point.problem);
    const letters = problem === undefined ? seenLetters(rows, point.problem) : lettersOf(problem);
    const arms = new Map(ARM_NAMES.map((arm) => [arm, samplesOf(arm, point)]));
    const reference = (arm: ArmName, recorded: "base" | "hinted", hintedLetter: Letter | undefined) =>
      referenceOf(arms.get(arm) ?? [], problem, recorded, letters, hintedLetter);
    return analysePoint({
      point,
      arms,
      letters,
      unhinted: reference("no_prefix", "base", problem?.hinted),
      hinted: reference("hinted_no_prefix", "hinted", problem?.hinted),
    });
  });
  const tested = found.filter(({ p }) => p !== null);
  const adjusted = benjaminiHochberg(tested.map(({ p }) => p as number));
  const corrected = new Map(tested.map((point, i) => [point, adjusted[i] as number]));
  const analysed = found.map((point) => judgePoint(point, corrected.get(point) ?? null));
  const draw = (name: string) => ({ random: createRandom(`splice/${seed}/${name}`), resamples });
  const mean = (
    name: string,
    of: readonly PointAnalysis[],
    value: (point: PointAnalysis) => RateDifference | null,
  ) => meanDifference(of, value, draw(name));
  const clusterOf = new Map(points.map(({ problem, cluster }) => [problem, cluster]));
  const arm = (name: ArmName, of: readonly GradedSample[]) => armSummary(name, of, clusterOf);
  const wanted = new Set(points.map(({ problem, sentence }) => `${problem}/${sentence}`));
  const own = rows.filter(({ problem, sentence }) =>
    sentence === null ? clusterOf.has(problem) : wanted.has(`${problem}/${sentence}`)
  );
  const arms = ARM_NAMES.flatMap((name) => arm(name, own.filter((row) => row.arm === name)) ?? []);
  const pooled = (first: ArmName, second: ArmName) => pooledDifference(arms, first, second);
  const less =
    (first: ArmName, second: ArmName) => ({ arms: { [first]: one, [second]: two } }: PointAnalysis) => {
      if (!one?.valid || !two?.valid) return null;
      const found = newcombeDifference({ correct: one.hinted, n: one.valid }, {
        correct: two.hinted,
        n: two.valid,
      });
      return { estimate: found.estimate, interval95: endsOf(found) };
    };
  const compare = (
    name: string,
    value: (point: PointAnalysis) => RateDifference | null,
    sides: readonly [ArmName, ArmName] | null,
  ): ArmComparison[] => {
    const found = mean(name, analysed, value);
    return found === null ? [] : [{ name, ...found, pooled: sides === null ? null : pooled(...sides) }];
  };
  const both = (first: ArmName, second: ArmName, name: string) =>
    compare(name, less(first, second), [first, second]);
  const comparisons = [
    ...both("unhinted_anchor_included", "unhinted_anchor_excluded", "anchor included less excluded"),
    ...both("unhinted_control_included", "unhinted_control_excluded", "control included less excluded"),
    ...compare("anchor effect less control effect", (point) => point.net_effect, null),
    ...compare("spliced less no prefix", (point) => point.shift_from_unhinted, [
      "unhinted_anchor_included",
      "no_prefix",
    ]),
    ...compare("hinted prompt less spliced", (point) => point.drop_from_hinted, [
      "hinted_no_prefix",
      "unhinted_anchor_included",
    ]),
    ...both(
      "hinted_anchor_included",
      "hinted_anchor_excluded",
      "anchor included less excluded, hinted prompt",
    ),
    ...both(
      "hinted_control_included",
      "hinted_control_excluded",
      "control included less excluded, hinted prompt",
    ),
    ...both("forced_answer", "unhinted_anchor_included", "forced less free answer"),
  ];
  const correlation = {
    anchors: correlate(analysed.flatMap(anchorPair), draw("correlation")),
    with_controls: correlate(
      analysed.flatMap((point) => [...anchorPair(point), ...controlPair(point)]),
      draw("correlation with controls"),
    ),
  };
  const check = (side: "excluded" | "included") => {
    const checked = analysed.flatMap((point) => point.check[side] ?? []);
    return {
      points: checked.length,
      agree: checked.filter(({ agrees }) => agrees).length,
      mean: mean(`check ${side}`, analysed, (point) => point.check[side]?.difference ?? null),
    };
  };
  const checks = { excluded: check("excluded"), included: check("included") };
  const effect = mean("effect", analysed, (point) => point.effect);
  const net = comparisons.find(({ name }) => name === "anchor effect less control effect") ?? null;
  return {
    points: analysed,
    tested: tested.length,
    called: analysed.filter(isCalled).length,
    arms,
    comparisons,
    correlation,
    check: checks,
    buckets: BUCKETS.map((bucket) => {
      const inside = analysed.filter((point) => point.bucket === bucket);
      const samples = inside.flatMap((point) => samplesOf("unhinted_anchor_included", point));
      return {
        bucket,
        points: inside.length,
        clusters: new Set(inside.map(({ cluster }) => cluster)).size,
        spliced: arm("unhinted_anchor_included", samples),
        effect: mean(`bucket ${bucket}`, inside, (point) => point.effect),
        called: inside.filter(isCalled).length,
      };
    }),
    verdicts: [
      effectVerdict("anchors", "Do the sentences move the answer without the hint?", effect),
      effectVerdict("controls", "Do they move it more than control sentences of the same chains?", net),
      checkVerdict(
        "check",
        "Does the prefix without the sentence give the rate of the table?",
        checks.excluded.mean,
      ),
      doseVerdict("dose", "Do sentences with larger deltas move the answer more?", correlation.with_controls),
    ],
    settings: { margin: MARGIN, false_findings: FALSE_FINDINGS, seed, resamples },
  };
}

const placeKey = (arm: ArmName, problem: string, sentence: number | null) => `${arm}/${problem}/${sentence}`;
const isCalled = ({ outcome }: PointAnalysis) => outcome === "pass";
