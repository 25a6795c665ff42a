/**
 * A comparison as text for people and as JSON for programs.
 * @module
 */
import type { Json } from "../base/hash.ts";
import type { ClassificationScores, Score } from "../stats/classification_scores.ts";
import type { Comparison } from "./compare.ts";
import type { NoiseFloor } from "./noise_floor.ts";
import type { Ends } from "../stats/wilson.ts";
import type { MeanStatistics, ShareStatistics, TableStatistics } from "./pair_statistics.ts";

/** Everything but the rows, with numbers rounded to 6 decimals. */
export function comparisonJson(comparison: Comparison): { readonly [key: string]: Json } {
  const { rows, sides, statistics, noise_floor, scores, ...rest } = comparison;
  const { sides: bySide, ...numbers } = statistics;
  const whole = {
    backends: sides,
    n: rows.length,
    ...rest,
    ...numbers,
    by_backend: bySide,
    scores: scores === null ? null : snakeKeys(scores as unknown as Json),
    noise_floor: noise_floor === null ? null : snakeKeys(noise_floor as unknown as Json),
  };
  return rounded(JSON.parse(JSON.stringify(whole)) as Json) as { [key: string]: Json };
}

/** The report: verdict, criteria, every statistic, the noise floor and what differs. */
export function comparisonText(comparison: Comparison, options: { readonly title?: string } = {}): string {
  const { sides, verdict, statistics, noise_floor: floor, drift, scores, rows, unanswered } = comparison;
  const [a, b] = sides;
  const { all, both_parsed, three_way, parse_table } = statistics;
  const blocks: string[][] = [
    [
      options.title ?? `${a} and ${b} compared`,
      `VERDICT: ${verdict.outcome}: ${verdict.reason}`,
      ...verdict.criteria.map(({ name, outcome, reason }) => `  ${outcome.padEnd(12)} ${name}: ${reason}`),
      ...(floor === null ? [] : [
        floor.differs
          ? `  A/B differs from the A/A noise floor: ${floor.differs_by.join("; ")}`
          : "  A/B cannot be told from the A/A noise floor",
      ]),
    ],
    [
      `Rows: ${rows.length}${
        unanswered > 0 ? `, and ${unanswered} left out that a backend did not answer` : ""
      }`,
      `  parsed: ${Object.entries(parse_table).map(([key, count]) => `${key} ${count}`).join(", ")}`,
      ...statistics.sides.flatMap((side) => [
        `  ${side.name}: parsed ${share(side.parsed)}, flagged ${side.flagged}` +
        (side.strict === null ? "" : `, exactly 0 or 1: ${share(side.strict)}`) +
        (side.refused === null ? "" : `, refused ${share(side.refused)}`),
        ...lengths("answers", side.response_length),
        ...lengths("reasoning", side.reasoning_length),
      ]),
      ...ratio("answers", sides, statistics.response_length_ratio),
      ...ratio("reasoning", sides, statistics.reasoning_length_ratio),
    ],
    tableLines(`Rows both parsed`, both_parsed, sides, statistics.criterion),
    tableLines(
      "All rows, an unparsed answer counted as not flagged (as published tables have it)",
      all,
      sides,
      statistics.criterion,
    ),
    [
      `All rows, unparsed as an outcome of its own: agreement ${six(three_way.agreement)} ${
        ends(three_way.wilson95)
      }, ` +
      `kappa ${six(three_way.kappa)} ${ends(three_way.kappa95)}, AC1 ${six(three_way.gwet_ac1)} ${
        ends(three_way.gwet_ac1_95)
      }`,
      `  ${a} (rows) by ${b} (columns): 0, 1, unparsed`,
      ...three_way.table.map((row, i) =>
        `  ${["0", "1", "unparsed"][i]?.padEnd(9)}${row.map((count) => String(count).padStart(7)).join("")}`
      ),
    ],
    [
      ...means("Likeness of answers", statistics.response_similarity),
      ...means("Likeness of reasoning", statistics.reasoning_similarity),
    ],
    comparison.reweighted === null ? [] : [
      `Reweighted to the data set: agreement ${six(comparison.reweighted.agreement)} ${
        ends(comparison.reweighted.interval95)
      }`,
    ],
    scores === null ? [] : [
      "Against the right labels, over rows with a label (bootstrap intervals)",
      ...scores.map((found, i) => scoreLine(sides[i] as string, found)),
    ],
    floor === null ? [] : floorLines(floor, sides),
    drift === null ? [] : driftLines(drift, sides),
  ];
  return blocks.filter((lines) => lines.length > 0).map((lines) => lines.join("\n")).join("\n\n") + "\n";
}

