/**
 * The rows of recording, measuring and splicing: one for each sample.
 * @module
 */
import type { Variant } from "../backends/variants.ts";
import { hashJson, type Json, sha256 } from "../base/hash.ts";
import type { Row } from "../runs/experiment.ts";
import type { PromptBook, SplicePrompt } from "./prompt_book.ts";
import { splitSentences } from "./sentences.ts";
import {
  type ArmName,
  type RecordedChain,
  SPLICE_ARMS,
  type SplicePlace,
  type SplicePoint,
  type SpliceProblem,
} from "./types.ts";

/** What a sample is drawn for: chains to record, deltas to measure, or the arms of splice points. */
export const STAGES = ["record", "deltas", "arms"] as const;
/** What a sample is drawn for. */
export type Stage = typeof STAGES[number];

/** One sample. */
export interface SpliceRow extends Row {
  /** Its columns. */
  readonly params: {
    readonly stage: Stage;
    readonly problem_number: string;
    /** Sentence of the splice point, or the last sentence of the prefix that is measured; null without a prefix. */
    readonly sentence_number: number | null;
    /** `base` or `hinted` where chains are recorded, `delta` where they are measured, else the arm. */
    readonly arm: "base" | "hinted" | "delta" | ArmName;
    readonly sample_num: number;
    readonly seed: number;
    readonly correct_answer: string;
    readonly hinted_answer: string;
    readonly delta_cue_p: number | null;
    readonly prefix_tokens: number;
  };
  /** Whose it is. */
  readonly problem: SpliceProblem;
  /** What is sent. */
  readonly asked: SplicePrompt;
}

/** How samples are drawn. */
export interface DrawSettings {
  /** The model that is asked. */
  readonly variant: Variant;
  /** What it is, see `modelIdentity`. */
  readonly model: Json;
  /** Makes the prompts. */
  readonly book: PromptBook;
  /** Samples of each prompt. */
  readonly samples: number;
  /** Seed of the first sample; the others follow. */
  readonly seed: number;
  /** 0 is greedy. */
  readonly temperature: number;
  /** Share of probability that is sampled from. */
  readonly topP: number;
  /** Most tokens of a sample. */
  readonly maxNewTokens: number;
}

/** Tokens that the letter alone may take. */
const FORCED_TOKENS = 16;
/** Fewest tokens that are worth a request, where the window leaves less than was asked for. */
const LEAST_TOKENS = 32;
/**
 * How far the seeds of measured deltas lie from those of the arms: points are chosen by their deltas, so that arms drawn
 * with the same seeds would repeat the luck that chose them.
 */
export const DELTA_SEEDS = 1_000_000;

/** Chains to be recorded, under both prompts. */
export function recordRows(problems: readonly SpliceProblem[], draw: DrawSettings): SpliceRow[] {
  return problems.flatMap((problem) =>
    (["base", "hinted"] as const).flatMap((arm) => {
      const user = arm === "base" ? problem.basePrompt : problem.hintedPrompt;
      if (user === null) return [];
      return samplesOf("record", arm, problem, null, null, draw.book.fresh(user), draw);
    })
  );
}

/**
 * A hinted chain behind each of its sentences but the last, and the un-hinted prompt without any: the first gives the
 * rate before sentence 0. The last sentence mostly states the answer, and is not measured by the published data either.
 */
export function deltaRows(
  chains: readonly { readonly problem: SpliceProblem; readonly chain: RecordedChain }[],
  draw: DrawSettings,
): SpliceRow[] {
  const own = { ...draw, seed: draw.seed + DELTA_SEEDS };
  return chains.flatMap(({ problem, chain }) => {
    const ends: [number | null, number][] = [
      [null, 0],
      ...splitSentences(chain.reasoning).slice(0, -1).map(({ index, end }): [number, number] => [index, end]),
    ];
    return ends.flatMap(([sentence, end]) =>
      samplesOf(
        "deltas",
        "delta",
        problem,
        sentence,
        null,
        draw.book.begun(problem.basePrompt, chain.reasoning.slice(0, end)),
        own,
      )
    );
  });
}

