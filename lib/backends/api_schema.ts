/**
 * Bodies of OpenAI-compatible servers, as far as they are read. Unknown fields are let through.
 * @module
 */
import { z } from "zod";
import type { FinishReason, TokenLogprob, Usage } from "./backend.ts";

const tokens = z.number().nonnegative().nullish();

const usageSchema = z.looseObject({
  prompt_tokens: tokens,
  completion_tokens: tokens,
  prompt_tokens_details: z.looseObject({ cached_tokens: tokens }).nullish(),
  completion_tokens_details: z.looseObject({ reasoning_tokens: tokens }).nullish(),
}).nullish();

const head = { id: z.string().nullish(), model: z.string().nullish(), usage: usageSchema };
const finish = z.string().nullish();
const logprobs = z.looseObject({
  content: z.array(z.looseObject({ token: z.string(), logprob: z.number() })).nullish(),
}).nullish();
const messageText = {
  content: z.string().nullish(),
  refusal: z.string().nullish(),
  reasoning: z.string().nullish(),
  reasoning_content: z.string().nullish(),
};

/** The answer of `/chat/completions`. */
export const chatSchema = z.looseObject({
  ...head,
  choices: z.array(z.looseObject({ message: z.looseObject(messageText), finish_reason: finish, logprobs })),
});

/** The answer of `/completions`. */
export const completionsSchema = z.looseObject({
  ...head,
  choices: z.array(z.looseObject({
    text: z.string(),
    finish_reason: finish,
    logprobs: z.looseObject({
      tokens: z.array(z.string()).nullish(),
      token_logprobs: z.array(z.number().nullable()).nullish(),
    }).nullish(),
  })),
});

/** One event of a streamed answer, of either kind. */
export const chunkSchema = z.looseObject({
  ...head,
  choices: z.array(z.looseObject({
    delta: z.looseObject(messageText).nullish(),
    text: z.string().nullish(),
    finish_reason: finish,
    logprobs,
  })).default([]),
});

/** An error inside a 200, as OpenRouter and others send. */
export const errorBodySchema = z.looseObject({
  error: z.union([
    z.string(),
    z.looseObject({
      message: z.string().nullish(),
      code: z.union([z.string(), z.number()]).nullish(),
      type: z.string().nullish(),
    }),
  ]),
});

/** What a body says of tokens; null where it says nothing. */
export function usageOf(usage: z.infer<typeof usageSchema>): Usage {
  return {
    promptTokens: usage?.prompt_tokens ?? null,
    completionTokens: usage?.completion_tokens ?? null,
    cachedTokens: usage?.prompt_tokens_details?.cached_tokens ?? null,
    reasoningTokens: usage?.completion_tokens_details?.reasoning_tokens ?? null,
  };
}

const FINISH: Readonly<Record<string, FinishReason>> = {
  stop: "stop",
  eos: "stop",
  eos_token: "stop",
  stop_sequence: "stop",
  end_turn: "stop",
  length: "length",
  max_tokens: "length",
  content_filter: "content_filter",
  abort: "aborted",
  cancelled: "aborted",
};

/** A server's finish reason in our words; `unknown` for what is not known. */
export function finishReasonOf(reason: string | null | undefined): FinishReason {
  return FINISH[reason ?? ""] ?? "unknown";
}

/** Log-probabilities of a chat choice; null where there are none. */
export function chatLogprobs(value: z.infer<typeof logprobs>): TokenLogprob[] | null {
  return value?.content?.map(({ token, logprob }) => ({ token, logprob })) ?? null;
}
