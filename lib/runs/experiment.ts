/**
 * What an experiment gives, so that `runs` can do everything else.
 * The four verbs: `plan(config) -> rows`, `prompt(row)`, `grade(row, attempt)`, `report(rows)`.
 * @module
 */
import type { Message, Oracle, Sampling } from "../backends/backend.ts";
import type { Steering } from "../backends/steering.ts";
import type { Json } from "../base/hash.ts";
import type { Label } from "./labels.ts";

/** A value of a CSV cell. */
export type Cell = string | number | boolean | null;

/** One unit of a plan. */
export interface Row {
  /** Hash of everything that determines the request (see `hashJson`). Unique in a plan. */
  readonly id: string;
  /** The row's own columns, in the order of the results CSV. */
  readonly params: Readonly<Record<string, Cell>>;
  /** The small typed object from which the prompt is rebuilt, byte for byte. */
  readonly recipe: Json;
  /** Prompt tokens the row will send: exact or within 1%, known without building the prompt. */
  readonly tokens: number;
  /** Output cap in tokens. */
  readonly maxTokens: number;
  /** Tokens of the answer that is expected, for the low cost estimate; a short answer when left out. */
  readonly answerTokens?: number;
  /** Why the row is not sent (`window`), or null. Kept in the plan and counted. */
  readonly skip: string | null;
}

/** A row's prompt as it is sent. */
export interface Prompt {
  /** The chat that is sent. */
  readonly messages: readonly Message[];
  /** Set when the assistant turn has begun. */
  readonly prefix?: string;
  /** Exact prompt tokens, by the variant's tokenizer. */
  readonly tokens: number;
  /** For simulated backends alone. */
  readonly oracle?: Oracle;
  /** What is done to the model's activations while it answers. The row's id must depend on it too. */
  readonly steering?: Steering;
  /** Tells samples of the same request apart in the response cache; 0 when left out. */
  readonly epoch?: number;
  /** The seed of this sample, where rows are samples of the same prompt; wins over the experiment's. */
  readonly seed?: number;
  /** Passages that a reader looks for: a needle, a spliced sentence. Shown by inspectors, never sent. */
  readonly passages?: readonly Passage[];
}

/** A passage of a prompt, marked wherever its text stands in the messages or in the prefix. */
export interface Passage {
  /** The text, as it stands there. */
  readonly text: string;
  /** What it is: `needle`, `distractor`, `spliced`. */
  readonly label: string;
}

/** The classes of a row's output. */
export const VALIDITY_CLASSES = [
  "correct",
  "wrong",
  "distractor",
  "abstained",
  "refused",
  "output_cap",
  "truncated",
  "degenerate",
  "error",
] as const;
/** The class of a row. */
export type Validity = typeof VALIDITY_CLASSES[number];

/** Whether a class is the model's own behaviour on the prompt as planned: correct, wrong, distractor or abstained. */
export function isValid(validity: Validity): boolean {
  return validity === "correct" || validity === "wrong" || validity === "distractor" ||
    validity === "abstained";
}

/** What became of one try at a row; one line of `*_attempts.jsonl`. */
export interface Attempt {
  /** The row's id. */
  readonly id: string;
  /** 1-based, over all runs. */
  readonly attempt: number;
  /** ISO time the try began. */
  readonly started: string;
  /** Whether an answer came. */
  readonly status: "done" | "error";
  /** The answer; empty on an error. */
  readonly output: string;
  /** Reasoning apart from the answer, where it was given. */
  readonly reasoning: string | null;
  /** What had to be put right to read the answer, by name; left out where nothing was. */
  readonly recoveries?: readonly string[] | undefined;
  /** Each generated token with its log-probability (natural log); left out where none were asked for or given. */
  readonly logprobs?: readonly (readonly [token: string, logprob: number])[] | undefined;
  /** For each of them the likeliest tokens in its place; left out where none were asked for or given. */
  readonly top_logprobs?:
    | readonly (readonly (readonly [token: string, logprob: number])[])[]
    | undefined;
  /** Why generation ended. */
  readonly finish_reason: string | null;
  /** Our count of the prompt sent, and the tokenizer that counted. */
  readonly token_count: number;
  /** Name of the tokenizer of `token_count`. */
  readonly tokenizer: string;
  /** The server's count of the prompt. */
  readonly prompt_tokens_reported: number | null;
  /** Generated tokens, reasoning included. */
  readonly completion_tokens: number | null;
  /** Prompt tokens served from a prefix cache. */
  readonly cached_tokens: number | null;
  /** Generated tokens that were reasoning. */
  readonly reasoning_tokens: number | null;
  /** Milliseconds from sending to the answer; null where it is not known (imported rows). */
  readonly latency_ms: number | null;
  /** null when the price is unknown. */
  readonly cost_usd: number | null;
  /** The server's name for the request. */
  readonly request_id: string | null;
  /** Whether the response cache answered. */
  readonly from_cache: boolean;
  /** SHA-256 of the prompt that was sent (canonical JSON of messages, prefix and steering). */
  readonly prompt_sha256: string;
  /** What went wrong, or null. */
  readonly error: { readonly kind: string; readonly message: string } | null;
}

/** What a scorer or judge says of a row's output. */
export interface Grade {
  /** The row's class. */
  readonly validity: Validity;
  /** null when it cannot be said (an invalid row). */
  readonly correct: boolean | null;
  /** Who said so: `match`, or `match+<variant>`. */
  readonly judge: string;
  /** What the judge replied, or `true` or `false` of a match. */
  readonly judge_output: string;
  /** Further columns of the evaluated CSV (`distractor`). */
  readonly extra?: Readonly<Record<string, Cell>>;
}

