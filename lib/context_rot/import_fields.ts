/**
 * Which column of a foreign file is which of our fields.
 * @module
 */
import { InputError } from "../base/errors.ts";
import type { SourceRecord } from "./import_records.ts";

/**
 * Our fields, and the names other programs give them, the most telling first. Names are compared in lower case with
 * `_` for everything else: `Needle Depth` is `needle_depth`.
 *
 * Chroma's context-rot: `approximate_input_length, needle_depth, token_count, question, answer, output,
 * llm_judge_output, distractor_label, custom_id, gold, max_output_tokens`. Kamradt's needle test: `context_length` or
 * `token_limit, depth_percent, needle, model_response, score, version`. The niah-v2 runs on Ollama:
 * `experiment_id, variant, context_length_chars, needle_position, trial, question, expected_answer, model_response,
 * token_count_prompt, token_count_output, skipped, skip_reason, model_max_ctx, evaluation.is_correct`.
 */
export const IMPORT_FIELDS = {
  id: ["custom_id", "experiment_id", "question_id", "row_id", "id"],
  model: ["model", "model_name"],
  variant: ["variant", "text_variant"],
  lengthChars: ["context_length_chars", "length_chars", "char_length", "context_chars", "num_chars"],
  length: [
    ...["approximate_input_length", "context_length", "token_limit", "input_length", "target_length"],
    ...["context_length_tokens", "length"],
  ],
  depth: [
    ...["needle_depth", "depth_percent", "needle_position", "depth_pct", "document_depth_percent"],
    ...["needle_depth_percent", "depth"],
  ],
  trial: ["trial", "repeat", "run", "version", "sample"],
  question: ["question", "retrieval_question", "question_simplified", "question_traditional"],
  answer: ["answer", "expected_answer", "correct_answer", "expected", "reference", "needle"],
  output: ["output", "model_response", "model_output", "response", "prediction", "hypothesis"],
  verdict: [
    ...[
      "llm_judge_output",
      "evaluation.is_correct",
      "is_correct",
      "autoeval_label",
      "judge_verdict",
      "verdict",
    ],
    ...["correct", "judge_output"],
  ],
  score: ["score"],
  distractor: ["distractor_label", "distractor"],
  sent: ["token_count", "token_count_actual", "actual_context_length", "input_tokens_sent"],
  reported: [
    ...[
      "prompt_tokens_reported",
      "token_count_prompt",
      "prompt_eval_count",
      "prompt_tokens",
      "usage.prompt_tokens",
    ],
    ...["input_tokens"],
  ],
  completion: [
    ...["completion_tokens", "token_count_output", "eval_count", "usage.completion_tokens", "output_tokens"],
  ],
  maxOutput: ["max_output_tokens", "max_tokens", "num_predict"],
  finish: ["finish_reason", "stop_reason", "done_reason"],
  skipped: ["skipped"],
  skipReason: ["skip_reason"],
  status: ["status"],
  error: ["error", "error_message"],
  window: ["model_max_ctx", "context_window", "num_ctx", "max_ctx"],
  seconds: ["elapsed_seconds", "test_duration_seconds", "latency_seconds"],
  milliseconds: ["latency_ms"],
  gold: ["gold"],
  commonWord: ["common_word"],
  modifiedWord: ["modified_word"],
  wordCount: ["num_words", "word_count"],
  wordIndex: ["index", "modified_word_index", "position"],
} as const satisfies Record<string, readonly string[]>;

/** The name of one of our fields. */
export type ImportField = keyof typeof IMPORT_FIELDS;

/** Says what a record holds in one of our fields, and what it holds beside them. */
export interface FieldReader {
  /** The value, or undefined where the record has no such column. */
  get(record: SourceRecord, field: ImportField): unknown;
  /** The column a field is read from, or undefined. */
  column(record: SourceRecord, field: ImportField): string | undefined;
  /** Columns that no field of ours is read from. */
  rest(record: SourceRecord): readonly string[];
}

const fold = (name: string) =>
  name.trim().toLowerCase().replace(/[^\p{L}\p{N}.]+/gu, "_").replace(/^_|_$/g, "");

/**
 * A reader of our fields; `mapping` gives columns by hand, over the known names.
 *
 * @throws {InputError} when the mapping names a field we do not have.
 */
