/**
 * Answers of the Responses API, whole or streamed.
 * @module
 */
import { z } from "zod";
import { kindOfStatus } from "./api_errors.ts";
import { finishReasonOf } from "./api_schema.ts";
import { serverEvents } from "./api_stream.ts";
import { BackendError, type Completion, type FinishReason } from "./backend.ts";

const tokens = z.number().nonnegative().nullish();
const part = z.looseObject({ type: z.string(), text: z.string().optional(), refusal: z.string().optional() });
const failure = z.looseObject({
  message: z.string().nullish(),
  code: z.union([z.string(), z.number()]).nullish(),
}).nullish();

const responseSchema = z.looseObject({
  id: z.string().nullish(),
  model: z.string().nullish(),
  status: z.string().nullish(),
  error: failure,
  incomplete_details: z.looseObject({ reason: z.string().nullish() }).nullish(),
  output: z.array(z.looseObject({
    type: z.string(),
    content: z.array(part).nullish(),
    summary: z.array(part).nullish(),
  })),
  usage: z.looseObject({
    input_tokens: tokens,
    input_tokens_details: z.looseObject({ cached_tokens: tokens }).nullish(),
    output_tokens: tokens,
    output_tokens_details: z.looseObject({ reasoning_tokens: tokens }).nullish(),
  }).nullish(),
});
type ResponseBody = z.infer<typeof responseSchema>;

const eventSchema = z.looseObject({
  type: z.string(),
  sequence_number: z.number().nullish(),
  delta: z.unknown().optional(),
  response: z.unknown().optional(),
  message: z.string().nullish(),
  code: z.union([z.string(), z.number()]).nullish(),
});

/**
 * Reads the answer of `/responses`; null when it has no message and nothing else that explains it.
 *
 * @throws {z.ZodError} when it is not of the known form.
 * @throws {BackendError} `server` when the response failed.
 */
export function readResponse(json: unknown): Completion | null {
  const body = responseSchema.parse(json);
  if (body.status === "failed") throw failed(body.error, "The response failed");
  const messages = body.output.filter(({ type }) => type === "message");
  const reasoning = body.output.filter(({ type }) => type === "reasoning").map(reasoningOf).filter((text) =>
    text !== ""
  );
  if (messages.length === 0 && reasoning.length === 0 && body.status !== "incomplete") return null;
  const { usage } = body;
  return {
    text: messages.flatMap(({ content }) => content ?? []).map(({ text, refusal }) => text ?? refusal ?? "")
      .join(""),
    reasoning: reasoning.length === 0 ? null : reasoning.join("\n\n"),
    finishReason: finishOf(body),
    usage: {
      promptTokens: usage?.input_tokens ?? null,
      completionTokens: usage?.output_tokens ?? null,
      cachedTokens: usage?.input_tokens_details?.cached_tokens ?? null,
      reasoningTokens: usage?.output_tokens_details?.reasoning_tokens ?? null,
    },
    requestId: body.id ?? null,
    model: body.model ?? null,
    logprobs: null,
  };
}

/** The reasoning itself where the server gives it, else its summary. */
function reasoningOf({ content, summary }: ResponseBody["output"][number]): string {
  const texts = content?.length ? content : summary ?? [];
  return texts.map(({ text }) => text ?? "").join("\n\n");
}

function finishOf({ status, incomplete_details }: ResponseBody): FinishReason {
  if (status === "completed") return "stop";
  const reason = incomplete_details?.reason;
  return reason === "max_output_tokens" ? "length" : finishReasonOf(reason ?? status);
}

function failed(error: z.infer<typeof failure>, fallback: string): BackendError {
  const status = Number(error?.code);
  const known = status >= 400 && status < 600;
  const message = error?.message ?? fallback;
  if (known) return new BackendError(kindOfStatus(status, message), message, { status });
  return new BackendError(error?.code === "rate_limit_exceeded" ? "rate_limit" : "server", message);
}

/**
 * Reads a streamed answer of `/responses` to its end.
 *
 * @throws {BackendError} `network` when the stream ends before its answer or events are missing from it, `malformed`
 * when an event is not of the known form or the pieces do not make the text, `server` when it carries an error, `empty`
 * when the answer holds nothing.
 */
export async function readResponsesStream(
  response: Response,
  onText: (delta: string) => void,
): Promise<Completion> {
  let text = "";
  let last: number | null = null;
  for await (const data of serverEvents(response)) {
    if (data === "[DONE]") continue;
    const event = parseEvent(data);
    const { type, sequence_number: sequence } = event;
    if (typeof sequence === "number") {
      if (last !== null && sequence > last + 1) {
        throw new BackendError("network", `Events ${last + 1} to ${sequence - 1} of the stream are missing`);
      }
      last = sequence;
    }
    if (type === "response.output_text.delta" || type === "response.refusal.delta") {
      if (typeof event.delta !== "string") throw malformed();
      text += event.delta;
      if (event.delta !== "") onText(event.delta);
    } else if (type === "error") throw failed(event, "The stream carried an error");
    else if (["response.completed", "response.incomplete", "response.failed"].includes(type)) {
      return finished(event.response, text);
    }
  }
  throw new BackendError("network", "The stream ended before the answer did");
}

function finished(json: unknown, text: string): Completion {
  let completion: Completion | null;
  try {
    completion = readResponse(json);
  } catch (error) {
    throw error instanceof z.ZodError ? malformed() : error;
  }
  if (!completion) throw new BackendError("empty", "The server's stream had no answer in it");
  if (text !== "" && text !== completion.text) {
    throw new BackendError("malformed", "The pieces of the stream do not make the text it ends with");
  }
  return completion;
}

function parseEvent(data: string): z.infer<typeof eventSchema> {
  try {
    return eventSchema.parse(JSON.parse(data));
  } catch {
    throw malformed();
  }
}

function malformed(): BackendError {
  return new BackendError("malformed", "An event of the stream is not of the known form");
}
