/**
 * One pass of one backend over the sample: every message classified once.
 * @module
 */
import { modelIdentity } from "../backends/model_identity.ts";
import type { Variant } from "../backends/variants.ts";
import { hashJson, type Json, sha256 } from "../base/hash.ts";
import { createRandom } from "../base/random.ts";
import { degeneracy } from "../runs/degenerate.ts";
import type { Attempt, Grade, GradedRow, Report, Row, Validity } from "../runs/experiment.ts";
import type { CreateOptions, PlannedExperiment } from "../runs/experiment_kind.ts";
import { classificationScores } from "../stats/classification_scores.ts";
import type { Answer } from "./answer.ts";
import { answerCap, type CompareConfig, dataPath, sampleSize } from "./compare_config.ts";
import { shareStatistics } from "./pair_statistics.ts";
import type { Label } from "./pair_rows.ts";
import { parseLabel } from "./parse_label.ts";
import { CLASSIFY_VERSION, classifyMessages, loadPolicy, type Policy } from "./policies.ts";
import { drawSample, EXPECTED_DISAGREEMENT, type Sample, type SampledItem } from "./sampling_design.ts";
import { type ChatData, readToxicChat } from "./toxicchat.ts";

/** One message in one pass. */
export interface ParityRow extends Row {
  /** Its columns. */
  readonly params: {
    readonly item: string;
    readonly pass: number;
    readonly policy: string;
    readonly user_input: string;
    readonly toxicity: Label;
    readonly weight: number;
  };
}

/** The messages of a comparison and what they are judged by. */
export interface ParityMaterial {
  /** The data set. */
  readonly data: ChatData;
  /** The messages drawn. */
  readonly sample: Sample;
  /** What the classifier is told. */
  readonly policy: Policy;
}

/**
 * Reads policy and data of a config and draws the sample.
 *
 * @throws {InputError} when policy, data or size are wrong.
 */
export async function loadMaterial(config: CompareConfig): Promise<ParityMaterial> {
  const policy = await loadPolicy(config.policy);
  const data = await readToxicChat(dataPath(config));
  const sample = drawSample(data.items, {
    size: sampleSize(config),
    design: config.design,
    seed: config.seed,
    expectedDisagreement: config.expectedDisagreement ?? EXPECTED_DISAGREEMENT,
  });
  return { data, sample, policy };
}

/** How a pass is sampled. Above temperature 0 every pass of every variant has a seed of its own. */
export function passSampling(
  config: Pick<CompareConfig, "temperature" | "seed" | "logprobs">,
  pass: number,
  variant: Variant,
): { readonly temperature: number; readonly seed?: number; readonly logprobs?: boolean } {
  const ours = variant.backend === "local" || variant.name.endsWith("-served");
  const { temperature } = config;
  return {
    temperature,
    ...(temperature > 0
      ? { seed: createRandom(`parity/${config.seed}/${pass}/${variant.name}`).int(2 ** 31) }
      : {}),
    ...(config.logprobs ?? ours ? { logprobs: true } : {}),
  };
}

/** The parameters as they are sent to a variant: the pass's, with what models.json puts into every request. */
export function sentParameters(config: CompareConfig, variant: Variant): Json {
  const { temperature } = passSampling(config, 1, variant);
  const seed = temperature > 0 ? "one for each pass" : null;
  const extra = variant.backend === "api" ? variant.extraBody : {};
  return {
    temperature,
    ...(seed === null ? {} : { seed }),
    max_tokens: answerCap(config, variant),
    ...extra,
  } as Json;
}

/**
 * Plans one pass.
 *
 * @param pass from 1
 * @throws {InputError} when policy, data or size are wrong.
 */
export async function createPass(
  config: CompareConfig,
  pass: number,
  { variant, tokenizer }: CreateOptions,
): Promise<PlannedExperiment<ParityRow>> {
  const { data, sample, policy } = await loadMaterial(config);
  const sampling = passSampling(config, pass, variant);
  const maxTokens = answerCap(config, variant);
  const shared = {
    experiment: "compare-backends",
    version: CLASSIFY_VERSION,
    policy: policy.hash,
    pass,
    sampling,
    maxTokens,
    model: modelIdentity(variant),
  };
  const common = hashJson(shared as unknown as Json);
  const messages = ({ user_input }: ParityRow["params"]) => classifyMessages(policy, user_input);
  const rows = sample.items.map((item): ParityRow => {
    const params = paramsOf(item, pass, policy.name);
    const tokens = tokenizer.countMessages(messages(params));
    return {
      id: hashJson([common, item.item, sha256(item.text)]),
      params,
      recipe: { ...shared, item: item.item, text: item.text } as unknown as Json,
      tokens,
      maxTokens,
      skip: tokens + maxTokens > variant.contextWindow ? "window" : null,
    };
  });
  const [other, toxic] = sample.strata;
  return {
    name: passName(pass),
    sampling,
    rows,
    notes: [
      `policy: ${policy.name}`,
      `data: ${data.name}, ${sample.items.length} messages of ${data.items.length} drawn ${config.design} ` +
      `(toxic ${toxic.drawn} of ${toxic.population}, other ${other.drawn} of ${other.population})` +
      (data.empty > 0 ? `; ${data.empty} without a text left out` : ""),
      ...sample.notes,
      `pass ${pass} of ${config.passes}, temperature ${config.temperature}`,
    ],
    fullSize: rows.length,
    judging: null,
    score: (row, attempt) => parseLabel(attempt.output).label === row.params.toxicity,
    prompt(row) {
      const truth = row.params.toxicity;
      return {
        messages: messages(row.params),
        tokens: row.tokens,
        epoch: pass - 1,
        oracle: { answer: String(truth), distractors: [String(1 - truth)], length: row.tokens },
      };
    },
    grade: (done) =>
      done.map(({ row, attempt, attempts }) => ({
        row,
        attempt,
        attempts,
        grade: attempt === null ? null : gradeOf(row, attempt),
      })),
    report: (graded) =>
      passReport(graded, {
        config,
        pass,
        variant,
        policy,
        data,
        rendered: rows.slice(0, RENDERED_ROWS).flatMap((row) =>
          tokenizer.render?.(messages(row.params)) ?? []
        ),
      }),
  };
}