export function fieldReader(mapping: Readonly<Record<string, string>> = {}): FieldReader {
  const fields = Object.keys(IMPORT_FIELDS) as ImportField[];
  for (const [field, column] of Object.entries(mapping)) {
    if ((fields as string[]).includes(field)) continue;
    throw new InputError(
      `--map ${field}=${column}: there is no field ${JSON.stringify(field)}. Ours are ${fields.join(", ")}.`,
    );
  }
  const known = new Map<string, Map<ImportField, string>>();
  const mapOf = (record: SourceRecord): Map<ImportField, string> => {
    const columns = Object.keys(record.values);
    const signature = columns.join("\n");
    const found = known.get(signature);
    if (found !== undefined) return found;
    const byName = new Map(columns.toReversed().map((column) => [fold(column), column]));
    const taken = new Set<string>();
    const map = new Map<ImportField, string>();
    for (const [field, column] of Object.entries(mapping)) {
      const match = columns.includes(column) ? column : byName.get(fold(column));
      if (match === undefined) continue;
      map.set(field as ImportField, match);
      taken.add(match);
    }
    for (const field of fields) {
      if (field in mapping) continue;
      const names: readonly string[] = IMPORT_FIELDS[field];
      const column = names.map((name) => byName.get(name)).find((name) =>
        name !== undefined && !taken.has(name)
      );
      if (column !== undefined) map.set(field, column);
    }
    known.set(signature, map);
    return map;
  };
  return {
    get(record, field) {
      const column = mapOf(record).get(field);
      return column === undefined ? undefined : record.values[column];
    },
    column: (record, field) => mapOf(record).get(field),
    rest(record) {
      const used = new Set(mapOf(record).values());
      return Object.keys(record.values).filter((column) => !used.has(column));
    },
  };
}

/** The kinds of result files that can be imported. */
export const IMPORT_KINDS = [
  "chroma-niah",
  "chroma-longmemeval",
  "chroma-repeated-words",
  "niah-v2",
] as const;
/** A kind of result file. */
export type ImportKind = typeof IMPORT_KINDS[number];

/** What a file looks like from its columns; null when it looks like nothing known. */
export interface FileLook {
  /** The kind to import it as, or null when it is no result file. */
  readonly kind: ImportKind | null;
  /** In words. */
  readonly what: string;
}

/** Tells from its columns what a file is. */
export function lookOf(columns: readonly string[]): FileLook | null {
  const names = new Set(columns.map(fold));
  const has = (...wanted: string[]) => wanted.every((name) => names.has(name));
  const any = (...wanted: string[]) => wanted.some((name) => names.has(name));
  const answered = any(...IMPORT_FIELDS.output, ...IMPORT_FIELDS.verdict, "score");
  if (has("format", "plan", "experiment")) return { kind: null, what: "an attempts file of this program" };
  if (any("context_length_chars", "needle_position")) {
    return answered ? { kind: "niah-v2", what: "niah-v2 results" } : { kind: null, what: "niah-v2 inputs" };
  }
  if (has("gold") || has("common_word", "modified_word")) {
    return any(...IMPORT_FIELDS.output)
      ? { kind: "chroma-repeated-words", what: "repeated words results" }
      : { kind: null, what: "repeated words inputs, without outputs" };
  }
  if (has("custom_id") || any("focused_prompt", "full_prompt", "focused_input", "full_input")) {
    return answered
      ? { kind: "chroma-longmemeval", what: "LongMemEval results" }
      : { kind: null, what: "LongMemEval inputs, without outputs" };
  }
  if (any("approximate_input_length", "context_length", "token_limit") || has("needle_depth")) {
    return answered
      ? { kind: "chroma-niah", what: "NIAH results" }
      : { kind: null, what: "NIAH prompts, without outputs" };
  }
  return null;
}

/**
 * Refuses a file of another kind as soon as its columns are known.
 *
 * @throws {InputError} saying what the file looks like and which `--as` would read it.
 */
export function checkKind(columns: readonly string[], path: string, wanted: ImportKind): void {
  const look = lookOf(columns);
  if (look === null || look.kind === wanted) return;
  // Both are NIAH; one reader takes them, and only the names of the columns differ.
  if (look.kind !== null && wanted.includes("niah") && look.kind.includes("niah")) return;
  const remedy = look.kind === null ? `give the results instead` : `import it with --as ${look.kind}`;
  throw new InputError(`${path} looks like ${look.what}, not like ${wanted}: ${remedy}.`);
}
