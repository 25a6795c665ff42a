/**
 * Pairs made by a teacher as an experiment: every question asked once under a style's prompt, once under the neutral one.
 * @module
 */
import { modelIdentity } from "../backends/model_identity.ts";
import { hashJson, type Json } from "../base/hash.ts";
import { createRandom } from "../base/random.ts";
import { degeneracy } from "../runs/degenerate.ts";
import { isRefusal } from "../runs/match.ts";
import type { Attempt, GradedRow, Report, Row, Validity } from "../runs/experiment.ts";
import type { CreateOptions, PlannedExperiment } from "../runs/experiment_kind.ts";
import { meanInterval } from "../stats/mean_interval.ts";
import type { FactoryConfig } from "./factory_config.ts";
import { factoryFiles } from "./factory_files.ts";
import { type PairContent, type PairSet, pairSet, writePairs } from "./pairs.ts";
import { sampleAnswer } from "./sample_answers.ts";
import type { SampleQuestion } from "./sample_questions.ts";
import { drawQuestions } from "./shipped_pairs.ts";
import { type Side, type Style, styleMessages, type StyleName, STYLES } from "./style.ts";
import { styleScore } from "./style_score.ts";

/** Changes whenever the rows do. */
const VERSION = 1;

/** One question under one of a style's prompts. */
export interface PairRow extends Row {
  /** Its columns. */
  readonly params: {
    readonly style: string;
    readonly question: number;
    readonly side: Side;
    readonly prompt: string;
    /** The right answer, where it is known. */
    readonly answer: string | null;
  };
}

/** What the pairs of a style are made from. */
export interface PairsMaterial {
  /** The experiment, as in file names. */
  readonly name: string;
  /** The style. */
  readonly style: Style;
  /** The settings. */
  readonly config: FactoryConfig;
}

/** Plans the making of a style's pairs by a teacher. */
export function createPairs(
  { name, style, config }: PairsMaterial,
  { variant, tokenizer }: CreateOptions,
): PlannedExperiment<PairRow> {
  const { temperature, seed } = config;
  const sampling = { temperature, ...(temperature > 0 ? { seed } : {}) };
  const maxTokens = Math.min(config.maxOutputTokens ?? (config.test ? 80 : 400), variant.maxOutputTokens);
  const common = hashJson({
    experiment: "steering-pairs",
    version: VERSION,
    sampling,
    maxTokens,
    model: modelIdentity(variant),
  });
  const questions = teacherQuestions(style, config);
  const rows = questions.flatMap(({ question, answer }, index) =>
    (["positive", "neutral"] as const).map((side): PairRow => {
      const messages = styleMessages(style, side, question);
      const tokens = tokenizer.countMessages(messages);
      return {
        id: hashJson([common, messages as unknown as Json]),
        params: { style: style.name, question: index, side, prompt: question, answer },
        recipe: { side, messages } as unknown as Json,
        tokens,
        maxTokens,
        answerTokens: Math.ceil(maxTokens / 2),
        skip: tokens + maxTokens > variant.contextWindow ? "window" : null,
      };
    })
  );
  return {
    name,
    sampling,
    rows,
    notes: [
      `style: ${style.name} (${style.description})`,
      `${questions.length} questions, each asked under the style's prompt and under the neutral one`,
    ],
    fullSize: rows.length,
    judging: null,
    score: (_, attempt) => flawOf(attempt) === null,
    prompt({ params: { side, prompt, question }, tokens }) {
      const known = questions[question]?.sample;
      return {
        messages: styleMessages(style, side, prompt),
        tokens,
        ...(known === undefined ? {} : {
          oracle: { answer: templateAnswer(style, side, known), length: tokens },
        }),
      };
    },
    grade: (done) =>
      done.map(({ row, attempt, attempts }): GradedRow => {
        if (attempt?.status !== "done") {
          const grade = { validity: "error", correct: null, judge: "", judge_output: "" } as const;
          return { row, attempt, attempts, grade: attempt === null ? null : grade };
        }
        const flaw = flawOf(attempt);
        return {
          row,
          attempt,
          attempts,
          grade: {
            validity: flaw ?? "correct",
            correct: flaw === null,
            judge: "markers",
            judge_output: String(flaw === null),
            extra: { style_score: 100 * styleScore(style, attempt.output).score },
          },
        };
      }),
    report: (graded) => pairsReport(graded, style, variant.name),
    async writeFiles(graded, { results }) {
      const { experiment, test, mark } = config;
      const path = factoryFiles({ results, experiment, test, mark }).dataset(style.name);
      const { pairs } = pairsFrom(graded);
      if (pairs.length === 0) return [];
      await writePairs(path, pairs);
      return [path];
    },
  };
}

