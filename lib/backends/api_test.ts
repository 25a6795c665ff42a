import assert from "node:assert/strict";
import { inspect } from "node:util";
import { messageOf } from "../base/errors.ts";
import { openApi } from "./api.ts";
import { type BackendError, type FailureKind, type GenerateRequest } from "./backend.ts";
import { always, type Fault } from "./testing/fault_plan.ts";
import { type FaultServerOptions, startFaultServer } from "./testing/fault_server.ts";
import { type ApiVariant, parseVariants, pickVariant } from "./variants.ts";

const KEY = "sk-very-secret-0123456789";
const request: GenerateRequest = {
  messages: [{
    role: "user",
    content: "<document>The sky was grey. The key is under the mat. It rained.</document>\n" +
      "<question>Where is the key?</question>",
  }],
  maxTokens: 50,
  seed: 3,
  stop: ["\n\n"],
};

function variant(fields: object = {}): ApiVariant {
  const spec = {
    backend: "api",
    description: "d",
    model: "m",
    baseUrlEnv: "TEST_URL",
    apiKeyEnv: "TEST_KEY",
    contextWindow: 9999,
    ...fields,
  };
  return pickVariant(parseVariants(JSON.stringify({ variants: { v: spec } }), "m.json"), "v") as ApiVariant;
}

function open(url: string, fields: object = {}, timeoutMs = 5000) {
  const env = { get: (name: string) => ({ TEST_URL: url, TEST_KEY: KEY })[name] };
  return openApi(variant(fields), { env, timeoutMs });
}

/** A server that answers every request with what is given. */
function stub(reply: (request: Request) => Response | Promise<Response>) {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, reply);
  return { url: `http://127.0.0.1:${server.addr.port}/v1`, [Symbol.asyncDispose]: () => server.shutdown() };
}

const chat = (choice: object, rest: object = {}) =>
  Response.json({ id: "c1", model: "m-1", choices: [choice], ...rest });

async function failure(promise: Promise<unknown>): Promise<BackendError> {
  try {
    await promise;
  } catch (error) {
    return error as BackendError;
  }
  throw new Error("it should have failed");
}

Deno.test("openApi() answers a chat with usage, finish reason and ids", async () => {
  await using server = await startFaultServer();
  await using backend = open(server.url);
  const answer = await backend.generate(request);
  assert.equal(answer.text, "The key is under the mat.");
  assert.equal(answer.finishReason, "stop");
  assert.equal(answer.usage.completionTokens, 7);
  assert.deepEqual([answer.usage.cachedTokens, answer.usage.reasoningTokens], [0, 0]);
  assert.deepEqual([answer.requestId, answer.model, answer.reasoning], ["fault-0", "m", null]);
});

Deno.test("openApi() sends what it was asked and nothing of the oracle", async () => {
  let seen: Record<string, unknown> = {};
  await using server = stub(async (r) => {
    seen = await r.json();
    return chat({ message: { content: "ok" }, finish_reason: "stop" });
  });
  const backend = open(server.url, { extraBody: { provider: { order: ["x"] } } });
  await backend.generate({ ...request, topP: 0.9, topK: 5, oracle: { answer: "mat", length: 1 } });
  assert.deepEqual(seen, {
    model: "m",
    max_tokens: 50,
    temperature: 0,
    top_p: 0.9,
    top_k: 5,
    seed: 3,
    stop: ["\n\n"],
    provider: { order: ["x"] },
    messages: request.messages,
  });
  await open(server.url, { maxTokensField: "max_completion_tokens" }).generate(request);
  assert.deepEqual(Object.keys(seen).filter((field) => field.startsWith("max")), ["max_completion_tokens"]);
});

Deno.test("openApi() reads cached and reasoning tokens, reasoning text and log-probabilities", async () => {
  await using server = stub(() =>
    chat({
      message: { content: "ok", reasoning_content: "hm" },
      finish_reason: "length",
      logprobs: { content: [{ token: "ok", logprob: -0.5, bytes: null }] },
    }, {
      usage: {
        prompt_tokens: 10,
        completion_tokens: 5,
        prompt_tokens_details: { cached_tokens: 8 },
        completion_tokens_details: { reasoning_tokens: 4 },
      },
    })
  );
  const answer = await open(server.url).generate(request);
  assert.deepEqual(answer.usage, {
    promptTokens: 10,
    completionTokens: 5,
    cachedTokens: 8,
    reasoningTokens: 4,
  });
  assert.equal(answer.reasoning, "hm");
  assert.equal(answer.finishReason, "length");
  assert.deepEqual(answer.logprobs, [{ token: "ok", logprob: -0.5 }]);
});

