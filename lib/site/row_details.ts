/**
 * Everything there is to read of a row.
 * @module
 */
import type { Attempt } from "../runs/experiment.ts";
import { promptSha256 } from "../runs/runner.ts";
import { type PromptView, promptView, type TextPart, textParts } from "./prompt_view.ts";
import type { PromptBuilder } from "./rebuild_prompts.ts";
import type { IndexRow, RowGrade, RunRows } from "./run_rows.ts";

/** A row to be read; long texts are cut. */
export interface RowDetails {
  /** Its id. */
  readonly id: string;
  /** The prompt, or why it cannot be shown. */
  readonly prompt: PromptView | { readonly problem: string };
  /** Whether the prompt has the hash of the one that was sent; null when nothing was sent. */
  readonly same: boolean | null;
  /** The answer; null before there is one. */
  readonly output: readonly TextPart[] | null;
  /** Reasoning apart from the answer. */
  readonly reasoning: readonly TextPart[] | null;
  /** What went wrong, in words. */
  readonly error: string | null;
  /** What grading said, long texts cut. */
  readonly grade: RowGrade | null;
  /** Facts for people, in order. */
  readonly facts: readonly (readonly [label: string, value: string])[];
}

/** Most characters of a judge's reply, an error or a fact. */
const SHORT = 2_000;

/** Reads rows of a run whole. */
export async function rowDetails(
  rows: readonly IndexRow[],
  run: Pick<RunRows, "attempt">,
  prompts: PromptBuilder,
  options: { readonly scrub?: (text: string) => string } = {},
): Promise<RowDetails[]> {
  const { scrub = (text) => text } = options;
  const details: RowDetails[] = [];
  for (const row of rows) {
    const attempt = await run.attempt(row.id);
    const prompt = await prompts.build(row.id);
    const parts = (text: string) => textParts(scrub(text));
    details.push({
      id: row.id,
      prompt: "problem" in prompt ? { problem: scrub(prompt.problem) } : scrubView(promptView(prompt), scrub),
      same: attempt === null || "problem" in prompt ? null : promptSha256(prompt) === attempt.prompt_sha256,
      output: attempt?.status === "done"
        ? parts(attempt.output)
        : attempt === null && row.preview !== ""
        ? parts(row.preview)
        : null,
      reasoning: attempt?.reasoning ? parts(attempt.reasoning) : null,
      error: attempt?.error ? scrub(cut(`${attempt.error.kind}: ${attempt.error.message}`)) : null,
      grade: row.grade === null ? null : {
        ...row.grade,
        judgeOutput: scrub(cut(row.grade.judgeOutput)),
        extra: Object.fromEntries(
          Object.entries(row.grade.extra).map(([name, value]) => [name, scrub(cut(value))]),
        ),
      },
      facts: facts(row, attempt).map(([label, value]) => [label, scrub(cut(value))]),
    });
  }
  return details;
}

/** What does not change from one run of the same plan to the next: no times. */
function facts(row: IndexRow, attempt: Attempt | null): [string, string][] {
  const number = (n: number) => n.toLocaleString("en-US");
  const list: [string, string | number | null | undefined][] = [
    ["status", row.status],
    ...Object.entries(row.params).map((
      [name, value],
    ): [string, string | null] => [name, value === null ? null : String(value)]),
    ["part", row.part],
    ["prompt tokens", attempt === null ? row.tokens : attempt.token_count],
    ["reported by the server", attempt?.prompt_tokens_reported],
    ["generated tokens", attempt?.completion_tokens],
    ["of them reasoning", attempt?.reasoning_tokens],
    ["ended by", attempt?.finish_reason],
    ["put right in the answer", attempt?.recoveries?.join(", ")],
    ["tries", row.attempts === 0 ? null : row.attempts],
    ["answered by the cache", attempt?.from_cache ? "yes" : null],
  ];
  return list.flatMap(([label, value]) =>
    value === null || value === undefined || value === ""
      ? []
      : [[label, typeof value === "number" ? number(value) : value]]
  );
}

function cut(text: string): string {
  return text.length <= SHORT
    ? text
    : `${text.slice(0, SHORT).toWellFormed()}… (${
      (text.length - SHORT).toLocaleString("en-US")
    } more characters)`;
}

function scrubView(view: PromptView, scrub: (text: string) => string): PromptView {
  const all = (parts: readonly TextPart[]) =>
    parts.map((part) => "cut" in part ? part : { ...part, text: scrub(part.text) });
  return {
    messages: view.messages.map(({ role, parts }) => ({ role, parts: all(parts) })),
    prefix: view.prefix === null ? null : all(view.prefix),
  };
}
