/**
 * Bodies of OpenAI-compatible servers, as far as they are read. Unknown fields are let through.
 * @module
 */
import { z } from "zod";
import type { Completion, FinishReason, TokenLogprob, Usage } from "./backend.ts";

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
  content: z.array(z.looseObject({
    token: z.string(),
    logprob: z.number(),
    top_logprobs: z.array(z.looseObject({ token: z.string(), logprob: z.number() })).nullish(),
  })).nullish(),
}).nullish();
const messageText = {
  content: z.string().nullish(),
  refusal: z.string().nullish(),
  reasoning: z.string().nullish(),
  reasoning_content: z.string().nullish(),
};

const chatSchema = z.looseObject({
  ...head,
  choices: z.array(z.looseObject({ message: z.looseObject(messageText), finish_reason: finish, logprobs })),
});

const completionsSchema = z.looseObject({
  ...head,
  choices: z.array(z.looseObject({
    text: z.string(),
    finish_reason: finish,
    logprobs: z.looseObject({
      tokens: z.array(z.string()).nullish(),
      token_logprobs: z.array(z.number().nullable()).nullish(),
      top_logprobs: z.array(z.record(z.string(), z.number()).nullable()).nullish(),
    }).nullish(),
  })),
});

const chunkSchema = z.looseObject({
  ...head,
  choices: z.array(z.looseObject({
    delta: z.looseObject(messageText).nullish(),
    text: z.string().nullish(),
    finish_reason: finish,
    logprobs,
  })).default([]),
});

const errorBodySchema = z.looseObject({
  error: z.union([
    z.string(),
    z.looseObject({
      message: z.string().nullish(),
      code: z.union([z.string(), z.number()]).nullish(),
      type: z.string().nullish(),
    }),
  ]),
});

function usageOf(usage: z.infer<typeof usageSchema>): Usage {
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

function chatLogprobs(value: z.infer<typeof logprobs>): TokenLogprob[] | null {
  return value?.content?.map(({ token, logprob, top_logprobs: top }) => ({
    token,
    logprob,
    ...(top ? { top: top.map((other) => ({ token: other.token, logprob: other.logprob })) } : {}),
  })) ?? null;
}

function headOf(head: {
  readonly id?: string | null | undefined;
  readonly model?: string | null | undefined;
  readonly usage?: z.infer<typeof usageSchema>;
}): Pick<Completion, "requestId" | "model" | "usage"> {
  return { requestId: head.id ?? null, model: head.model ?? null, usage: usageOf(head.usage) };
}

/** Reads the answer of `/chat/completions`; null when it has no choice. @throws {z.ZodError} */
export function readChat(json: unknown): Completion | null {
  const body = chatSchema.parse(json);
  const choice = body.choices[0];
  if (!choice) return null;
  const { message } = choice;
  return {
    ...headOf(body),
    text: message.content ?? message.refusal ?? "",
    reasoning: message.reasoning_content ?? message.reasoning ?? null,
    finishReason: finishReasonOf(choice.finish_reason),
    logprobs: chatLogprobs(choice.logprobs),
  };
}

/** Reads the answer of `/completions`; null when it has no choice. @throws {z.ZodError} */
export function readCompletions(json: unknown): Completion | null {
  const body = completionsSchema.parse(json);
  const choice = body.choices[0];
  if (!choice) return null;
  const values = choice.logprobs?.token_logprobs;
  const top = choice.logprobs?.top_logprobs;
  return {
    ...headOf(body),
    text: choice.text,
    reasoning: null,
    finishReason: finishReasonOf(choice.finish_reason),
    logprobs: choice.logprobs?.tokens?.map((token, i) => {
      const others = top?.[i];
      return {
        token,
        logprob: values?.[i] ?? NaN,
        ...(others
          ? { top: Object.entries(others).map(([other, logprob]) => ({ token: other, logprob })) }
          : {}),
      };
    }) ?? null,
  };
}

/** One event of a streamed answer. */
export interface Chunk {
  /** Null in the events that do not say. */
  readonly requestId: string | null;
  /** Null in the events that do not say. */
  readonly model: string | null;
  /** Null in all events but, as a rule, the last. */
  readonly usage: Usage | null;
  /** Null in events that carry usage alone. */
  readonly choice: {
    readonly text: string;
    readonly reasoning: string;
    readonly finishReason: FinishReason | null;
    readonly logprobs: readonly TokenLogprob[];
  } | null;
}

/** Reads one event of a streamed answer, of either endpoint. @throws {z.ZodError} */
export function readChunk(json: unknown): Chunk {
  const { id, model, usage, choices } = chunkSchema.parse(json);
  const choice = choices[0];
  const { delta } = choice ?? {};
  return {
    requestId: id ?? null,
    model: model ?? null,
    usage: usage ? usageOf(usage) : null,
    choice: choice
      ? {
        text: delta?.content ?? delta?.refusal ?? choice.text ?? "",
        reasoning: delta?.reasoning_content ?? delta?.reasoning ?? "",
        finishReason: choice.finish_reason ? finishReasonOf(choice.finish_reason) : null,
        logprobs: chatLogprobs(choice.logprobs) ?? [],
      }
      : null,
  };
}

/**
 * The error that OpenRouter and others put into a 200, or null when the body is none. `status` is the HTTP status it
 * stands for, or null.
 */
export function readErrorBody(
  json: unknown,
): { readonly message: string; readonly status: number | null } | null {
  if (typeof json !== "object" || json === null || !("error" in json)) return null;
  const parsed = errorBodySchema.safeParse(json);
  if (!parsed.success) return null;
  const { error } = parsed.data;
  if (typeof error === "string") return { message: error, status: null };
  const status = Number(error.code);
  return {
    message: error.message ?? "an error without a message",
    status: status >= 400 && status < 600 ? status : null,
  };
}
