/**
 * The evaluation of one style's vectors as an experiment: unsteered answers first, then the strengths on half of the
 * questions, then the chosen one and its controls on the other half.
 * @module
 */
import { z } from "zod";
import type { Message } from "../backends/backend.ts";
import { modelIdentity } from "../backends/model_identity.ts";
import { checkSteerable } from "../backends/steerable.ts";
import type { Variant } from "../backends/variants.ts";
import { hashJson, type Json, sha256 } from "../base/hash.ts";
import { matchWords } from "../runs/match.ts";
import { askedJudge } from "../runs/judge_rows.ts";
import type { GradableRow, GradeContext, GradedRow, Prompt } from "../runs/experiment.ts";
import type { CreateOptions, PlannedExperiment } from "../runs/experiment_kind.ts";
import { keptValues } from "../runs/kept_values.ts";
import { answerOf, gradeAnswers, scaleOf } from "./answer_grades.ts";
import { readAnswer } from "./answer_readings.ts";
import type { Coherence, CoherenceScale } from "./coherence.ts";
import type { FactoryConfig } from "./factory_config.ts";
import { chooseStrength, type FactoryAnswer, type FactoryPoint, factoryPoints } from "./factory_points.ts";
import { factoryNotes, factoryReport } from "./factory_report.ts";
import {
  type FactoryArm,
  type FactoryQuestion,
  factoryQuestions,
  type FactoryRow,
  strengthGrid,
} from "./factory_rows.ts";
import type { FactoryPlace } from "./factory_files.ts";
import {
  noteInVectors,
  pairsOf,
  type StylePairs,
  type StyleVectors,
  styleVectors,
  vectorsRecipe,
} from "./factory_vectors.ts";
import { type KvDirections, kvDirections, kvSteering, type KvStrength, randomKv } from "./kv_vectors.ts";
import { measureAnswers, type MeasureOptions } from "./measure_answers.ts";
import { type Style, styleMessages } from "./style.ts";
import { styleScore } from "./style_score.ts";
import { definitionOf } from "./style_traits.ts";
import { zeroChangesNothing } from "./zero_check.ts";
import { traitQuestion } from "./trait_judge.ts";
import { judgedScore, traitJudging } from "./trait_judging.ts";

/** Changes whenever the rows do, so that answers of two versions are never mixed. */
const VERSION = 1;

/** What the evaluation of a style's vectors needs. */
export interface FactoryMaterial {
  /** The experiment, as in file names. */
  readonly name: string;
  /** The style. */
  readonly style: Style;
  /** The settings. */
  readonly config: FactoryConfig;
  /** Where files lie. */
  readonly place: FactoryPlace;
  /** The variant that vectors are read from. */
  readonly from: Variant;
}

/**
 * Plans the evaluation of a style's vectors on a variant.
 *
 * @throws {InputError} when the variant does not run in this process, or pairs or questions are wrong.
 */
export async function createFactory(
  material: FactoryMaterial,
  options: CreateOptions,
): Promise<PlannedExperiment<FactoryRow>> {
  checkSteerable(options.variant);
  checkSteerable(material.from);
  const pairs = await pairsOf(material.style, material.config, material.place);
  const questions = await factoryQuestions(material.style.name, material.config, pairs);
  return new Factory(material, options, pairs, questions).experiment();
}

class Factory {
  readonly #maxTokens: number;
  readonly #common: string;
  readonly #recipe: string;
  readonly #judges: readonly ReturnType<typeof askedJudge>[];
  #loaded:
    | { readonly kept: StyleVectors; readonly style: KvDirections; readonly random: KvDirections }
    | null = null;