Deno.test("openApi() asks for the likeliest tokens and gives them in place of each token", async () => {
  const top = [{ token: "ok", logprob: -0.5 }, { token: "no", logprob: -1.5 }];
  let seen: Record<string, unknown> = {};
  await using server = stub(async (incoming) => {
    seen = await incoming.json();
    return incoming.url.endsWith("/chat/completions")
      ? chat({
        message: { content: "ok" },
        finish_reason: "stop",
        logprobs: { content: [{ token: "ok", logprob: -0.5, top_logprobs: top }] },
      })
      : Response.json({
        choices: [{
          text: "ok",
          finish_reason: "stop",
          logprobs: { tokens: ["ok"], token_logprobs: [-0.5], top_logprobs: [{ ok: -0.5, no: -1.5 }] },
        }],
      });
  });
  for (const protocol of ["chat", "completions"]) {
    const backend = open(server.url, { protocol });
    assert.deepEqual((await backend.generate({ ...request, topLogprobs: 2 })).logprobs, [
      { token: "ok", logprob: -0.5, top },
    ]);
    assert.equal(seen[protocol === "chat" ? "top_logprobs" : "logprobs"], 2);
  }
  const plain = await open(server.url, { protocol: "completions" }).generate({ ...request, logprobs: true });
  assert.deepEqual(plain.logprobs, [{ token: "ok", logprob: -0.5 }]);
});

Deno.test("openApi() takes an empty answer as an answer and a body without choices as a failure", async () => {
  let body: object = { choices: [{ message: { content: null }, finish_reason: "stop" }] };
  await using server = stub(() => Response.json(body));
  const backend = open(server.url);
  const answer = await backend.generate(request);
  assert.deepEqual([answer.text, answer.finishReason, answer.usage.promptTokens], ["", "stop", null]);
  body = { choices: [] };
  assert.equal((await failure(backend.generate(request))).kind, "empty");
  body = { error: { message: "Provider returned error", code: 429 } };
  assert.equal((await failure(backend.generate(request))).kind, "rate_limit");
});

Deno.test("openApi() names every failure of a server by its kind", async () => {
  const kinds: Partial<Record<Fault, FailureKind>> = {
    rate_limit: "rate_limit",
    rate_limit_retry_after: "rate_limit",
    server_error: "server",
    hang: "timeout",
    reset: "network",
    malformed_json: "malformed",
    wrong_schema: "malformed",
  };
  await using server = await startFaultServer({ retryAfter: 7 });
  const backend = open(server.url, {}, 300);
  for (const [fault, kind] of Object.entries(kinds)) {
    server.setPlan(always(fault as Fault));
    const error = await failure(backend.generate(request));
    assert.equal(error.kind, kind, `${fault}: ${messageOf(error)}`);
    assert.deepEqual([error.retryable, error.sent], [true, true]);
    assert.equal(error.retryAfterMs, fault === "rate_limit_retry_after" ? 7000 : null);
  }
  assert.equal(server.requests.length, 7);
});

