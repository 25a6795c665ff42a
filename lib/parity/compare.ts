/**
 * Two backends compared: statistics, noise floor, what differs and why, verdict.
 * @module
 */
import type { Json } from "../base/hash.ts";
import { createRandom } from "../base/random.ts";
import { type ClassificationScores, classificationScores } from "../stats/classification_scores.ts";
import { stratifiedShare } from "../stats/stratified_share.ts";
import { type Answer, sideOf } from "./answer.ts";
import { type Drift, findDrift } from "./drift.ts";
import type { LabelTable } from "./label_table.ts";
import { type NoiseFloor, noiseFloor } from "./noise_floor.ts";
import type { Label, PairRow } from "./pair_rows.ts";
import type { Ends } from "../stats/wilson.ts";
import { type PairStatistics, pairStatistics } from "./pair_statistics.ts";
import { textSimilarity } from "./similarity.ts";
import { type Verdict, verdictOf } from "./verdict.ts";

/** An item that was classified. */
export interface ComparedItem {
  /** Its name, unique. */
  readonly item: string;
  /** The right label; null when not known. */
  readonly truth: Label | null;
  /** How many items of the whole data set it stands for. */
  readonly weight: number;
}

/** An agreement weighted to the data set the sample was drawn from. */
export interface ReweightedAgreement {
  /** 0..1. */
  readonly agreement: number;
  /** MOVER of the strata's Wilson intervals. */
  readonly interval95: Ends;
}

/** Everything a comparison found; keys are those of the JSON. */
export interface Comparison {
  /** The backends' names. */
  readonly sides: readonly [string, string];
  /** The verdict and its criteria. */
  readonly verdict: Verdict;
  /** Statistics of the pairs. */
  readonly statistics: PairStatistics;
  /** Agreement over rows both parsed as it would be in the whole data set; null for tables and natural samples. */
  readonly reweighted: ReweightedAgreement | null;
  /** Against the right labels, where they are known; of rows with a label alone. */
  readonly scores: readonly [ClassificationScores, ClassificationScores] | null;
  /** A/A, and A/B against it; null where there was one pass. */
  readonly noise_floor: NoiseFloor | null;
  /** What differs and why; null for tables. */
  readonly drift: Drift | null;
  /** Items that a backend did not answer at all, and that are left out. */
  readonly unanswered: number;
  /** The rows the statistics are made from. */
  readonly rows: readonly PairRow[];
}

/** What {@linkcode compareAnswers} compares. */
export interface AnswersToCompare {
  /** The backends' names. */
  readonly sides: readonly [string, string];
  /** The items in their order. */
  readonly items: readonly ComparedItem[];
  /** Answers of the first backend: one list for each pass. */
  readonly first: readonly (readonly Answer[])[];
  /** Answers of the second backend. */
  readonly second: readonly (readonly Answer[])[];
  /** Parameters as they are sent to each. */
  readonly parameters?: readonly [Json, Json] | null;
  /** Prompts as each renders them, of the same items. */
  readonly rendered?: readonly (readonly [string, string])[];
}

/** Options of a comparison. */
export interface CompareOptions {
  /** Share of equal labels that is wanted, default 0.95. */
  readonly criterion?: number;
  /** Seeds permutations and bootstraps. */
  readonly seed?: number;
  /** Number of permutations, default 999. */
  readonly permutations?: number;
  /** Number of bootstrap resamples, default 2000. */
  readonly resamples?: number;
}

/** Compares the answers of two backends. The first passes are paired; later ones make the noise floor. */
export function compareAnswers(input: AnswersToCompare, options: CompareOptions = {}): Comparison {
  const { sides, items } = input;
  const { seed = 0 } = options;
  const passes = [input.first, input.second].map((lists) =>
    lists.map((answers) => new Map(answers.map((answer) => [answer.item, answer])))
  ) as [Map<string, Answer>[], Map<string, Answer>[]];
  const answered = items.flatMap((item) => {
    const [first, second] = passes.map((lists) =>
      lists.flatMap((answers) => answers.get(item.item) ?? [])
    ) as [
      Answer[],
      Answer[],
    ];
    const [one, two] = [passes[0][0]?.get(item.item), passes[1][0]?.get(item.item)];
    return one === undefined || two === undefined ? [] : [{ item, first, second, pair: [one, two] as const }];
  });
  const rows = answered.map(({ item, pair: [one, two] }): PairRow => ({
    item: item.item,
    first: sideOf(one),
    second: sideOf(two),
    responseSimilarity: textSimilarity(one.response, two.response),
    reasoningSimilarity: one.reasoning === null || two.reasoning === null
      ? null
      : textSimilarity(one.reasoning, two.reasoning),
    truth: item.truth,
  }));
  const floor = noiseFloor(answered, { seed, ...pick(options, "permutations") });
  const drift = findDrift({
    pairs: answered.map(({ pair }) => pair),
    floor,
    parameters: input.parameters ?? null,
    rendered: input.rendered ?? [],
  });
  const weights = new Map(items.map(({ item, weight }) => [item, weight]));
  return {
    ...judged(rows, sides, floor, drift, options, weights),
    reweighted: reweighted(rows, weights),
    unanswered: items.length - rows.length,
  };
}

/** Compares the backends of a table. */
export function compareTable(table: LabelTable, options: CompareOptions = {}): Comparison {
  return { ...judged(table.rows, table.sides, null, null, options), reweighted: null, unanswered: 0 };
}

function judged(
  rows: readonly PairRow[],
  sides: readonly [string, string],
  floor: NoiseFloor | null,
  drift: Drift | null,
  options: CompareOptions,
  weights?: ReadonlyMap<string, number>,
): Omit<Comparison, "reweighted" | "unanswered"> {
  const statistics = pairStatistics(rows, { sides, ...pick(options, "criterion") });
  const known = rows.filter((row) => row.truth !== null);
  const scores = (side: "first" | "second") =>
    classificationScores(
      known.map((row) => ({
        truth: row.truth === 1,
        label: row[side].label === null ? null : row[side].label === 1,
        weight: weights?.get(row.item) ?? 1,
      })),
      { random: createRandom(`scores/${options.seed ?? 0}/${side}`), ...pick(options, "resamples") },
    );
  return {
    sides,
    verdict: verdictOf({ statistics, floor, drift }),
    statistics,
    scores: known.length === 0 ? null : [scores("first"), scores("second")],
    noise_floor: floor,
    drift,
    rows,
  };
}

/** The agreement over rows both parsed, by strata of equal weight. Null where all items weigh the same. */
function reweighted(
  rows: readonly PairRow[],
  weights: ReadonlyMap<string, number>,
): ReweightedAgreement | null {
  const parsed = rows.filter(({ first, second }) => first.label !== null && second.label !== null);
  const strata = [...Map.groupBy(parsed, ({ item }) => weights.get(item) ?? 1)];
  if (new Set(weights.values()).size < 2 || strata.length === 0) return null;
  const { estimate, low, high } = stratifiedShare(strata.map(([weight, members]) => ({
    correct: members.filter(({ first, second }) => first.label === second.label).length,
    n: members.length,
    population: weight * members.length,
  })));
  return { agreement: estimate, interval95: [low, high] };
}

function pick<K extends keyof CompareOptions>(options: CompareOptions, key: K): Pick<CompareOptions, K> {
  return (options[key] === undefined ? {} : { [key]: options[key] }) as Pick<CompareOptions, K>;
}
