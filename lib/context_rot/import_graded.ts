/**
 * Foreign rows as graded rows of ours: what their judge said, seen by our audit.
 * @module
 */
import { hashJson, type Json } from "../base/hash.ts";
import type { Attempt, Cell, GradedRow, Row } from "../runs/experiment.ts";
import { type AuditRow, auditRows } from "./audit.ts";
import type { SourceFields } from "./import_source.ts";
import type { SourceVerdict } from "./import_values.ts";
import { matchAnswer } from "./match.ts";

/** A foreign row on its way into a graded one. */
export interface ImportedRow {
  /** What was read. */
  readonly fields: SourceFields;
  /** What makes it this row and no other, for its id. */
  readonly key: Json;
  /** Its columns. */
  readonly params: Readonly<Record<string, Cell>>;
  /** Group of rows of one input length. */
  readonly length: number;
  /** Depth of the needle, 0..100, where there is one. */
  readonly depth?: number;
  /** Tokens sent, as well as it is known. */
  readonly sent: number | null;
}

/** How imported rows are graded. */
export interface ImportGrading {
  /** What the file's verdicts are called in the `judge` column: `published`. */
  readonly judge: string;
  /** Grade by matching outputs with answers, because the files hold no verdicts. */
  readonly match: boolean;
  /** Further answers that matching takes as right. */
  readonly accept: readonly string[];
  /** Whether tokens sent were counted with the model's own tokenizer. */
  readonly exact: boolean;
  /** The context window in tokens, where known. */
  readonly window: number | null;
  /** Output cap where a row names none; null when nobody says. */
  readonly maxOutput: number | null;
}

/** Stands for an output that was not recorded, so that its absence is not taken for an empty answer. */
const NOT_RECORDED = "\u2014";

/** Grades imported rows as their file's judge did, or by match, and classes each with our audit. */
export function gradeImported(rows: readonly ImportedRow[], options: ImportGrading): GradedRow[] {
  const recorded = rows.some(({ fields }) => fields.output !== null);
  const verdicts = rows.map((row) => verdictFor(row, options));
  const prepared = rows.map((row) => rowOf(row, options));
  const attempts = rows.map((row, i) => attemptOf(row, prepared[i] as Row, recorded));
  const audited = auditRows(
    rows.map((row, i) => auditRow(row, prepared[i] as Row, attempts[i] ?? null, verdicts[i], recorded)),
    { tokenizerExact: options.exact, window: options.window },
  );
  return rows.map((source, i): GradedRow => {
    const row = prepared[i] as Row;
    const attempt = attempts[i] ?? null;
    const verdict = verdicts[i] as SourceVerdict;
    const { validity, reasons } = audited[i] ?? { validity: null, reasons: [] };
    return {
      row,
      attempt: row.skip === null ? attempt : null,
      attempts: row.skip === null ? 1 : 0,
      grade: validity === null ? null : {
        validity,
        correct: verdict.correct,
        judge: options.match ? "match" : options.judge,
        judge_output: verdict.text,
        extra: {
          distractor: source.fields.distractor,
          reason: [...(verdict.reason === null ? [] : [`unjudged: ${verdict.reason}`]), ...reasons].join(
            "; ",
          ),
        },
      },
    };
  });
}

function verdictFor({ fields }: ImportedRow, options: ImportGrading): SourceVerdict {
  if (!options.match) return fields.verdict ?? { correct: null, text: "", reason: "no verdict" };
  if (fields.output === null) return { correct: null, text: "", reason: "no output to match" };
  const answers = [...(fields.answer === null ? [] : [fields.answer]), ...options.accept]
    .filter((answer) => /[\p{L}\p{N}]/u.test(answer));
  if (answers.length === 0) return { correct: null, text: "", reason: "no answer to match with" };
  const correct = matchAnswer(fields.output, answers).index >= 0;
  return { correct, text: String(correct), reason: null };
}

function rowOf({ fields, key, params, sent }: ImportedRow, options: ImportGrading): Row {
  return {
    id: hashJson(["imported", key]),
    params: { ...params, ...fields.extra },
    recipe: { imported: fields.file, line: fields.line },
    tokens: sent ?? 0,
    maxTokens: fields.maxOutput ?? options.maxOutput ?? 0,
    skip: fields.skip,
  };
}

function attemptOf({ fields, sent }: ImportedRow, row: Row, recorded: boolean): Attempt {
  const failure = fields.error ?? (recorded && fields.output === null ? "no output in the file" : null);
  return {
    id: row.id,
    attempt: 1,
    started: "",
    status: failure === null ? "done" : "error",
    output: failure === null ? fields.output ?? "" : "",
    reasoning: null,
    finish_reason: fields.finish,
    token_count: sent ?? 0,
    tokenizer: "",
    prompt_tokens_reported: fields.reported,
    completion_tokens: fields.completion,
    cached_tokens: null,
    reasoning_tokens: null,
    latency_ms: fields.latencyMs,
    cost_usd: null,
    request_id: null,
    from_cache: false,
    prompt_sha256: "",
    error: failure === null ? null : { kind: failure, message: failure },
  };
}

function auditRow(
  source: ImportedRow,
  row: Row,
  attempt: Attempt | null,
  verdict: SourceVerdict | undefined,
  recorded: boolean,
): AuditRow {
  const { fields } = source;
  const capKnown = row.maxTokens > 0;
  return {
    id: row.id,
    length: source.length,
    ...(source.depth === undefined ? {} : { depth: source.depth }),
    skip: fields.skip,
    // Without a count of ours, the server's own says at least nothing wrong.
    token_count: source.sent ?? fields.reported ?? 0,
    prompt_tokens_reported: fields.reported,
    completion_tokens: fields.completion,
    maxTokens: capKnown ? row.maxTokens : Infinity,
    finish_reason: fields.finish,
    output: recorded ? attempt?.output ?? "" : NOT_RECORDED,
    error: attempt?.error?.kind ?? null,
    correct: verdict?.correct ?? null,
    distractor: fields.distractor,
  };
}
