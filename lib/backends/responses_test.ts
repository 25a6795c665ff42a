import assert from "node:assert/strict";
import { openApi } from "./api.ts";
import { BackendError } from "./backend.ts";
import { readResponse, readResponsesStream } from "./responses.ts";
import { type ApiVariant, parseVariants, pickVariant } from "./variants.ts";

const whole = {
  id: "resp_1",
  model: "m-1",
  status: "completed",
  error: null,
  output: [
    { type: "reasoning", summary: [{ type: "summary_text", text: "It rains." }] },
    {
      type: "message",
      content: [{ type: "output_text", text: "Take an " }, { type: "output_text", text: "umbrella." }],
    },
  ],
  usage: {
    input_tokens: 9,
    input_tokens_details: { cached_tokens: 4 },
    output_tokens: 7,
    output_tokens_details: { reasoning_tokens: 3 },
  },
};
const delta = (text: string, sequence_number: number) => ({
  type: "response.output_text.delta",
  sequence_number,
  delta: text,
});
const end = (sequence_number: number, fields: object = {}) => ({
  type: "response.completed",
  sequence_number,
  response: { ...whole, ...fields },
});

/** A stream of events, its bytes cut every few. */
function stream(events: readonly (object | string)[], size = 11): Response {
  const bytes = new TextEncoder().encode(
    events.map((event) => `event: x\ndata: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`)
      .join(""),
  );
  return new Response(ReadableStream.from((function* () {
    for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
  })()));
}

async function kindOf(events: readonly (object | string)[]): Promise<string> {
  const error = await readResponsesStream(stream(events), () => {}).then(() => null, (e) => e);
  assert.ok(error instanceof BackendError, String(error));
  return error.kind;
}

Deno.test("readResponse() gives text, reasoning, usage and finish reason", () => {
  assert.deepEqual(readResponse(whole), {
    text: "Take an umbrella.",
    reasoning: "It rains.",
    finishReason: "stop",
    usage: { promptTokens: 9, completionTokens: 7, cachedTokens: 4, reasoningTokens: 3 },
    requestId: "resp_1",
    model: "m-1",
    logprobs: null,
  });
  const reason = (fields: object) => readResponse({ ...whole, ...fields })?.finishReason;
  assert.equal(
    reason({ status: "incomplete", incomplete_details: { reason: "max_output_tokens" } }),
    "length",
  );
  assert.equal(
    reason({ status: "incomplete", incomplete_details: { reason: "content_filter" } }),
    "content_filter",
  );
  assert.equal(reason({ status: "cancelled" }), "aborted");
  assert.equal(reason({ status: undefined }), "unknown");
  const given = { type: "reasoning", summary: [], content: [{ type: "reasoning_text", text: "Clouds." }] };
  assert.equal(readResponse({ ...whole, output: [given] })?.reasoning, "Clouds.");
  const refusal = { type: "message", content: [{ type: "refusal", refusal: "No." }] };
  assert.equal(readResponse({ ...whole, output: [refusal] })?.text, "No.");
  assert.equal(readResponse({ ...whole, output: [] }), null);
  assert.equal(readResponse({ status: "incomplete", output: [] })?.text, "");
  assert.throws(
    () => readResponse({ ...whole, status: "failed", error: { code: "server_error", message: "ow" } }),
    /ow/,
  );
});

Deno.test("readResponsesStream() gives pieces as they come and the answer they make", async () => {
  const parts: string[] = [];
  const events = [
    delta("Take an ", 0),
    { type: "of.the.future", sequence_number: 1 },
    delta("umbrella.", 2),
    end(3),
  ];
  const answer = await readResponsesStream(stream(events, 3), (part) => parts.push(part));
  assert.deepEqual(parts, ["Take an ", "umbrella."]);
  assert.deepEqual(answer, readResponse(whole));
});

Deno.test("readResponsesStream() says what is wrong with a stream", async () => {
  assert.equal(await kindOf([delta("Take", 0)]), "network");
  assert.equal(await kindOf([delta("Take an ", 0), end(2)]), "network");
  assert.equal(await kindOf([delta("Take an umbrella", 0), end(1)]), "malformed");
  assert.equal(await kindOf(["{"]), "malformed");
  assert.equal(await kindOf([{ type: "response.output_text.delta" }]), "malformed");
  assert.equal(await kindOf([{ type: "response.completed", response: { output: 1 } }]), "malformed");
  assert.equal(await kindOf([end(0, { output: [] })]), "empty");
  assert.equal(await kindOf([{ type: "error", code: "server_error", message: "ow" }]), "server");
  assert.equal(await kindOf([{ type: "error", code: 429, message: "slow down" }]), "rate_limit");
  const failed = end(0, { status: "failed", error: { code: "rate_limit_exceeded", message: "slow down" } });
  assert.equal(await kindOf([{ ...failed, type: "response.failed" }]), "rate_limit");
});

Deno.test("openApi() asks the Responses API, whole and streamed, and refuses what it cannot do", async () => {
  let seen: Record<string, unknown> = {};
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    seen = { path: new URL(request.url).pathname, ...await request.json() };
    if (!seen.stream) return Response.json(whole);
    return new Response(stream([delta("Take an umbrella.", 0), end(1)]).body, {
      headers: { "content-type": "text/event-stream" },
    });
  });
  const spec = {
    backend: "api",
    description: "d",
    model: "m",
    baseUrl: `http://127.0.0.1:${server.addr.port}/v1`,
    contextWindow: 999,
    protocol: "responses",
    extraBody: { reasoning: { effort: "low" } },
  };
  const variants = parseVariants(JSON.stringify({ variants: { v: spec } }), "m.json");
  await using backend = openApi(pickVariant(variants, "v") as ApiVariant);
  const request = { messages: [{ role: "user", content: "Rain?" }] as const, maxTokens: 20 };
  assert.equal((await backend.generate({ ...request, seed: 1 })).text, "Take an umbrella.");
  assert.deepEqual(seen, {
    path: "/v1/responses",
    model: "m",
    input: [{ role: "user", content: "Rain?" }],
    max_output_tokens: 20,
    temperature: 0,
    store: false,
    reasoning: { effort: "low" },
  });
  const parts: string[] = [];
  const answer = await backend.generate({ ...request, stop: [" umb"] }, {
    onText: (part) => parts.push(part),
  });
  assert.deepEqual([answer.text, answer.reasoning, parts], ["Take an", "It rains.", ["Take an umbrella."]]);
  assert.ok(!("stream_options" in seen));
  const kind = async (call: () => Promise<unknown>) => {
    try {
      await call();
    } catch (error) {
      return (error as BackendError).kind;
    }
  };
  assert.equal(await kind(() => backend.generate({ ...request, topK: 5 })), "unsupported");
  assert.equal(await kind(() => backend.generate({ ...request, logprobs: true })), "unsupported");
  assert.equal(await kind(() => backend.continueFrom({ ...request, prefix: "Take" })), "unsupported");
});
