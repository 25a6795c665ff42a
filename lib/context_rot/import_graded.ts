/**
 * Foreign rows as graded rows of ours: what their judge said, seen by our audit.
 * @module
 */
import { hashJson, type Json } from "../base/hash.ts";
import type { Attempt, Cell, Grade, GradedRow, Row } from "../runs/experiment.ts";
import { gradeRows, type Verdict } from "./grade_rows.ts";
import type { SourceFields } from "./import_source.ts";
import type { SourceVerdict } from "./import_values.ts";
import { matchAnswer } from "../runs/match.ts";

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
  /** What is said of its output, where neither the file nor a match says it. */
  readonly verdict?: Verdict;
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

/** An imported row as grading sees it. */
interface GradingRow extends Row {
  /** What it is made from. */
  readonly source: ImportedRow;
  /** Group of rows of one input length. */
  readonly length: number;
}

/** Grades imported rows as their file's judge did, or by match, and classes each with our audit. */
export function gradeImported(rows: readonly ImportedRow[], options: ImportGrading): GradedRow[] {
  const recorded = rows.some(({ fields }) => fields.output !== null);
  const done = rows.map((source) => {
    const row = rowOf(source, options);
    const attempt = row.skip === null ? attemptOf(source, row, recorded) : null;
    return { row, attempt, attempts: attempt === null ? 0 : 1, judgements: [] };
  });
  const graded = gradeRows<GradingRow>(done, {
    tokenizer: { exact: options.exact },
    variant: { contextWindow: options.window ?? 0 },
    length: (row) => row.length,
    depth: (row) => row.source.depth,
    verdict: ({ row }) => row.source.verdict ?? verdictFor(row.source, options),
  });
  return graded.map(({ row, attempt, attempts, grade }): GradedRow => {
    const { source: _, ...own } = row as GradingRow;
    const output = recorded ? attempt?.output ?? "" : "";
    return {
      row: own,
      attempt: attempt && { ...attempt, output },
      attempts,
      grade: grade && reasoned(grade),
    };
  });
}

/** Puts why a row is unjudged before what the audit says of it. */
function reasoned(grade: Grade): Grade {
  const { unjudged, reason, ...extra } = grade.extra ?? {};
  const reasons = [...(unjudged ? [`unjudged: ${unjudged}`] : []), ...(reason ? [String(reason)] : [])];
  return { ...grade, extra: { ...extra, reason: reasons.join("; ") } };
}

function verdictFor({ fields }: ImportedRow, options: ImportGrading): Verdict {
  const { correct, text, reason } = options.match
    ? matchedVerdict(fields, options.accept)
    : fields.verdict ?? { correct: null, text: "", reason: "no verdict" };
  return {
    correct,
    judge: options.match ? "match" : options.judge,
    output: text,
    distractor: fields.distractor,
    extra: { unjudged: reason },
  };
}

function matchedVerdict({ output, answer }: SourceFields, accept: readonly string[]): SourceVerdict {
  if (output === null) return { correct: null, text: "", reason: "no output to match" };
  const answers = [...(answer === null ? [] : [answer]), ...accept].filter((text) =>
    /[\p{L}\p{N}]/u.test(text)
  );
  if (answers.length === 0) return { correct: null, text: "", reason: "no answer to match with" };
  const correct = matchAnswer(output, answers).index >= 0;
  return { correct, text: String(correct), reason: null };
}

function rowOf(source: ImportedRow, options: ImportGrading): GradingRow {
  const { fields, key, params, sent, length } = source;
  return {
    id: hashJson(["imported", key]),
    params: { ...params, ...fields.extra },
    recipe: { imported: fields.file, line: fields.line },
    tokens: sent ?? 0,
    maxTokens: fields.maxOutput ?? options.maxOutput ?? Infinity,
    skip: fields.skip,
    length,
    source,
  };
}

function attemptOf({ fields, sent }: ImportedRow, row: Row, recorded: boolean): Attempt {
  const failure = fields.error ?? (recorded && fields.output === null ? "no output in the file" : null);
  return {
    id: row.id,
    attempt: 1,
    started: "",
    status: failure === null ? "done" : "error",
    output: failure !== null ? "" : recorded ? fields.output ?? "" : NOT_RECORDED,
    reasoning: null,
    finish_reason: fields.finish,
    // Without a count of ours, the server's own says at least nothing wrong.
    token_count: sent ?? fields.reported ?? 0,
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
