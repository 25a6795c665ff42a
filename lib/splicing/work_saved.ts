/**
 * How much of what was asked the engine had to compute.
 * @module
 */
import type { PromptBook, SplicePrompt } from "./prompt_book.ts";
import type { AnsweredRow } from "./splice_stages.ts";

/** Prompt tokens of answered rows, as the backend counted them. */
export interface WorkSaved {
  /** Rows that say how many of their prompt tokens came from a cache of prefixes. */
  readonly rows: number;
  /** Prompt tokens of these rows. */
  readonly sent: number;
  /** Those that were computed. */
  readonly computed: number;
  /**
   * The least that could be computed: every prompt once, what it shares with another not again; null where only a server
   * knows the tokens.
   */
  readonly least: number | null;
}

/** Adds up the prompt tokens that were computed; rows from the response cache, which computed none, are left out. */
export function workSaved(rows: readonly AnsweredRow[], book: Pick<PromptBook, "ids">): WorkSaved {
  let counted = 0, sent = 0, computed = 0;
  const prompts = new Map<string, SplicePrompt>();
  for (const { row, attempt } of rows) {
    if (attempt?.status !== "done" || attempt.from_cache) continue;
    const { prompt_tokens_reported: prompt, cached_tokens: cached } = attempt;
    if (prompt === null || cached === null) continue;
    counted++;
    sent += prompt;
    computed += prompt - cached;
    prompts.set(row.asked.sha256, row.asked);
  }
  const ids = [...prompts.values()].map((prompt) => book.ids(prompt));
  return {
    rows: counted,
    sent,
    computed,
    least: ids.some((one) => one === null) ? null : distinctTokens(ids as number[][]),
  };
}

/** Tokens of sequences, those of a beginning that two share counted once. */
export function distinctTokens(sequences: readonly (readonly number[])[]): number {
  const sorted = sequences.toSorted(compare);
  return sorted.reduce((sum, ids, i) => sum + ids.length - common(sorted[i - 1] ?? [], ids), 0);
}

function common(a: readonly number[], b: readonly number[]): number {
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at++;
  return at;
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = common(a, b);
  return (a[at] ?? -1) - (b[at] ?? -1);
}

/** One line for people; empty where nothing was counted. */
export function workLine({ rows, sent, computed, least }: WorkSaved): string {
  if (rows === 0 || sent === 0) return "";
  const share = ((1 - computed / sent) * 100).toFixed(1);
  const number = (n: number) => n.toLocaleString("en-US");
  const floor = least === null || least === 0
    ? ""
    : `, ${(computed / least).toFixed(2)} times the ${
      number(least)
    } of all different prompts, shared beginnings counted once`;
  return `prefill: ${number(computed)} of ${
    number(sent)
  } prompt tokens computed (${share}% from shared prefixes)${floor}`;
}