function tableLines(
  title: string,
  t: TableStatistics,
  [a, b]: readonly [string, string],
  criterion: number,
): string[] {
  return [
    `${title}: n ${t.n}`,
    `  flagged by both ${t.n11}, by ${a} alone ${t.n10}, by ${b} alone ${t.n01}, by none ${t.n00}`,
    `  agreement           ${six(t.agreement)} ${ends(t.wilson95)}`,
    `  Cohen's kappa       ${six(t.kappa)} ${ends(t.kappa95)}`,
    `  PABAK               ${six(t.pabak)} ${ends(t.pabak95)}`,
    `  Gwet's AC1          ${six(t.gwet_ac1)} ${ends(t.gwet_ac1_95)}`,
    `  positive agreement  ${six(t.positive_agreement)} ${ends(t.positive_agreement95)}`,
    `  negative agreement  ${six(t.negative_agreement)} ${ends(t.negative_agreement95)}`,
    `  McNemar exact p     ${six(t.mcnemar_exact_p)}`,
    `  flagged             ${six(t.flagged[0])} and ${six(t.flagged[1])}, difference ${
      six(t.flagged_difference)
    } ${ends(t.flagged_difference95)}`,
    ...(t.tost === null ? [] : [
      `  TOST within ${six(t.tost.margin)}  p ${six(t.tost.p)} (90% interval ${ends(t.tost.interval90)}): ${
        t.tost.equivalent ? "" : "not "
      }shown equivalent`,
    ]),
    t.n_needed === null
      ? `  rows needed         no number of rows with this agreement shows ${criterion}`
      : `  rows needed         ${t.n_needed} to show ${criterion} with this agreement; ${t.n_needed_power80} for a chance of 80%`,
  ];
}

function floorLines(floor: NoiseFloor, sides: readonly [string, string]): string[] {
  const self = (name: string, found: NoiseFloor["first"]) =>
    `  ${name}: labels repeat on ${share(found.label)}, texts on ${share(found.text)}` +
    (found.response_similarity === null ? "" : `, answers ${six(found.response_similarity.mean)} alike`);
  return [
    `Noise floor: two passes of each backend on ${floor.items} items`,
    self(`${sides[0]} against itself`, floor.first),
    self(`${sides[1]} against itself`, floor.second),
    self("one against the other", floor.across),
    `  labels across against within: MMD ${six(floor.labels.mmd2)}, permutation p ${six(floor.labels.p)}`,
    `  completions (Hamming kernel): MMD ${six(floor.completions.mmd2)}, permutation p ${
      six(floor.completions.p)
    }`,
    `  one backend noisier than the other (McNemar exact): labels p ${six(floor.label_noise_p)}, texts p ${
      six(floor.text_noise_p)
    }`,
  ];
}

function driftLines(drift: NonNullable<Comparison["drift"]>, sides: readonly [string, string]): string[] {
  const { prompt_tokens, rendered_prompt, parameters, capped, divergence, causes } = drift;
  return [
    "What differs",
    ...(causes.length === 0
      ? ["  nothing found"]
      : causes.map(({ cause, certainty, evidence }) => `  ${cause} (${certainty}): ${evidence}`)),
    `  prompt tokens: ${prompt_tokens.equal} of ${prompt_tokens.compared} rows counted the same by both`,
    rendered_prompt === null
      ? "  rendered prompts: not known of both"
      : `  rendered prompts: ${rendered_prompt.equal} of ${rendered_prompt.compared} the same`,
    ...(parameters === null ? [] : [
      `  sampling sent to ${sides[0]}: ${JSON.stringify(parameters.first)}`,
      `  sampling sent to ${sides[1]}: ${JSON.stringify(parameters.second)}`,
    ]),
    `  answers that end at the output cap: ${capped.first} and ${capped.second} (McNemar exact p ${
      six(capped.p)
    })`,
    `  texts that differ: ${divergence.rows} of ${divergence.of}` +
    (divergence.with_logprobs === 0
      ? "; log-probabilities not known"
      : `; first at token ${divergence.median_token} (median), log-probability gap ${
        six(divergence.median_logprob_gap)
      }, near ties ${divergence.near_ties} of ${divergence.with_logprobs}`),
  ];
}

function scoreLine(name: string, scores: ClassificationScores): string {
  const one = (label: string, { estimate, low, high }: Score) =>
    `${label} ${six(estimate)} ${ends([low, high])}`;
  return `  ${name}: ${one("F1", scores.f1)}, ${one("precision", scores.precision)}, ${
    one("recall", scores.recall)
  } (n ${scores.n}` +
    `${
      scores.unlabelled > 0 ? `, ${scores.unlabelled} unparsed left out` : ""
    }; tp ${scores.truePositive}, fp ${scores.falsePositive}, ` +
    `fn ${scores.falseNegative}, tn ${scores.trueNegative})`;
}

function lengths(what: string, found: MeanStatistics | null): string[] {
  return found === null
    ? []
    : [`    ${what}: ${six(found.mean)} characters on average ${ends(found.mean95)}`];
}

function means(what: string, found: MeanStatistics | null): string[] {
  return found === null ? [] : [`${what}: ${six(found.mean)} ${ends(found.mean95)}, ${found.n} rows`];
}

function ratio(what: string, [a, b]: readonly [string, string], found: number | null): string[] {
  return found === null ? [] : [`  length of ${what}, ${b} over ${a}: ${six(found)} (median of rows)`];
}

const share = ({ count, n, share: found, wilson95 }: ShareStatistics) =>
  `${count} of ${n} (${six(found)} ${ends(wilson95)})`;
const six = (value: number | null) => value === null ? "not defined" : value.toFixed(6);
const ends = (interval: Ends | null) =>
  interval === null ? "[no interval]" : `[${interval[0].toFixed(6)}, ${interval[1].toFixed(6)}]`;

function rounded(value: Json): Json {
  if (typeof value === "number") return Number(value.toFixed(6));
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(rounded);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, rounded(inner)]));
}

function snakeKeys(value: Json): Json {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(snakeKeys);
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      snakeKeys(inner),
    ]),
  );
}
