/**
 * Small stand-ins for the tests of this room.
 * @module
 */
import type { BackendError, Completion, Tokenizer } from "../backends/backend.ts";
import { parseVariants, type Variant } from "../backends/variants.ts";
import type { RunIdentity } from "./attempts.ts";
import type { Attempt, Experiment, JudgeRow, Row } from "./experiment.ts";
import type { CallTry, RowCaller } from "./runner.ts";
import type { WorkflowCaller } from "./workflow.ts";

/** A row of 100 tokens. */
export function rowNamed(id: string): Row {
  return {
    id,
    params: { n: Number(id.replace(/\D/g, "") || 0) },
    recipe: { id },
    tokens: 100,
    maxTokens: 10,
    skip: null,
  };
}

/** `row0` to `row{n-1}`. */
export function rowsNamed(n: number): Row[] {
  return Array.from({ length: n }, (_, i) => rowNamed(`row${i}`));
}

/** A finished attempt. */
export function attemptFor(id: string): Attempt {
  return {
    id,
    attempt: 1,
    started: "2026-01-31T10:15:00.000Z",
    status: "done",
    output: `answer of ${id}`,
    reasoning: null,
    finish_reason: "stop",
    token_count: 100,
    tokenizer: "words",
    prompt_tokens_reported: 101,
    completion_tokens: 5,
    cached_tokens: 0,
    reasoning_tokens: 0,
    latency_ms: 12,
    cost_usd: 0,
    request_id: null,
    from_cache: false,
    prompt_sha256: "0".repeat(64),
    error: null,
  };
}

/** Whose file it is. */
export const testIdentity: RunIdentity = {
  experiment: "niah",
  variant: "pocket",
  model: "pocket",
  mode: "full",
  plan: "p0",
  rows: 1,
  shard: null,
};

/** A completion with this text. */
export function completionOf(text: string): Completion {
  return {
    text,
    reasoning: null,
    finishReason: "stop",
    usage: { promptTokens: 101, completionTokens: 5, cachedTokens: 0, reasoningTokens: 0 },
    requestId: null,
    model: null,
    logprobs: null,
  };
}

/** A caller that answers with `answer(question, call number of that question)`; a thrown BackendError is a failed try. */
export function fakeCaller(
  answer: (question: string, nth: number, signal: AbortSignal | undefined) => string | Promise<string>,
  options: { readonly maxConcurrency?: number; readonly costUsd?: number | null } = {},
): RowCaller & { readonly sent: string[]; readonly most: () => number } {
  const sent: string[] = [];
  let now = 0, most = 0;
  return {
    sent,
    most: () => most,
    limits: { maxConcurrency: options.maxConcurrency ?? 4 },
    async call(request, { onTry, signal }) {
      const question = request.messages[0]?.content ?? "";
      sent.push(question);
      most = Math.max(most, ++now);
      const tried = {
        started: new Date(0),
        latencyMs: 12,
        costUsd: options.costUsd === undefined ? 0 : options.costUsd,
      };
      try {
        const text = await answer(question, sent.filter((s) => s === question).length, signal);
        const completion = completionOf(text);
        await onTry?.({ ...tried, completion, error: null } satisfies CallTry);
        return completion;
      } catch (error) {
        if ((error as Error).name === "BackendError") {
          await onTry?.({ ...tried, completion: null, error: error as BackendError, costUsd: null });
        }
        throw error;
      } finally {
        now--;
      }
    },
  };
}

/** A small experiment: each row asks for its own number; the answer is right when it says so. */
export function fakeExperiment(n: number, options: { readonly judged?: boolean } = {}): Experiment {
  const judged = (row: Row, stage: string): JudgeRow => ({ ...rowNamed(`${row.id}-${stage}`), of: row.id });
  return {
    name: "niah",
    sampling: { temperature: 0 },
    rows: rowsNamed(n),
    prompt: (row) => ({ messages: [{ role: "user", content: row.id }], tokens: row.tokens }),
    ...(options.judged
      ? {
        judgeRows: (rows) =>
          rows.flatMap(({ row, judgements }) =>
            judgements.length < 2 ? [judged(row, `judge${judgements.length}`)] : []
          ),
        judgePrompt: (row) => ({ messages: [{ role: "user", content: row.id }], tokens: 20 }),
      }
      : {}),
    grade: (rows) =>
      rows.map(({ row, attempt, attempts, judgements }) => ({
        row,
        attempt,
        attempts,
        grade: attempt === null ? null : {
          validity: attempt.status === "error"
            ? "error"
            : attempt.output === `answer ${row.id}`
            ? "correct"
            : "wrong",
          correct: attempt.output === `answer ${row.id}`,
          judge: judgements.length > 0 ? "match+judge" : "match",
          judge_output: judgements.map((j) => j.attempt.output).join(" "),
        },
      })),
    report: (rows) => ({
      summary: `${rows.filter((row) => row.grade?.correct).length} of ${rows.length} right`,
      statistics: { n: rows.length },
      figures: { heatmap: { svg: "<svg/>", alt: "a heatmap" } },
    }),
  };
}

/** A workflow's caller around a fake one. */
export function workflowCaller(caller: RowCaller, name = "pocket"): WorkflowCaller {
  const variant = parseVariants(
    JSON.stringify({
      variants: {
        [name]: { backend: "simulated", mode: "decay", contextWindow: 4096, description: "a test" },
      },
    }),
    "models.json",
  ).get(name) as Variant;
  const tokenizer = { name: "words", exact: true } as unknown as Tokenizer;
  return { ...caller, variant, backend: { tokenizer: () => Promise.resolve(tokenizer) } };
}
