/**
 * The sweep of one trait on one variant as an experiment: unsteered answers first, then the search over layers and
 * strengths on half of the questions, then the chosen point and its controls on the other half.
 * @module
 */
import { z } from "zod";
import { modelIdentity } from "../backends/model_identity.ts";
import type { Steerable } from "../backends/steerable.ts";
import { steeringJson } from "../backends/steering.ts";
import { InputError } from "../base/errors.ts";
import { hashJson, type Json, sha256 } from "../base/hash.ts";
import { askedJudge } from "../runs/judge_rows.ts";
import type { GradableRow, GradeContext, GradedRow, Prompt } from "../runs/experiment.ts";
import type { CreateOptions, PlannedExperiment } from "../runs/experiment_kind.ts";
import { type KeptValues, keptValues } from "../runs/kept_values.ts";
import { nextRatio, type SearchStep } from "./adaptive_search.ts";
import { answerOf, gradeAnswers, scaleOf } from "./answer_grades.ts";
import { type AnswerReading, readAnswer } from "./answer_readings.ts";
import type { Coherence, CoherenceScale } from "./coherence.ts";
import { type Markers, type MarkerScorer, markerScorer } from "./markers.ts";
import { measureAnswers, type MeasureOptions } from "./measure_answers.ts";
import type { SweepTrait } from "./sweep_trait.ts";
import {
  type Candidate,
  candidateName,
  candidatesOf,
  doseFactors,
  gridOf,
  searchOf,
  type SweepConfig,
} from "./sweep_config.ts";
import { choosePoint, passes, type SweepAnswer, type SweepPoint, sweepPoints } from "./sweep_points.ts";
import { sweepReport } from "./sweep_report.ts";
import {
  type Arm,
  askedForMessages,
  createSteerer,
  type Dose,
  drawQuestions,
  questionMessages,
  type Steerer,
  type SweepQuestion,
  type SweepRow,
  type SweepVectors,
} from "./sweep_rows.ts";
import { traitQuestion } from "./trait_judge.ts";
import { judgedScore, traitJudging } from "./trait_judging.ts";
import { writeSweepFiles } from "./write_sweep.ts";

/** Changes whenever the rows do, so that answers of two versions are never mixed. */
const VERSION = 1;

/** Most tokens of an in-process judge's reply. */
const PLAIN_CAP = 32;

/** Questions a test asks. */
const TEST_QUESTIONS = 16;

const readingSchema = z.strictObject({
  nll: z.number().nullable(),
  norms: z.record(z.string(), z.number().nullable()),
}) satisfies z.ZodType<AnswerReading>;

/** What the sweep of one trait needs. */
export interface SweepMaterial {
  /** The settings. */
  readonly config: SweepConfig;
  /** The experiment's name in files. */
  readonly name: string;
  /** The trait, and the questions of the prompt set. */
  readonly trait: SweepTrait;
  /**
   * Loads the vectors, made from the variant's activations where they are not there yet.
   *
   * @throws {InputError} when they cannot be had.
   */
  loadVectors(model: Steerable, candidates: readonly Candidate[], signal: AbortSignal): Promise<SweepVectors>;
  /**
   * Learns the words that tell responses with the trait from those without; asked for after the vectors, where the trait
   * has no markers and there is no judge.
   *
   * @throws {InputError} when there is no such word, or no response.
   */
  learnMarkers(): Promise<Markers>;
}

/**
 * Plans the sweep of one trait.
 *
 * @throws {InputError} when it has too few questions, or tells a judge nothing.
 */
export function createSweep(material: SweepMaterial, options: CreateOptions): PlannedExperiment<SweepRow> {
  return new Sweep(material, options).experiment();
}

/** What is known of a run when rows are asked for or graded. */
interface Known {
  readonly answers: readonly SweepAnswer[];
  readonly scale: CoherenceScale | null;
}

class Sweep {
  readonly #material: SweepMaterial;
  readonly #options: CreateOptions;
  readonly #questions: readonly SweepQuestion[];
  readonly #maxTokens: number;
  readonly #common: string;
  #markers: MarkerScorer | null;
  readonly #judges: readonly ReturnType<typeof askedJudge>[];
  #candidates: readonly Candidate[] = [];
  #vectors: SweepVectors | null = null;
  #kept: { readonly path: string; readonly values: KeptValues<AnswerReading> } | null = null;
  #steerer: Steerer | null = null;