Deno.test("openApi() gives degenerate outputs as they are", async () => {
  const options: FaultServerOptions = { window: 20 };
  await using server = await startFaultServer(options);
  const backend = open(server.url);
  const under = (fault: Fault) => {
    server.setPlan(always(fault));
    return backend.generate(request);
  };
  assert.equal((await under("cut_prompt")).usage.promptTokens, 20);
  assert.deepEqual([(await under("empty")).text, (await under("empty")).usage.promptTokens], ["", 0]);
  assert.match((await under("pad")).text, /^(<pad>)+$/);
  assert.ok((await under("very_long")).text.length > 100_000);
  assert.match((await under("refusal")).text, /can't help/);
});

Deno.test("openApi() tells context length, authentication and other refusals apart", async () => {
  const cases: [number, string, FailureKind][] = [
    [400, "This model's maximum context length is 8192 tokens", "context_length"],
    [400, "the request exceeds the available context size", "context_length"],
    [400, "temperature must be 1", "bad_request"],
    [401, "Incorrect API key", "auth"],
    [403, "no", "auth"],
    [404, "no such model", "unsupported"],
    [503, "overloaded", "server"],
  ];
  for (const [status, message, kind] of cases) {
    await using server = stub(() => Response.json({ error: { message } }, { status }));
    const error = await failure(open(server.url).generate(request));
    assert.deepEqual([error.kind, error.status], [kind, status]);
  }
});

Deno.test("openApi() never shows its key, whatever the server echoes", async () => {
  await using server = stub((r) =>
    Response.json({ error: { message: `bad key ${KEY} in ${r.headers.get("authorization")}` } }, {
      status: 401,
    })
  );
  const error = await failure(open(server.url).generate(request));
  assert.match(error.message, /redacted/);
  assert.ok(!inspect(error, { depth: 9, showHidden: true }).includes(KEY));
});

Deno.test("openApi() hides its key in an answer that holds it", async () => {
  await using server = stub(() =>
    Response.json({
      model: KEY,
      choices: [{ message: { content: `it is ${KEY}, or ${btoa(KEY)}` }, finish_reason: "stop" }],
    }, { headers: { "x-request-id": `id-${KEY}` } })
  );
  const completion = await open(server.url).generate(request);
  assert.equal(completion.text, "it is [redacted], or [redacted]");
  assert.equal(completion.requestId, "id-[redacted]");
  assert.ok(!inspect(completion, { depth: 9 }).includes(KEY));
});

Deno.test("openApi() says what is refused when nobody listens", async () => {
  const error = await failure(open("http://127.0.0.1:2/v1").generate(request));
  assert.deepEqual([error.kind, error.sent], ["network", false]);
});

Deno.test("openApi() names the missing environment variables", () => {
  assert.throws(() => openApi(variant(), { env: { get: () => undefined } }), /needs TEST_URL and TEST_KEY/);
  assert.throws(() => openApi(variant(), { env: { get: () => "nonsense" } }), /not an http\(s\) address/);
});

Deno.test("openApi() ends as aborted when the signal says so", async () => {
  await using server = await startFaultServer({ plan: always("hang") });
  const stop = new AbortController();
  const call = open(server.url).generate(request, { signal: stop.signal });
  setTimeout(() => stop.abort(), 50);
  assert.equal((await failure(call)).kind, "aborted");
});

Deno.test("openApi() streams when text is asked for as it comes", async () => {
  await using server = await startFaultServer();
  const parts: string[] = [];
  const answer = await open(server.url).generate(request, { onText: (part) => parts.push(part) });
  assert.equal(parts.join(""), "The key is under the mat.");
  assert.ok(parts.length > 3);
  assert.equal(answer.text, parts.join(""));
  assert.equal(answer.usage.completionTokens, 7);
  assert.equal(answer.finishReason, "stop");
});

Deno.test("openApi() takes a stream that breaks off as a network failure", async () => {
  const event = `data: ${
    JSON.stringify({ choices: [{ delta: { content: "The" }, finish_reason: null }] })
  }\n\n`;
  await using server = stub(() => new Response(event, { headers: { "content-type": "text/event-stream" } }));
  const error = await failure(open(server.url).generate(request, { onText: () => {} }));
  assert.equal(error.kind, "network");
});

Deno.test("openApi() continues a raw prompt in protocol completions", async () => {
  let seen: Record<string, unknown> = {};
  await using server = stub(async (r) => {
    assert.ok(r.url.endsWith("/v1/completions"));
    seen = await r.json();
    return Response.json({
      choices: [{ text: "ber", finish_reason: "length" }],
      usage: { prompt_tokens: 3 },
    });
  });
  const backend = open(server.url, { protocol: "completions" });
  const answer = await backend.continueFrom({ ...request, prefix: " novem" });
  assert.equal(answer.text, "ber");
  assert.equal(seen["prompt"], request.messages[0]?.content + " novem");
  assert.equal(
    (await failure(Promise.resolve().then(() => backend.continueFrom({ ...request, prefix: "a " })))).kind,
    "bad_request",
  );
});

Deno.test("probe() believes a server that truly continues, and no other", async () => {
  type Body = { messages: { role: string; content: string }[] };
  const serve = (reply: (body: Body, prefilled: boolean) => Response) =>
    stub(async (r) => {
      const body = await r.json() as Body;
      return reply(body, body.messages.at(-1)?.role === "assistant");
    });
  const say = (content: string, prompt: number) =>
    chat({ message: { content }, finish_reason: "stop" }, {
      usage: { prompt_tokens: prompt, completion_tokens: 2 },
    });
  await using honest = await serve((_, prefilled) => prefilled ? say("ber, oscar", 60) : say("alpha", 30));
  await using dropping = await serve((_, prefilled) => prefilled ? say("ber, oscar", 30) : say("alpha", 30));
  await using restarting = await serve((_, prefilled) =>
    prefilled ? say("Alpha, bravo", 60) : say("alpha", 30)
  );
  await using refusing = await serve((_, prefilled) =>
    prefilled
      ? Response.json({ error: { message: "unknown field continue_final_message" } }, { status: 400 })
      : say("a", 3)
  );
  const probe = (server: { url: string }) => open(server.url).probe();
  const found = await probe(honest);
  assert.deepEqual([found.continuesPrefix, found.reportsUsage, found.chat, found.logprobs], [
    true,
    true,
    true,
    false,
  ]);
  for (
    const [server, note] of [[dropping, /dropped/], [restarting, /not continued/], [
      refusing,
      /refused/,
    ]] as const
  ) {
    const { continuesPrefix, notes } = await probe(server);
    assert.equal(continuesPrefix, false);
    assert.match(notes.join("\n"), note);
  }
});
