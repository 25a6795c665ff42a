/**
 * Answers of `/v1/chat/completions`.
 * @module
 */
import type { TokenLogprob } from "../engine/mod.ts";
import { type Body, finishOf, finite, type Head, type Scored, scoredTokens, type Shape } from "./answer.ts";
import type { DrawnSample, Pieces } from "./draw.ts";
import type { Job, Served } from "./job.ts";

/** Writes the answers to one chat. */
export function chatShape(head: Head, job: Job, served: Served): Shape {
  const one = ({ token, logprob }: TokenLogprob) => {
    const { text, bytes } = served.token(token);
    return { token: text, logprob: finite(logprob), bytes };
  };
  const logprobs = (tokens: readonly Scored[]) => ({
    content: tokens.map((scored) => ({ ...one(scored), top_logprobs: scored.top.map(one) })),
    refusal: null,
  });
  const chunk = (index: number, delta: Body, more: Body = {}): Body => ({
    ...head,
    object: "chat.completion.chunk",
    choices: [{ index, delta, logprobs: null, finish_reason: null, ...more }],
  });
  const indices = [...Array(job.n).keys()];
  return {
    whole: ({ samples }) => ({
      ...head,
      object: "chat.completion",
      choices: samples.map((sample, index) => ({
        index,
        message: { role: "assistant", content: sample.text, refusal: null, ...reasoningOf(sample) },
        logprobs: job.logprobs === null ? null : logprobs(scoredTokens(sample)),
        finish_reason: finishOf(sample),
      })),
    }),
    first: () => indices.map((index) => chunk(index, { role: "assistant", content: "", refusal: null })),
    piece: ({ choice, scored, ...pieces }) => {
      const delta = deltaOf(pieces);
      if (scored !== null) return chunk(choice, { content: "", ...delta }, { logprobs: logprobs([scored]) });
      return Object.keys(delta).length === 0 ? null : chunk(choice, delta);
    },
    last: ({ samples }) =>
      samples.flatMap((sample, index) => {
        const late = deltaOf(sample.late);
        return [
          ...(Object.keys(late).length === 0 ? [] : [chunk(index, late)]),
          chunk(index, {}, { finish_reason: finishOf(sample) }),
        ];
      }),
  };
}

/** What is new of an answer. */
function deltaOf({ text, reasoning }: Pieces): Body {
  return { ...reasoningOf({ reasoning: reasoning || null }), ...(text === "" ? {} : { content: text }) };
}

/** The reasoning, in the field that other servers of open models have for it. */
function reasoningOf({ reasoning }: Pick<DrawnSample, "reasoning">): Body {
  return reasoning === null ? {} : { reasoning_content: reasoning };
}
