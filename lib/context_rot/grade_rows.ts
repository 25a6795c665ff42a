/**
 * Grades rows with the audit's validity classes.
 * @module
 */
import type { Tokenizer } from "../backends/backend.ts";
import type { Variant } from "../backends/variants.ts";
import type { Attempt, Cell, GradableRow, GradedRow, Row } from "../runs/experiment.ts";
import { type AuditRow, auditRows } from "./audit.ts";

/** A row as an experiment's `grade` is given it. */
export type DoneRow<R extends Row> = GradableRow<R>;

/** What a match or a judge says of an answer, before the audit. */
export interface Verdict extends Pick<AuditRow, "broken" | "refuses"> {
  /** Whether it is right; null when nobody could say. */
  readonly correct: boolean | null;
  /** Who said so: `match`, or `match+<variant>`. */
  readonly judge: string;
  /** What the judge replied, or `true` or `false` of a match. */
  readonly output: string;
  /** Index of the distractor that was answered, -1 for none, null when nobody has looked. */
  readonly distractor?: number | null;
  /** Whether the right answer stood at the very end, where an output cap may have cut a longer one. */
  readonly atEnd?: boolean;
  /** Further columns of the evaluated CSV. */
  readonly extra?: Readonly<Record<string, Cell>>;
}

/** What grading needs beside the rows. */
export interface GradeOptions<R extends Row> {
  /** The model's window in tokens. */
  readonly variant: Pick<Variant, "contextWindow">;
  /** Whether tokens were counted with the model's own tokenizer. */
  readonly tokenizer: Pick<Tokenizer, "exact">;
  /** Input length in tokens as planned: rows of one length are compared with each other. */
  length(row: R): number;
  /** Depth of the evidence, 0..100, where there is one. */
  depth?(row: R): number | undefined;
  /** Judges an answer. */
  verdict(entry: DoneRow<R> & { readonly attempt: Attempt }): Verdict;
}

/** Verdicts and the audit's classes as grades; the last column, `reason`, is the audit's evidence. */
export function gradeRows<R extends Row>(
  done: readonly DoneRow<R>[],
  options: GradeOptions<R>,
): GradedRow[] {
  const verdicts = done.map((entry) =>
    entry.attempt?.status === "done" ? verdictOn(entry, entry.attempt, options) : null
  );
  const audited = auditRows(
    done.map((entry, i) => auditRow(entry, verdicts[i] ?? null, options)),
    { tokenizerExact: options.tokenizer.exact, window: options.variant.contextWindow },
  );
  return done.map(({ row, attempt, attempts }, i) => {
    const verdict = verdicts[i];
    const { validity, reasons } = audited[i] ?? { validity: null, reasons: [] };
    const distractor = verdict?.distractor;
    return {
      row,
      attempt,
      attempts,
      grade: attempt === null || validity === null ? null : {
        validity,
        correct: verdict?.correct ?? null,
        judge: verdict?.judge ?? "",
        judge_output: verdict?.output ?? "",
        extra: {
          ...(distractor === undefined ? {} : { distractor }),
          ...verdict?.extra,
          reason: reasons.join("; "),
        },
      },
    };
  });
}

/** What is said of an answer; a person's label stands over match and judge. */
function verdictOn<R extends Row>(entry: DoneRow<R>, attempt: Attempt, options: GradeOptions<R>): Verdict {
  const verdict = options.verdict({ ...entry, attempt });
  if (entry.label === undefined) return verdict;
  const { correct } = entry.label;
  const distractor = verdict.distractor === undefined
    ? {}
    : { distractor: correct ? -1 : verdict.distractor };
  return { ...verdict, correct, judge: "relabel", output: String(correct), atEnd: false, ...distractor };
}

function auditRow<R extends Row>(
  { row, attempt }: DoneRow<R>,
  verdict: Verdict | null,
  options: GradeOptions<R>,
): AuditRow {
  const depth = options.depth?.(row);
  return {
    id: row.id,
    length: options.length(row),
    ...(depth === undefined ? {} : { depth }),
    skip: row.skip,
    token_count: attempt?.token_count ?? 0,
    prompt_tokens_reported: attempt?.prompt_tokens_reported ?? null,
    completion_tokens: attempt?.completion_tokens ?? null,
    cached_tokens: attempt?.cached_tokens ?? null,
    maxTokens: row.maxTokens,
    finish_reason: attempt?.finish_reason ?? null,
    output: attempt?.output ?? "",
    reasoning: attempt?.reasoning ?? null,
    error: attempt === null ? "not run" : attempt.error?.kind ?? null,
    correct: verdict?.correct ?? null,
    distractor: verdict?.distractor ?? null,
    ...(verdict === null ? {} : { answerAtEnd: verdict.atEnd ?? false }),
    ...(verdict?.broken === undefined ? {} : { broken: verdict.broken }),
    ...(verdict?.refuses === undefined ? {} : { refuses: verdict.refuses }),
  };
}
