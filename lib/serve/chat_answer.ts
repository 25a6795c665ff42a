/**
 * Answers of `/v1/chat/completions`.
 * @module
 */
import type { Sample } from "../engine/mod.ts";
import { type Body, finishOf, finite, type Head, type Shape } from "./answer.ts";
import type { Job, Served } from "./job.ts";
import type { IdLogprob } from "./prompt_logprobs.ts";

/** Writes the answers to one chat. */
export function chatShape(head: Head, job: Job, served: Served): Shape {
  const one = ({ token, logprob }: IdLogprob) => {
    const { text, bytes } = served.token(token);
    return { token: text, logprob: finite(logprob), bytes };
  };
  const logprobs = ({ tokens, logprobs, topLogprobs }: Sample) =>
    job.logprobs === null ? null : {
      content: tokens.map((token, i) => ({
        ...one({ token, logprob: logprobs?.[i] as number }),
        top_logprobs: topLogprobs?.[i]?.map(one) ?? [],
      })),
      refusal: null,
    };
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
        message: { role: "assistant", content: sample.text, refusal: null },
        logprobs: logprobs(sample),
        finish_reason: finishOf(sample),
      })),
    }),
    first: () => indices.map((index) => chunk(index, { role: "assistant", content: "", refusal: null })),
    piece: ({ choice, text }) => text === "" ? null : chunk(choice, { content: text }),
    last: ({ samples }) =>
      samples.flatMap((sample, index) => [
        ...(job.logprobs === null ? [] : [chunk(index, { content: "" }, { logprobs: logprobs(sample) })]),
        chunk(index, {}, { finish_reason: finishOf(sample) }),
      ]),
  };
}