  constructor(material: SweepMaterial, options: CreateOptions) {
    this.#material = material;
    this.#options = options;
    const { config, trait } = material;
    const { variant, judges = [] } = options;
    const most = Math.min(
      trait.questions.length,
      config.questions ?? (config.test ? TEST_QUESTIONS : Infinity),
    );
    if (most < 2) {
      throw new InputError(
        `The trait ${trait.name} has ${trait.questions.length} questions: a sweep needs at least two, one to choose on ` +
          "and one to report on. Add some to its steering.json, or give another --prompt-set.",
      );
    }
    this.#questions = drawQuestions(trait.questions, most, config.seed);
    this.#maxTokens = Math.min(config.maxOutputTokens ?? (config.test ? 24 : 256), variant.maxOutputTokens);
    this.#judges = judges.map(askedJudge);
    this.#markers = trait.markers === null ? null : markerScorer(trait.markers);
    if (this.#judges.length > 0 && trait.definition === "" && trait.evalPrompt === undefined) {
      throw new InputError(
        `The trait ${trait.name} tells a judge nothing: write what it is into its definition.txt, or an "eval_prompt" ` +
          "into its steering.json.",
      );
    }
    this.#common = hashJson({
      experiment: "steering-sweep",
      version: VERSION,
      sampling: this.#sampling as unknown as Json,
      maxTokens: this.#maxTokens,
      model: modelIdentity(variant),
    });
  }

  get #sampling() {
    const { temperature, seed } = this.#material.config;
    return { temperature, ...(temperature > 0 ? { seed } : {}) };
  }

  experiment(): PlannedExperiment<SweepRow> {
    const { config, name, trait } = this.#material;
    const { variant } = this.#options;
    const questions = this.#questions;
    const search = questions.filter(({ split }) => split === "search").length;
    const report = questions.length - search;
    const rows = [
      ...questions.map((question) => this.#row("baseline", question)),
      ...(trait.instruction === null
        ? []
        : questions.filter(({ split }) => split === "report").map((question) =>
          this.#row("prompt", question)
        )),
    ];
    const { steps } = searchOf(config);
    const grid = gridOf(config);
    const tried = grid?.length ?? steps;
    const reported = report * (2 + 2 * doseFactors(config).length);
    const layers = config.layers ?? "those of the middle half";
    return {
      name,
      sampling: this.#sampling,
      rows,
      notes: [
        `trait: ${trait.name}, ${questions.length} questions (${search} to choose on, ${report} to report on)`,
        `vectors: ${config.methods} at ${config.component} ${config.position}; ${config.mode} at ${config.phase} tokens, ` +
        `layers ${layers}`,
        `then up to ${tried * search} rows for each candidate (${
          grid === null ? "adaptive search" : "grid"
        }, ${tried} strengths), and up to ` +
        `${reported} for the chosen point and its controls`,
        this.#judges.length > 0
          ? `scored by ${this.#judges.map((judge) => judge.variant.name).join(" and ")}, 0 to 100`
          : trait.markers !== null
          ? "scored by the trait's marker words, 0 to 100 (no judge)"
          : "scored by the words that tell the extraction's responses apart, 0 to 100 (no judge, no markers)",
      ],
      fullSize: rows.length + reported,
      ...traitJudging<SweepRow>(this.#judges, {
        stage: "trait",
        answerTokens: this.#maxTokens,
        plainCap: PLAIN_CAP,
        question: (row, answer) => traitQuestion(trait, row.params.prompt, answer),
      }),
      // What cannot be steered is refused before anything is sent, which may cost.
      check: () =>
        Promise.try(() => void (this.#candidates = candidatesOf(config, this.#model.decoder.numLayers))),
      prompt: (row) => this.#prompt(row),
      more: (rows, context) => this.#more(rows, context),
      grade: (rows, context) => this.#grade(rows, context),
      report: (rows) =>
        sweepReport(this.#pointsOf(rows), { config, trait, variant: variant.name, scale: scaleOf(rows) }),
      writeFiles: (rows, context) =>
        writeSweepFiles(this.#pointsOf(rows), { config, trait, variant: variant.name, ...context }),
    };
  }

  #row(arm: Arm, question: SweepQuestion, dose?: Dose): SweepRow {
    const { config } = this.#material;
    const { tokenizer, variant } = this.#options;
    const made = dose === undefined ? null : this.#steererNow().steering(dose);
    const messages = this.#messages(arm, question.text);
    const tokens = tokenizer.countMessages(messages);
    const steering = steeringJson(made?.steering);
    const params: SweepRow["params"] = {
      arm,
      split: question.split,
      question: question.index,
      prompt: question.text,
      method: dose?.candidate.methods.join("+") ?? "",
      layers: dose?.candidate.layers.join("+") ?? "",
      ratio: dose?.ratio ?? null,
      coef: made?.coef ?? null,
    };
    const recipe = { ...params, component: config.component, steering, messages } as unknown as Json;
    return {
      id: hashJson([
        this.#common,
        arm,
        question.index,
        sha256(JSON.stringify(messages)),
        steering,
        params.ratio,
      ]),
      params,
      recipe,
      tokens,
      maxTokens: this.#maxTokens,
      skip: tokens + this.#maxTokens > variant.contextWindow ? "window" : null,
    };
  }

  #messages(arm: Arm, question: string) {
    const { instruction, neutral } = this.#material.trait;
    return arm === "prompt" && instruction !== null
      ? askedForMessages(question, instruction, neutral)
      : questionMessages(question);
  }

  #prompt(row: SweepRow): Prompt {
    const { arm, prompt, ratio, question } = row.params;
    const messages = this.#messages(arm, prompt);
    const base = { messages, tokens: row.tokens };
    if (arm === "baseline" || arm === "prompt" || ratio === null) return base;
    const candidate = this.#candidates.find((one) =>
      one.methods.join("+") === row.params.method && one.layers.join("+") === row.params.layers
    );
    const made = candidate && this.#steererNow().steering({ candidate, ratio, arm, draw: question });
    if (!made) throw new Error(`row ${row.id} is steered by what is not there`);
    return { ...base, steering: made.steering };
  }

  #steererNow(): Steerer {
    if (this.#steerer === null) throw new Error("rows are steered before the activations were measured");
    return this.#steerer;
  }

  get #model(): Steerable {
    const { steerable, variant } = this.#options;
    if (steerable !== undefined) return steerable;
    throw new InputError(
      `The variant ${variant.name} (backend ${variant.backend}) cannot be steered: a sweep needs a model that runs in ` +
        'this process, a variant with "backend": "local".',
    );
  }

  /** The rows that follow: of the search, then of the report. */
  async #more(rows: readonly GradableRow<SweepRow>[], context: GradeContext): Promise<readonly SweepRow[]> {
    const { answers } = await this.#known(rows, context);
    const tried = new Set(rows.filter(({ attempt }) => attempt !== null).map(({ row }) => row.id));
    const points = sweepPoints(answers, this.#material.config.seed);
    const search = this.#candidates.flatMap((candidate) => this.#searchRows(candidate, points, tried));
    return search.length > 0
      ? search
      : this.#reportRows(choosePoint(points, this.#material.config.coherentShare));
  }

  #searchRows(candidate: Candidate, points: readonly SweepPoint[], tried: ReadonlySet<string>): SweepRow[] {
    const { config } = this.#material;
    const questions = this.#questions.filter(({ split }) => split === "search");
    const rowsAt = (ratio: number) =>
      questions.map((question) =>
        this.#row("search", question, { candidate, ratio, arm: "search", draw: 0 })
      );
    const open = (rows: SweepRow[]) => rows.filter(({ id, skip }) => skip === null && !tried.has(id));
    const grid = gridOf(config);
    if (grid !== null) return grid.flatMap((ratio) => open(rowsAt(ratio)));
    const steps: SearchStep[] = [];
    for (;;) {
      const ratio = nextRatio(steps, searchOf(config));
      if (ratio === null) return [];
      const rows = rowsAt(ratio);
      const todo = open(rows);
      if (todo.length > 0) return todo;
      const point = points.find((one) =>
        one.arm === "search" && one.ratio === ratio &&
        `${one.method} ${one.layers}` === candidateName(candidate)
      );
      if (point === undefined) return []; // every question was skipped or ended in an error
      steps.push({ ratio, coherent: passes(point, config.coherentShare) });
    }
  }

  #reportRows(chosen: SweepPoint | null): SweepRow[] {
    const candidate = this.#candidates.find((one) =>
      candidateName(one) === `${chosen?.method} ${chosen?.layers}`
    );
    if (chosen?.ratio === null || chosen?.ratio === undefined || candidate === undefined) return [];
    const { config } = this.#material;
    const questions = this.#questions.filter(({ split }) => split === "report");
    const ratio = chosen.ratio;
    const rows = (arm: Dose["arm"], at: number) =>
      questions.map((question) =>
        this.#row(arm, question, { candidate, ratio: at, arm, draw: question.index })
      );
    const doses = doseFactors(config).map((factor) => Number((ratio * factor).toPrecision(4)));
    const hasShuffled = this.#steererNow().steering({ candidate, ratio, arm: "shuffled", draw: 0 }) !== null;
    return [
      ...rows("zero", 0),
      ...doses.flatMap((dose) => [...rows("trait", dose), ...rows("random", dose)]),
      ...(hasShuffled ? rows("shuffled", ratio) : []),
    ];
  }

  /** Scores and measures every answer so far; the unsteered ones say how large activations are. */
  async #known(rows: readonly GradableRow<SweepRow>[], context?: GradeContext): Promise<Known> {
    const { config } = this.#material;
    const signal = context?.signal ?? new AbortController().signal;
    const done = rows.flatMap(({ row, attempt, judgements }) =>
      attempt?.status === "done" ? [{ row, attempt, judgements }] : []
    );
    if (this.#candidates.length === 0) {
      this.#candidates = candidatesOf(config, this.#model.decoder.numLayers);
    }
    const layers = [...new Set(this.#candidates.flatMap((candidate) => candidate.layers))].sort((a, b) =>
      a - b
    );
    const sites = layers.map((layer) => `${config.component}.${layer}`);
    const { coherence, scale, norms } = await measureAnswers(
      done.map(({ row, attempt }) => ({
        id: row.id,
        question: row.params.question,
        messages: questionMessages(row.params.prompt),
        text: attempt.output,
        unsteered: row.params.arm === "baseline",
      })),
      { read: await this.#reader(context?.kept ?? null, signal), sites },
    );
    if (this.#steerer === null) {
      this.#vectors ??= await this.#material.loadVectors(this.#model, this.#candidates, signal);
      if (this.#judges.length === 0) this.#markers ??= markerScorer(await this.#material.learnMarkers());
      this.#steerer = createSteerer(config, this.#vectors, (layer) => {
        const length = norms.get(`${config.component}.${layer}`) ?? 0;
        if (length > 0) return length;
        throw new InputError(
          `The activations at ${config.component}.${layer} could not be measured: no unsteered answer has tokens of the ` +
            `phase ${config.phase}. Give another --phase, or a model that answers.`,
        );
      });
    }
    const answers = done.map(({ row, attempt, judgements }): SweepAnswer => {
      const score = judgedScore(judgements, "trait");
      const marked = this.#judges.length > 0 || this.#markers === null ? null : {
        score: this.#markers.score(attempt.output),
        how: this.#material.trait.markers === null ? "learned" : "markers",
      };
      return {
        row,
        text: attempt.output,
        started: attempt.started,
        score: (score ?? marked)?.score ?? null,
        how: (score ?? marked)?.how ?? null,
        coherence: coherence.get(row.id) as Coherence,
      };
    });
    return { answers, scale };
  }

  /** Reads answers without steering, each once. */
  async #reader(path: string | null, signal: AbortSignal): Promise<MeasureOptions["read"]> {
    if (this.#kept?.path !== (path ?? "")) {
      this.#kept = { path: path ?? "", values: await keptValues(path, "reading", readingSchema) };
    }
    const { values } = this.#kept;
    const { phase } = this.#material.config;
    return async (messages, text, sites) => {
      signal.throwIfAborted();
      const question = messages.at(-1)?.content ?? "";
      const key = hashJson([this.#common, sha256(question), sha256(text), phase, [...sites]]);
      let reading = values.get(key);
      if (reading === undefined) {
        reading = await readAnswer(this.#model, messages, text, { sites, phase, signal });
        await values.put(key, reading);
      }
      return reading;
    };
  }

  async #grade(
    rows: readonly GradableRow<SweepRow>[],
    context?: GradeContext,
  ): Promise<readonly GradedRow[]> {
    const { answers, scale } = await this.#known(rows, context);
    const judge = this.#judges[context?.judge ?? 0]?.variant.name;
    return gradeAnswers(rows, answers, { stage: "trait", judge, scale });
  }

  /** The points of graded rows. */
  #pointsOf(rows: readonly GradedRow[]): SweepPoint[] {
    const answers = rows.flatMap((graded) => {
      const answer = answerOf(graded);
      return answer === null
        ? []
        : [{ ...answer, row: graded.row as SweepRow, started: graded.attempt?.started ?? "" }];
    });
    return sweepPoints(answers, this.#material.config.seed);
  }
}
