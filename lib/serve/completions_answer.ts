/**
 * Answers of `/v1/completions`.
 * @module
 */
import type { TokenLogprob } from "../engine/mod.ts";
import { TextStream } from "../engine/text_stream.ts";
import { type Body, finishOf, finite, type Head, type Scored, scoredTokens, type Shape } from "./answer.ts";
import type { Drawn } from "./draw.ts";
import type { Job, Prompt, Served } from "./job.ts";

/** Log-probabilities as this endpoint writes them: one list for each thing told. */
interface Columns {
  readonly tokens: string[];
  readonly token_logprobs: (number | null)[];
  /** Null when no likeliest tokens are wanted. */
  readonly top_logprobs: (Record<string, number> | null)[] | null;
  /** Where each token begins in the text that is given. */
  readonly text_offset: number[];
}

/** Writes the answers to raw prompts. */
export function completionsShape(head: Head, job: Job, served: Served): Shape {
  const promptOf = (choice: number) => job.prompts[Math.floor(choice / job.n)] as Prompt;
  const echoOf = (choice: number) => promptOf(choice).echo ?? "";
  const wantsTop = (job.logprobs ?? 0) > 0;
  const empty = (): Columns => ({
    tokens: [],
    token_logprobs: [],
    top_logprobs: wantsTop ? [] : null,
    text_offset: [],
  });

  /** Appends a token; the one that was drawn is always among the likeliest. */
  const append = (
    columns: Columns,
    token: number,
    logprob: number | null,
    top: readonly TokenLogprob[] | null,
    offset: number,
  ) => {
    const { text } = served.token(token);
    columns.tokens.push(text);
    columns.token_logprobs.push(logprob === null ? null : finite(logprob));
    const named: Record<string, number> = {};
    for (const other of top ?? []) {
      const name = served.token(other.token).text;
      named[name] = Math.max(named[name] ?? -Infinity, finite(other.logprob));
    }
    if (logprob !== null) named[text] ??= finite(logprob);
    columns.top_logprobs?.push(logprob === null ? null : named);
    columns.text_offset.push(offset);
  };

  const promptColumns = (columns: Columns, choice: number, prompts: Drawn["prompts"]) => {
    const scores = prompts[Math.floor(choice / job.n)];
    if (!scores) return;
    const text = new TextStream((ids) => served.decoder.decode(ids));
    const { length } = echoOf(choice);
    for (const [i, token] of promptOf(choice).ids.entries()) {
      const offset = Math.min(text.text.length, length);
      append(columns, token, scores.logprobs[i] ?? null, scores.top[i] ?? null, offset);
      text.push(token);
    }
  };

  /** Appends the drawn tokens of one choice as they come. */
  const appender = (choice: number) => {
    const text = new TextStream((ids) => served.decoder.decode(ids, { skipSpecialTokens: true }));
    const from = echoOf(choice).length;
    return (columns: Columns, { token, logprob, top }: Scored, length = Infinity) => {
      append(columns, token, logprob, top, from + Math.min(text.text.length, length));
      text.push(token);
    };
  };
  const appenders = new Map<number, ReturnType<typeof appender>>();

  const chunk = (index: number, text: string, more: Body = {}): Body => ({
    ...head,
    object: "text_completion",
    choices: [{ index, text, logprobs: null, finish_reason: null, ...more }],
  });
  const indices = [...Array(job.prompts.length * job.n).keys()];
  return {
    whole: ({ samples, prompts }) => ({
      ...head,
      object: "text_completion",
      choices: samples.map((sample, index) => {
        const columns = job.logprobs === null ? null : empty();
        if (columns) {
          promptColumns(columns, index, prompts);
          const add = appender(index);
          for (const scored of scoredTokens(sample)) add(columns, scored, sample.text.length);
        }
        return {
          index,
          text: echoOf(index) + sample.text,
          logprobs: columns,
          finish_reason: finishOf(sample),
        };
      }),
    }),
    first: (prompts) =>
      indices.filter((index) => promptOf(index).echo !== null).map((index) => {
        const columns = job.logprobs === null ? null : empty();
        if (columns) promptColumns(columns, index, prompts);
        return chunk(index, echoOf(index), { logprobs: columns });
      }),
    piece: ({ choice, text, scored }) => {
      if (scored === null) return text === "" ? null : chunk(choice, text);
      const add = appenders.get(choice) ?? appender(choice);
      appenders.set(choice, add);
      const columns = empty();
      add(columns, scored);
      return chunk(choice, text, { logprobs: columns });
    },
    last: ({ samples }) =>
      samples.map((sample, index) => chunk(index, "", { finish_reason: finishOf(sample) })),
  };
}