/**
 * Every arm of every point. Prompts of a chain that extend one another stand together, the shortest first; arms without
 * a prefix are drawn once for each problem.
 */
export function armRows(
  points: readonly SplicePoint[],
  problems: ReadonlyMap<string, SpliceProblem>,
  arms: readonly ArmName[],
  draw: DrawSettings,
): SpliceRow[] {
  const drafts: {
    readonly order: readonly [number, string, string, number];
    readonly rows: () => SpliceRow[];
  }[] = [];
  const numbers = new Map([...new Set(points.map(({ problem }) => problem))].map((id, i) => [id, i]));
  for (const arm of arms) {
    const { prompt, cut, sentence, forced } = SPLICE_ARMS[arm];
    const seen = new Set<string>();
    for (const point of points) {
      const problem = problems.get(point.problem) as SpliceProblem;
      const user = prompt === "hinted" ? problem.hintedPrompt : problem.basePrompt;
      const place: SplicePlace | null = cut === "control" ? point.control : point;
      if (user === null || place === null || cut === null && seen.has(problem.id)) continue;
      seen.add(problem.id);
      const end = cut === null || sentence === null ? 0 : place.cut[sentence];
      const reasoning = point.chain.reasoning.slice(0, end);
      const asked = draw.book.begun(user, reasoning, { forced });
      const chain = cut === null ? "" : String(point.chain.sample);
      drafts.push({
        order: [numbers.get(problem.id) as number, prompt, chain, end + (forced ? 0.5 : 0)],
        rows: () =>
          samplesOf(
            "arms",
            arm,
            problem,
            cut === null ? null : point.sentence,
            cut === null ? null : point.delta,
            asked,
            draw,
          ),
      });
    }
  }
  return drafts.toSorted((a, b) => compare(a.order, b.order)).flatMap(({ rows }) => rows());
}

function compare(
  a: readonly [number, string, string, number],
  b: readonly [number, string, string, number],
): number {
  return a[0] - b[0] || (a[1] < b[1] ? 1 : a[1] > b[1] ? -1 : 0) ||
    (a[2] < b[2] ? -1 : a[2] > b[2] ? 1 : 0) ||
    a[3] - b[3];
}

function samplesOf(
  stage: Stage,
  arm: SpliceRow["params"]["arm"],
  problem: SpliceProblem,
  sentence: number | null,
  delta: number | null,
  asked: SplicePrompt,
  draw: DrawSettings,
): SpliceRow[] {
  const { variant, temperature, topP } = draw;
  const wanted = Math.min(asked.forced ? FORCED_TOKENS : draw.maxNewTokens, variant.maxOutputTokens);
  const room = variant.contextWindow - asked.tokens;
  const maxTokens = Math.min(wanted, Math.max(room, 1));
  const shared = {
    experiment: "splice",
    stage,
    arm,
    problem: problem.id,
    sentence,
    prompt: asked.sha256,
    sampling: { temperature, topP },
    maxTokens,
    model: draw.model,
  };
  const common = hashJson(shared as unknown as Json);
  const recipe = {
    ...shared,
    question: sha256(asked.messages.map(({ content }) => content).join("\n")),
    reasoning: asked.reasoning === null ? null : sha256(asked.reasoning),
    forced: asked.forced,
  };
  return Array.from({ length: draw.samples }, (_, sample): SpliceRow => {
    const seed = draw.seed + sample;
    return {
      id: hashJson([common, sample, seed]),
      params: {
        stage,
        problem_number: problem.id,
        sentence_number: sentence,
        arm,
        sample_num: sample,
        seed,
        correct_answer: problem.correct,
        hinted_answer: problem.hinted,
        delta_cue_p: delta === null ? null : Number(delta.toFixed(6)),
        prefix_tokens: asked.tokens,
      },
      recipe: { ...recipe, sample, seed } as unknown as Json,
      tokens: asked.tokens,
      maxTokens,
      skip: room < Math.min(wanted, LEAST_TOKENS) ? "window" : null,
      problem,
      asked,
    };
  });
}
