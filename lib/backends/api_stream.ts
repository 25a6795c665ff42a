/**
 * Streamed answers of OpenAI-compatible servers.
 * @module
 */
import {
  BackendError,
  type Completion,
  type FinishReason,
  type TokenLogprob,
  type Usage,
} from "./backend.ts";
import { chatLogprobs, chunkSchema, errorBodySchema, finishReasonOf, usageOf } from "./api_schema.ts";

/**
 * Reads a streamed answer to its end, chat or completions.
 *
 * @throws {BackendError} `malformed` when an event is not JSON or not of the known form, `network` when the stream
 * ends before its finish, `server` when it carries an error, `empty` when it has no choice at all.
 */
export async function readStream(response: Response, onText: (delta: string) => void): Promise<Completion> {
  let text = "";
  let reasoning: string | null = null;
  let finishReason: FinishReason | null = null;
  let usage: Usage = usageOf(null);
  let id: string | null = null;
  let model: string | null = null;
  let logprobs: TokenLogprob[] | null = null;
  let choices = 0;
  let ended = false;
  for await (const data of events(response)) {
    if (data === "[DONE]") {
      ended = true;
      break;
    }
    const chunk = parseChunk(data);
    id ??= chunk.id ?? null;
    model ??= chunk.model ?? null;
    if (chunk.usage) usage = usageOf(chunk.usage);
    const choice = chunk.choices[0];
    if (!choice) continue;
    choices++;
    const delta = choice.delta?.content ?? choice.delta?.refusal ?? choice.text ?? "";
    const thought = choice.delta?.reasoning_content ?? choice.delta?.reasoning;
    if (thought) reasoning = (reasoning ?? "") + thought;
    if (delta) {
      text += delta;
      onText(delta);
    }
    const values = chatLogprobs(choice.logprobs);
    if (values) logprobs = [...logprobs ?? [], ...values];
    if (choice.finish_reason) finishReason = finishReasonOf(choice.finish_reason);
  }
  if (!ended && finishReason === null) {
    throw new BackendError("network", "The stream ended before the answer did");
  }
  if (choices === 0) throw new BackendError("empty", "The server's stream had no choice in it");
  return {
    text,
    reasoning,
    finishReason: finishReason ?? "unknown",
    usage,
    requestId: id,
    model,
    logprobs,
  };
}

function parseChunk(data: string) {
  let json: unknown;
  try {
    json = JSON.parse(data);
  } catch {
    throw new BackendError("malformed", "An event of the stream is not JSON");
  }
  if (errorBodySchema.safeParse(json).success) {
    throw new BackendError("server", "The stream carried an error");
  }
  const parsed = chunkSchema.safeParse(json);
  if (!parsed.success) throw new BackendError("malformed", "An event of the stream is not of the known form");
  return parsed.data;
}

/** The data of each server-sent event. */
async function* events(response: Response): AsyncGenerator<string> {
  if (!response.body) return;
  let rest = "";
  for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + part).split(/\r\n|\n|\r/);
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.startsWith("data:")) yield line.slice(5).trim();
  }
  if (rest.startsWith("data:")) yield rest.slice(5).trim();
}