  constructor(
    private readonly material: FactoryMaterial,
    private readonly options: CreateOptions,
    private readonly pairs: StylePairs | null,
    private readonly questions: readonly FactoryQuestion[],
  ) {
    const { style, config, from } = material;
    const { variant, judges = [] } = options;
    this.#maxTokens = Math.min(config.maxOutputTokens ?? (config.test ? 80 : 400), variant.maxOutputTokens);
    this.#judges = judges.map(askedJudge);
    this.#recipe = vectorsRecipe(style, pairs, config, from);
    this.#common = hashJson({
      experiment: "steering-factory",
      version: VERSION,
      sampling: this.#sampling as unknown as Json,
      maxTokens: this.#maxTokens,
      model: modelIdentity(variant),
    });
  }

  get #sampling() {
    const { temperature, seed } = this.material.config;
    return { temperature, ...(temperature > 0 ? { seed } : {}) };
  }

  experiment(): PlannedExperiment<FactoryRow> {
    const { name, config, style } = this.material;
    const report = this.questions.filter(({ split }) => split === "report");
    const rows = [
      ...this.questions.map((question) => this.#row("unsteered", question)),
      ...report.map((question) => this.#row("prompted", question)),
    ];
    const grid = strengthGrid(config).length;
    const doses = 1 + 2 * new Set(strengthGrid(config).map(({ values }) => values)).size;
    return {
      name,
      sampling: this.#sampling,
      rows,
      notes: [
        ...factoryNotes(this.material, this.pairs, this.options.variant),
        `${this.questions.length} questions (${
          this.questions.length - report.length
        } to choose on, ${report.length} ` +
        `to report on), none of them in the pairs; ${grid} strengths`,
        `then ${grid * (this.questions.length - report.length)} rows to choose the strength, and ` +
        `${doses * report.length} for the chosen one and its controls`,
        this.#judges.length > 0
          ? `scored by ${this.#judges.map((judge) => judge.variant.name).join(" and ")}, 0 to 100`
          : "scored by the style's markers: the share of sentences that hold one (no judge)",
      ],
      fullSize: rows.length + grid * (this.questions.length - report.length) + doses * report.length,
      ...traitJudging<FactoryRow>(this.#judges, {
        stage: "style",
        answerTokens: this.#maxTokens,
        question: (row, answer) =>
          traitQuestion({ definition: definitionOf(style) }, row.params.prompt, answer),
      }),
      prompt: (row) => this.#prompt(row),
      more: (rows, context) => this.#more(rows, context),
      grade: (rows, context) => this.#grade(rows, context),
      report: (rows) => {
        const points = factoryPoints(answersOf(rows), config.seed);
        const about = { style, config, variant: this.options.variant.name, scale: scaleOf(rows) };
        return factoryReport(points, about);
      },
      writeFiles: async (rows) => {
        const points = factoryPoints(answersOf(rows), config.seed);
        const { path } = (await this.#vectors(new AbortController().signal)).kept;
        await noteInVectors(path, strengthNotes(points, config, this.options.variant.name));
        return [path];
      },
    };
  }

  #messages(arm: FactoryArm, question: string): Message[] {
    return styleMessages(this.material.style, arm === "prompted" ? "positive" : "neutral", question);
  }

  #row(
    arm: FactoryArm,
    { index, question, answer, split }: FactoryQuestion,
    strength?: KvStrength,
  ): FactoryRow {
    const { style, config } = this.material;
    const { tokenizer, variant } = this.options;
    const messages = this.#messages(arm, question);
    const tokens = tokenizer.countMessages(messages);
    const steering = strength === undefined ? null : {
      vectors: this.#recipe,
      random: arm === "random" ? config.seed : null,
      c_k: strength.keys,
      c_v: strength.values,
    };
    const params: FactoryRow["params"] = {
      style: style.name,
      arm,
      split,
      question: index,
      prompt: question,
      answer,
      c_k: strength?.keys ?? null,
      c_v: strength?.values ?? null,
    };
    return {
      id: hashJson([this.#common, arm, split, messages as unknown as Json, steering]),
      params,
      recipe: { ...params, messages, steering } as unknown as Json,
      tokens,
      maxTokens: this.#maxTokens,
      skip: tokens + this.#maxTokens > variant.contextWindow ? "window" : null,
    };
  }

  /** The unsteered are computed in the same two parts as the steered, so that strength 0 can be the same to the bit. */
  #prompt(row: FactoryRow): Prompt {
    const { arm, prompt, c_k, c_v } = row.params;
    const base = { messages: this.#messages(arm, prompt), tokens: row.tokens };
    if (c_k === null || c_v === null) return { ...base, steering: { kv: [] } };
    if (this.#loaded === null) throw new Error("rows are steered before there are vectors");
    const directions = arm === "random" ? this.#loaded.random : this.#loaded.style;
    return { ...base, steering: { kv: kvSteering(directions, { keys: c_k, values: c_v }) } };
  }

  async #vectors(signal: AbortSignal) {
    if (this.#loaded !== null) return this.#loaded;
    const { style, config, place, from } = this.material;
    const pairs = this.pairs ?? await pairsOf(style, config, place);
    if (pairs === null) throw new Error(`no pairs of ${style.name} were made`);
    const { steerable } = this.options;
    const kept = await styleVectors({
      style,
      pairs,
      config,
      place,
      variant: from,
      signal,
      ...(hashJson(modelIdentity(from)) === hashJson(modelIdentity(this.options.variant))
        ? { model: steerable }
        : {}),
    });
    return this.#loaded = {
      kept,
      style: kvDirections(kept.vectors),
      random: kvDirections(randomKv(kept.vectors, `${config.seed}/${style.name}`)),
    };
  }

  /** The rows that follow: of the search, then of the report. */
  async #more(
    rows: readonly GradableRow<FactoryRow>[],
    context: GradeContext,
  ): Promise<readonly FactoryRow[]> {
    await this.#vectors(context.signal);
    const { config } = this.material;
    const search = this.questions.filter(({ split }) => split === "search");
    const searching = strengthGrid(config).flatMap((strength) =>
      search.map((question) => this.#row("search", question, strength))
    );
    const tried = new Set(rows.filter(({ attempt }) => attempt !== null).map(({ row }) => row.id));
    const open = searching.filter(({ id, skip }) => skip === null && !tried.has(id));
    if (open.length > 0) return open;
    const points = factoryPoints((await this.#answers(rows, context)).answers, config.seed);
    const chosen = chooseStrength(points, config.coherentShare)?.strength;
    if (!chosen) return [];
    const report = this.questions.filter(({ split }) => split === "report");
    const doses = strengthGrid(config).filter(({ keys }) => keys === chosen.keys);
    return [{ keys: 0, values: 0 }, ...doses].flatMap((strength, i) =>
      report.flatMap((question) =>
        i === 0
          ? [this.#row("zero", question, strength)]
          : [this.#row("steered", question, strength), this.#row("random", question, strength)]
      )
    );
  }

  /** Scores and measures every answer so far. */
  async #answers(
    rows: readonly GradableRow<FactoryRow>[],
    context?: GradeContext,
  ): Promise<{ readonly answers: readonly FactoryAnswer[]; readonly scale: CoherenceScale | null }> {
    const done = rows.flatMap(({ row, attempt, judgements }) =>
      attempt?.status === "done" ? [{ row, attempt, judgements }] : []
    );
    const { coherence, scale } = await measureAnswers(
      done.map(({ row, attempt }) => ({
        id: row.id,
        question: row.params.question,
        messages: this.#messages("unsteered", row.params.prompt),
        text: attempt.output,
        unsteered: row.params.arm === "unsteered",
      })),
      { read: await this.#reader(context) },
    );
    const bits = await this.#zeroBits(done.map(({ row }) => row), context);
    const answers = done.map(({ row, attempt, judgements }): FactoryAnswer => {
      const score = this.#judges.length === 0
        ? { score: 100 * styleScore(this.material.style, attempt.output).score, how: "markers" }
        : judgedScore(judgements, "style");
      return {
        row,
        text: attempt.output,
        score: score?.score ?? null,
        how: score?.how ?? null,
        right: row.params.answer === null ? null : holds(attempt.output, row.params.answer),
        coherence: coherence.get(row.id) as Coherence,
        sameBits: bits.get(row.id) ?? null,
      };
    });
    return { answers, scale };
  }

  /** Reads answers without steering, each once; likelihood is left out where the model is not there. */
  async #reader(context?: GradeContext): Promise<MeasureOptions["read"]> {
    const { steerable } = this.options;
    const kept = await keptValues(context?.kept ?? null, "nll", z.number().nullable());
    return async (messages, text) => {
      if (steerable === undefined || text === "") return { nll: null, norms: {} };
      context?.signal.throwIfAborted();
      const key = hashJson([this.#common, sha256(JSON.stringify(messages)), sha256(text)]);
      let nll = kept.get(key);
      if (nll === undefined) {
        const { signal } = context ?? {};
        nll = (await readAnswer(steerable, messages, text, signal ? { signal } : {})).nll;
        await kept.put(key, nll);
      }
      return { nll, norms: {} };
    };
  }

  /** Whether strength 0 changes no bit, for each row of it. */
  async #zeroBits(
    rows: readonly FactoryRow[],
    context?: GradeContext,
  ): Promise<ReadonlyMap<string, boolean>> {
    const { steerable } = this.options;
    const bits = new Map<string, boolean>();
    const zero = rows.filter(({ params }) => params.arm === "zero");
    if (zero.length === 0) return bits;
    const kept = await keptValues(context?.kept ?? null, "zero", z.boolean());
    for (const row of zero) {
      context?.signal.throwIfAborted();
      let same = kept.get(row.id);
      if (same === undefined && steerable !== undefined) {
        const { style } = await this.#vectors(context?.signal ?? new AbortController().signal);
        same = await zeroChangesNothing(steerable, this.#messages("zero", row.params.prompt), style);
        await kept.put(row.id, same);
      }
      if (same !== undefined) bits.set(row.id, same);
    }
    return bits;
  }

  /** A row is right when its answer is mostly in the style: scored above 50. What it says is a column of its own. */
  async #grade(
    rows: readonly GradableRow<FactoryRow>[],
    context?: GradeContext,
  ): Promise<readonly GradedRow[]> {
    const { answers, scale } = await this.#answers(rows, context);
    const judge = this.#judges[context?.judge ?? 0]?.variant.name;
    return gradeAnswers(rows, answers, {
      stage: "style",
      judge,
      scale,
      columns: ({ right, sameBits }) => ({ answer_right: right, zero_same_bits: sameBits }),
    });
  }
}

/** Whether an output holds an answer, word for word. */
function holds(output: string, answer: string): boolean {
  const text = (words: string) => ` ${matchWords(words).join(" ")} `;
  return text(output).includes(text(answer));
}

const columnsSchema = z.object({
  answer_right: z.boolean().nullable(),
  zero_same_bits: z.boolean().nullable(),
});

/** The answers of graded rows. */
function answersOf(rows: readonly GradedRow[]): FactoryAnswer[] {
  return rows.flatMap((graded) => {
    const answer = answerOf(graded);
    const { data } = columnsSchema.safeParse(graded.grade?.extra);
    return answer === null || data === undefined ? [] : [{
      ...answer,
      row: graded.row as FactoryRow,
      right: data.answer_right,
      sameBits: data.zero_same_bits,
    }];
  });
}

/** What the evaluation adds to the metadata of the vectors. */
function strengthNotes(
  points: readonly FactoryPoint[],
  config: FactoryConfig,
  variant: string,
): Record<string, string> {
  const chosen = chooseStrength(points, config.coherentShare);
  const search = points.filter(({ arm }) => arm === "search").map((
    { strength, effect, coherent, answers },
  ) => ({
    c_k: strength?.keys,
    c_v: strength?.values,
    effect: effect.estimate,
    coherent,
    n: answers.length,
  }));
  return {
    coefficients_searched: JSON.stringify({ variant, search }),
    coefficients: JSON.stringify(
      chosen === null ? null : { c_k: chosen.strength?.keys, c_v: chosen.strength?.values },
    ),
  };
}