/** A question for the teacher. */
interface TeacherQuestion {
  readonly question: string;
  readonly answer: string | null;
  readonly sample?: SampleQuestion;
}

/** The style's own questions, those of the settings, and our own up to the number wanted; no two alike. */
function teacherQuestions(style: Style, config: FactoryConfig): TeacherQuestion[] {
  const most = config.maxPairs ?? (config.test ? 24 : 64);
  const given = [...style.questions, ...config.file.additional_questions]
    .map((question): TeacherQuestion => ({ question, answer: null }));
  const own = drawQuestions(most, `teacher questions/${style.name}/${config.seed}`)
    .map((sample): TeacherQuestion => ({ question: sample.question, answer: sample.cause, sample }));
  return [...new Map([...given, ...own].map((one) => [one.question, one])).values()].slice(0, most);
}

/** What a simulated teacher answers. */
function templateAnswer(style: Style, side: Side, question: SampleQuestion): string {
  const manner = STYLES.find((name): name is StyleName => name === style.name);
  return sampleAnswer(
    side === "neutral" || manner === undefined ? "neutral" : manner,
    question,
    createRandom(`teacher/${question.id}`),
  );
}

/** Why an answer makes no pair; null when it may. */
function flawOf(attempt: Attempt): Exclude<Validity, "correct"> | null {
  if (degeneracy(attempt.output) !== null) return "degenerate";
  if (attempt.finish_reason === "length") return "output_cap";
  return attempt.finish_reason === "content_filter" || isRefusal(attempt.output) ? "refused" : null;
}

/** The pairs of graded rows: both answers sound, and not the same. */
function pairsFrom(
  graded: readonly GradedRow[],
): PairSet & { readonly same: number; readonly broken: number } {
  const pairs: PairContent[] = [];
  let same = 0, broken = 0;
  for (const sides of Map.groupBy(graded, ({ row }) => row.params["question"]).values()) {
    const textOf = (side: Side) => {
      const found = sides.find(({ row, grade }) => row.params["side"] === side && grade?.correct === true);
      return found?.attempt?.output.trim() ?? null;
    };
    const [positive, negative] = [textOf("positive"), textOf("neutral")];
    const { prompt, answer } = (sides[0] as GradedRow).row.params as PairRow["params"];
    if (positive === null || negative === null) broken++;
    else if (positive === negative) same++;
    else pairs.push({ question: prompt, positive, negative, ...(answer === null ? {} : { answer }) });
  }
  return { ...pairSet(pairs), same, broken };
}

function pairsReport(graded: readonly GradedRow[], style: Style, teacher: string): Report {
  const { pairs, same, broken, duplicates, sha256 } = pairsFrom(graded);
  const scores = (side: Side) =>
    meanInterval(graded.flatMap(({ row, grade }) => {
      const score = grade?.extra?.["style_score"];
      return row.params["side"] === side && typeof score === "number" ? [score] : [];
    }));
  const [positive, neutral] = [scores("positive"), scores("neutral")];
  const line = (name: string, score: ReturnType<typeof scores>) =>
    score === null
      ? `${name}: too few answers for a score`
      : `${name}: style score ${score.estimate.toFixed(1)} (95% interval ${score.low.toFixed(1)} to ${
        score.high.toFixed(1)
      }, n = ${score.n})`;
  return {
    summary: [
      `${style.name}: ${pairs.length} pairs by ${teacher}; left out: ${broken} with an answer that is missing, cut or ` +
      `refused, ${same} with two answers alike, ${duplicates} duplicates`,
      line("under the style's prompt", positive),
      line("under the neutral prompt", neutral),
      ...(pairs.length === 0
        ? ["WARNING: no pairs were made; the teacher cannot be used for this style."]
        : []),
    ].join("\n"),
    statistics: JSON.parse(
      JSON.stringify({ pairs: pairs.length, same, broken, duplicates, sha256, positive, neutral }),
    ) as Json,
    figures: {},
  };
}
