/**
 * The validity class of every row: no "rot" that is really a cut prompt, a spent budget, an error or a refusal.
 * @module
 */
import type { Validity } from "../runs/experiment.ts";
export { isValid } from "../runs/experiment.ts";
import { degeneracy } from "../runs/degenerate.ts";
import { isAbstention, isRefusal } from "../runs/match.ts";
import { findTruncated } from "./truncation.ts";

/** What the audit needs to know of a row and its last attempt. */
export interface AuditRow {
  /** Unique in a run. */
  readonly id: string;
  /** Input length in tokens as planned: rows of one length are compared with each other. */
  readonly length: number;
  /** Depth of the needle, 0..100, where there is one. */
  readonly depth?: number;
  /** Why the row was never sent, or null. */
  readonly skip: string | null;
  /** Our count of the prompt that was sent. */
  readonly token_count: number;
  /** The server's count; null where it gave none. */
  readonly prompt_tokens_reported: number | null;
  /** Generated tokens; null where not reported. */
  readonly completion_tokens: number | null;
  /** Prompt tokens served from a cache, which some servers leave out of their count. */
  readonly cached_tokens?: number | null;
  /** Output cap in tokens. */
  readonly maxTokens: number;
  /** Why generation ended; null or `unknown` where not reported. */
  readonly finish_reason: string | null;
  /** The answer text. */
  readonly output: string;
  /** Reasoning apart from the answer. */
  readonly reasoning?: string | null;
  /** Kind of the failure when no attempt was answered, else null. */
  readonly error: string | null;
  /** Whether match or judge call the output right; null when nobody has said. */
  readonly correct: boolean | null;
  /** Whether the right answer was found at the very end, where an output cap may have cut a longer one. */
  readonly answerAtEnd?: boolean;
  /** Index of the distractor that was answered, -1 for none, null when nobody has looked. */
  readonly distractor?: number | null;
  /**
   * Why the output is degenerate, or null, told whether generation ended at the cap: for experiments whose right answers
   * go round in circles themselves. A loop's reason begins with `loop`. The usual signs when left out.
   */
  readonly broken?: (capped: boolean) => string | null;
  /** Whether the output refuses the task; by the usual signs when left out. */
  readonly refuses?: boolean;
}

/** What is known of the whole run. */
export interface AuditOptions {
  /** Whether `token_count` was counted with the model's own tokenizer and template. */
  readonly tokenizerExact: boolean;
  /** The variant's context window in tokens, where known. */
  readonly window?: number | null;
}

/** A row's class and why. */
export interface AuditedRow {
  /** The row's id. */
  readonly id: string;
  /** Its class; null for a row that was never sent. */
  readonly validity: Validity | null;
  /** The evidence, for people, most telling first. */
  readonly reasons: readonly string[];
}

/**
 * Classes every row. The first that holds, in this order:
 *
 * 1. `error`: no attempt was answered, or an answer was never graded.
 * 2. `truncated`: the server read less than was sent (see {@linkcode findTruncated}), even if the answer is right.
 * 3. `degenerate`: a server count of 0 tokens, nothing in the output, pad runs, loops (also loops to the cap). An empty output
 *    that hit the cap is `output_cap`: reasoning spent it. A loop that ends by itself after a right answer is not.
 * 4. `refused` by the server's content filter.
 * 5. `output_cap`: generation ended at the cap. A right answer that was complete before the cap is `correct`.
 * 6. `correct`, `distractor`, `refused`, `abstained`, `wrong`.
 */
export function auditRows(rows: readonly AuditRow[], options: AuditOptions): AuditedRow[] {
  const truncated = findTruncated(rows, options);
  return rows.map((row) => {
    if (row.skip !== null) return { id: row.id, validity: null, reasons: [`not sent: ${row.skip}`] };
    const [validity, ...reasons] = classOf(row, truncated.get(row.id));
    return { id: row.id, validity, reasons };
  });
}

function classOf(row: AuditRow, truncation: readonly string[] | undefined): [Validity, ...string[]] {
  if (row.error !== null) return ["error", `no answer: ${row.error}`];
  if (truncation) return ["truncated", ...truncation];
  if (row.finish_reason === "content_filter") return ["refused", "stopped by the server's content filter"];
  const right = row.correct === true;
  const capped = isCapped(row);
  const broken = brokenness(row, capped);
  if (broken !== null && (capped || !right || !broken.startsWith("loop"))) return ["degenerate", broken];
  if (capped && !(right && row.answerAtEnd !== true)) return ["output_cap", capReason(row)];
  if (row.correct === null) return ["error", "answered but not graded"];
  if (right) return ["correct"];
  if ((row.distractor ?? -1) >= 0) return ["distractor", `gave distractor ${row.distractor}`];
  if (row.refuses ?? isRefusal(row.output)) return ["refused", "the output refuses the task"];
  if (isAbstention(row.output)) return ["abstained", "the output says that the answer is not there"];
  return ["wrong"];
}

function isCapped(row: AuditRow): boolean {
  if (row.finish_reason === "length") return true;
  const unknown = row.finish_reason === null || row.finish_reason === "unknown";
  return unknown && row.completion_tokens !== null && row.completion_tokens >= row.maxTokens;
}

function brokenness(row: AuditRow, capped: boolean): string | null {
  if (row.prompt_tokens_reported === 0) return "the server counted 0 prompt tokens";
  const empty = row.output.trim() === "";
  if (row.completion_tokens === 0 && !empty) return "the server counted 0 generated tokens";
  // Reasoning that ran to the cap is a spent budget, unless it was going round in circles.
  if (empty && capped) return row.reasoning ? degeneracy(row.reasoning) : null;
  return row.broken === undefined ? degeneracy(row.output) : row.broken(capped);
}

function capReason(row: AuditRow): string {
  const spent = row.output.trim() === "" ? " before any answer" : "";
  return `stopped at the output cap of ${row.maxTokens.toLocaleString("en-US")} tokens${spent}`;
}