/** A row with its final state: the input of every report. */
export interface GradedRow {
  /** The planned row. */
  readonly row: Row;
  /** The last attempt; null when the row was skipped or not reached. */
  readonly attempt: Attempt | null;
  /** Tries so far, over all runs. */
  readonly attempts: number;
  /** null when it was skipped or not reached. */
  readonly grade: Grade | null;
}

/** Whether a row was answered and nobody could say if the answer is right: such a row is in no accuracy. */
export function isUngraded({ attempt, grade }: Pick<GradedRow, "attempt" | "grade">): boolean {
  return attempt?.status === "done" && grade?.validity === "error" && grade.correct === null;
}

/** One row of a further request that grading needs (an LLM judge's call), run like any other row. */
export interface JudgeRow extends Row {
  /** The id of the row that is judged. */
  readonly of: string;
}

/** How a run's results are laid out in files, where it is not one CSV and `{run}_{figure}.svg`. */
export interface Layout {
  /** Names of the parts that results and evaluated CSVs are split into: `{run}_{part}_results.csv`. */
  readonly parts?: readonly string[];
  /** The figure that has the run's own name: `{run}.svg`. */
  readonly mainFigure?: string;
  /** Whether figures stand in a folder: `{run}_evaluated/{figure}.svg`. */
  readonly figureFolder?: boolean;
}

/** What grading may use of the run. */
export interface GradeContext {
  /** Aborted when the run is stopped: grading then throws its reason. */
  readonly signal: AbortSignal;
  /** A file in which results that took long may be kept for the next time; it may be deleted at any time. */
  readonly kept: string;
  /** Whose judgements the rows have: place among the judges that the experiment was made with. */
  readonly judge: number;
}

/** What `runs` needs of an experiment. */
export interface Experiment<R extends Row = Row> {
  /** As in file names: `niah`. */
  readonly name: string;
  /** How its results are laid out; one CSV of each kind, figures beside it, when left out. */
  readonly layout?: Layout;
  /** The part of the layout a row belongs to; needed when the layout has parts. */
  part?(row: R): string;
  /** How every row is sampled; the cap is the row's own. */
  readonly sampling: Omit<Sampling, "maxTokens">;
  /** The rows in sending order: rows that share a prefix stand together, longest shared prefix first. */
  readonly rows: readonly R[];
  /**
   * Rows that follow from what is known so far, such as the next steps of a search. Asked whenever every row was tried,
   * with the first judge's judgements, until it gives no new row. The same answers give the same rows, so that a run
   * that is resumed comes to the same place. Such a run cannot be sharded, and `rows` are those it begins with.
   */
  more?(rows: readonly GradableRow<R>[], context: GradeContext): readonly R[] | Promise<readonly R[]>;
  /** Builds a row's prompt; the same bytes every time. */
  prompt(row: R): Prompt | Promise<Prompt>;
  /**
   * Grades all finished rows at once (audits look across rows), with the judgements of one judge: `context.judge`, the
   * first when left out. No request is sent here; the same rows give the same grades. What takes long is done in a
   * worker.
   */
  grade(
    rows: readonly GradableRow<R>[],
    context?: GradeContext,
  ): readonly GradedRow[] | Promise<readonly GradedRow[]>;
  /**
   * Requests that a judge must answer before grading: the `judge`th of those the experiment was made with, the first
   * when left out. Asked again after each round with that judge's judgements so far, until it gives no new row; left
   * out when matching is enough or no judge is set.
   */
  judgeRows?(
    rows: readonly { row: R; attempt: Attempt | null; judgements: readonly Judgement[] }[],
    judge?: number,
  ): readonly JudgeRow[];
  /** Builds a row's prompt for a judge; the same bytes every time. */
  judgePrompt?(row: JudgeRow, judge?: number): Prompt;
  /** How a judge is sampled; greedy when left out. */
  judgeSampling?(judge: number): Omit<Sampling, "maxTokens">;
  /** Draws figures and tables from graded rows. */
  report(rows: readonly GradedRow[]): Report | Promise<Report>;
  /**
   * Writes files of its own beside the run's, whole or not at all, whenever the report is written.
   *
   * @returns their paths, as they were made; where one is missing at the next start, all are written again.
   * @throws {InputError} when they cannot be written.
   */
  writeFiles?(rows: readonly GradedRow[], context: FilesContext): Promise<readonly string[]>;
}

/** What an experiment's own files may say of the run. */
export interface FilesContext {
  /** The results folder. */
  readonly results: string;
  /** The run, as its files are named: `test_pocket_splice`. */
  readonly run: string;
  /** Hash of the plan's rows: the same for the same request. */
  readonly plan: string;
}

/** A row as grading is given it. */
export interface GradableRow<R extends Row = Row> {
  /** The planned row. */
  readonly row: R;
  /** The attempt that counts, or null before the first. */
  readonly attempt: Attempt | null;
  /** Tries so far. */
  readonly attempts: number;
  /** What one judge said of it. */
  readonly judgements: readonly Judgement[];
  /** What a person said of it: stands over match and judge. */
  readonly label?: Label;
}

/** A judge's answer to a judge row. */
export interface Judgement {
  /** What was asked. */
  readonly row: JudgeRow;
  /** The judge's answer. */
  readonly attempt: Attempt;
}

/** Tables and figures made from graded rows alone. */
export interface Report {
  /** A few lines for people: accuracy with its interval, validity, warnings. */
  readonly summary: string;
  /** Machine-readable statistics. */
  readonly statistics: Json;
  /** Figures by name (`heatmap`): SVG text, and alt text. */
  readonly figures: Readonly<Record<string, { readonly svg: string; readonly alt: string }>>;
}
