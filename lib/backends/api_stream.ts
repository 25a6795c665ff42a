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
import { kindOfStatus } from "./api_errors.ts";
import { type Chunk, readChunk, readErrorBody } from "./api_schema.ts";

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
  let usage: Usage = {
    promptTokens: null,
    completionTokens: null,
    cachedTokens: null,
    reasoningTokens: null,
  };
  let requestId: string | null = null;
  let model: string | null = null;
  const logprobs: TokenLogprob[] = [];
  let choices = 0;
  let ended = false;
  for await (const data of serverEvents(response)) {
    if (data === "[DONE]") {
      ended = true;
      break;
    }
    const chunk = parseChunk(data);
    requestId ??= chunk.requestId;
    model ??= chunk.model;
    usage = chunk.usage ?? usage;
    if (!chunk.choice) continue;
    choices++;
    const { choice } = chunk;
    if (choice.reasoning) reasoning = (reasoning ?? "") + choice.reasoning;
    if (choice.text) {
      text += choice.text;
      onText(choice.text);
    }
    logprobs.push(...choice.logprobs);
    finishReason = choice.finishReason ?? finishReason;
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
    requestId,
    model,
    logprobs: logprobs.length > 0 ? logprobs : null,
  };
}

function parseChunk(data: string): Chunk {
  let json: unknown;
  try {
    json = JSON.parse(data);
  } catch {
    throw new BackendError("malformed", "An event of the stream is not JSON");
  }
  const failure = readErrorBody(json);
  if (failure) {
    const { status } = failure;
    throw new BackendError(
      status === null ? "server" : kindOfStatus(status, failure.message),
      "The stream carried an error",
      status === null ? {} : { status },
    );
  }
  try {
    return readChunk(json);
  } catch {
    throw new BackendError("malformed", "An event of the stream is not of the known form");
  }
}

/** The data of each server-sent event. */
export async function* serverEvents(response: Response): AsyncGenerator<string> {
  if (!response.body) return;
  let rest = "";
  for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + part).split(/\r\n|\n|\r/);
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.startsWith("data:")) yield line.slice(5).trim();
  }
  if (rest.startsWith("data:")) yield rest.slice(5).trim();
}