/** Rows whose rendered prompts are compared. */
export const RENDERED_ROWS = 3;

/** The experiment of a pass, as in file names. */
export const passName = (pass: number): string => `compare-backends-pass-${pass}`;

/** A graded row's answer; null when it was not answered. */
export function answerOf({ row, attempt }: GradedRow): Answer | null {
  if (attempt?.status !== "done") return null;
  const { label, unparsed, category, strict, refused } = parseLabel(attempt.output);
  return {
    item: String(row.params["item"]),
    label,
    unparsed,
    category,
    strict,
    refused: refused || attempt.finish_reason === "content_filter",
    response: attempt.output,
    reasoning: attempt.reasoning,
    finishReason: attempt.finish_reason,
    promptTokens: attempt.prompt_tokens_reported,
    completionTokens: attempt.completion_tokens,
    reasoningTokens: attempt.reasoning_tokens,
    logprobs: attempt.logprobs?.map(([token, logprob]) => ({ token, logprob })) ?? null,
  };
}

function paramsOf(
  { item, text, toxicity, weight }: SampledItem,
  pass: number,
  policy: string,
): ParityRow["params"] {
  return { item, pass, policy, user_input: text, toxicity, weight: Number(weight.toFixed(6)) };
}

function gradeOf(row: ParityRow, attempt: Attempt): Grade {
  const answer = answerOf({ row, attempt, attempts: 0, grade: null });
  if (answer === null) return { validity: "error", correct: null, judge: "", judge_output: "" };
  const correct = answer.label === null ? false : answer.label === row.params.toxicity;
  const capped = attempt.finish_reason === "length";
  const broken = answer.label === null ? degeneracy(attempt.output) : null;
  const validity: Validity = answer.label !== null
    ? correct ? "correct" : "wrong"
    : answer.refused
    ? "refused"
    : broken !== null
    ? "degenerate"
    : capped
    ? "output_cap"
    : "wrong";
  return {
    validity,
    correct,
    judge: "match",
    judge_output: String(correct),
    extra: {
      binary_label: answer.label,
      category: answer.category,
      parsed: answer.label !== null,
      strict: answer.strict,
      refused: answer.refused,
      response_length: answer.response.length,
      reasoning_text: answer.reasoning,
      reasoning_length: answer.reasoning?.length ?? null,
      reason: answer.unparsed ?? "",
    },
  };
}

function passReport(
  graded: readonly GradedRow[],
  { config, pass, variant, policy, data, rendered }: {
    readonly config: CompareConfig;
    readonly pass: number;
    readonly variant: Variant;
    readonly policy: Policy;
    readonly data: ChatData;
    readonly rendered: readonly string[];
  },
): Report {
  const answers = graded.flatMap((row) => {
    const answer = answerOf(row);
    return answer === null ? [] : [{ answer, truth: row.row.params["toxicity"] === 1 }];
  });
  const parsed = shareStatistics(
    answers.filter(({ answer }) => answer.label !== null).length,
    answers.length,
  );
  const refused = answers.filter(({ answer }) => answer.refused).length;
  const flagged = answers.filter(({ answer }) => answer.label === 1).length;
  const scores = classificationScores(
    answers.map(({ answer, truth }) => ({ truth, label: answer.label === null ? null : answer.label === 1 })),
    { random: createRandom(`pass scores/${config.seed}`) },
  );
  const percent = (value: number) => `${(value * 100).toFixed(1)}%`;
  const { estimate, low, high } = scores.f1;
  const summary = [
    ...(variant.backend === "simulated"
      ? ["Simulated: these rows show how the instruments behave, not a model."]
      : []),
    `${variant.name}, pass ${pass}, policy ${policy.name}, ${data.name}: ${answers.length} of ${graded.length} messages answered`,
    `labels read from ${parsed.count} of ${parsed.n} answers` +
    (parsed.share === null
      ? ""
      : ` (${percent(parsed.share)}, 95% interval ${parsed.wilson95.map(percent).join(" to ")})`) +
    `, ${refused} refused, ${flagged} flagged`,
    estimate === null
      ? "F1 is not defined: no message was flagged or toxic among those with a label"
      : `F1 ${percent(estimate)} (95% interval ${percent(low)} to ${
        percent(high)
      }) over ${scores.n} messages with a label`,
  ].join("\n");
  const statistics = JSON.parse(JSON.stringify({ parsed, refused, flagged, scores, rendered })) as Json;
  return { summary, statistics, figures: {} };
}
