import assert from "node:assert/strict";
import fc from "fast-check";
import { type ServeOptions, type Server, startServer } from "./start_server.ts";
import { eventually, post, type RawClient, rawClient } from "./testing/raw_client.ts";
import { type Script, scriptedDecoder, scriptedVariant } from "./testing/scripted_decoder.ts";

async function serve(script: Script = {}, options: Partial<ServeOptions> = {}) {
  const scripted = scriptedDecoder(script);
  const server = await startServer({
    variant: scriptedVariant,
    decoder: scripted.decoder,
    graceMs: 0,
    ...options,
  });
  return { server, scripted };
}

const chat = (fields: object = {}) => ({
  model: "scripted",
  messages: [{ role: "user", content: "hi" }],
  ...fields,
});

function ask(server: Server, body: unknown, init: RequestInit = {}): Promise<Response> {
  return fetch(`${server.url}/chat/completions`, {
    method: "POST",
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...init,
    headers: { "content-type": "application/json", ...init.headers },
  });
}

/** Asserts that the server still answers. */
async function lives(server: Server): Promise<void> {
  const response = await ask(server, chat({ max_tokens: 2 }));
  assert.equal(response.status, 200);
  assert.equal((await response.json()).choices[0].message.content.length, 2);
}

async function connected(server: Server, text: string): Promise<RawClient> {
  const client = await rawClient(server.url);
  client.socket.write(text);
  return client;
}

Deno.test("startServer() stops drawing when a client leaves in mid-stream, and frees what it held", async () => {
  const { server, scripted } = await serve({ stepMs: 2 });
  await using _server = server;
  const client = await connected(
    server,
    post("/v1/chat/completions", chat({ stream: true, max_tokens: 500, n: 2 })),
  );
  await client.until(/"content":"x"/);
  assert.equal(scripted.held, 1);
  client.socket.destroy();
  await eventually(() => scripted.held === 0 && scripted.drawing === 0 && server.inFlight === 0);
  assert.ok(scripted.drawn < 1000, `${scripted.drawn} tokens were drawn`);
  await lives(server);
  const metrics = await (await fetch(server.url.replace("/v1", "/metrics"))).text();
  assert.match(metrics, /requests_total\{endpoint="\/v1\/chat\/completions",status="499"\} 1\n/);
  assert.match(metrics, /samples_in_flight 0\n/);
});

Deno.test("startServer() stops drawing when a client leaves before a whole answer", async () => {
  const { server, scripted } = await serve({ stepMs: 2 });
  await using _server = server;
  const stop = new AbortController();
  const asked = ask(server, chat({ max_tokens: 500 }), { signal: stop.signal });
  await eventually(() => scripted.drawing === 1);
  stop.abort();
  await assert.rejects(asked);
  await eventually(() => scripted.held === 0 && scripted.drawing === 0 && server.inFlight === 0);
  assert.ok(scripted.drawn < 500);
  await lives(server);
});

Deno.test("startServer() takes a client that leaves out of the queue", async () => {
  const { server, scripted } = await serve({ stepMs: 2 }, { maxConcurrency: 1 });
  await using _server = server;
  const stop = new AbortController();
  const first = ask(server, chat({ max_tokens: 500 }), { signal: stop.signal });
  await eventually(() => scripted.drawing === 1);
  const leaves = new AbortController();
  const second = ask(server, chat({ max_tokens: 3 }), { signal: leaves.signal });
  const third = ask(server, chat({ max_tokens: 4 }));
  await eventually(() => server.inFlight === 3);
  leaves.abort();
  await assert.rejects(second);
  await eventually(() => server.inFlight === 2);
  stop.abort();
  await assert.rejects(first);
  assert.equal((await (await third).json()).usage.completion_tokens, 4);
});

Deno.test("startServer() gives up clients that send their head or their body too slowly", async () => {
  const { server } = await serve({}, { headersTimeoutMs: 200, bodyTimeoutMs: 400 });
  await using _server = server;
  const head = await connected(server, "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n");
  const body = await connected(server, post("/v1/chat/completions", "{", { "content-length": "100" }));
  const silent = await connected(server, "");
  assert.match(await head.closed, /^HTTP\/1\.1 408 .*"The request came too slowly\."/s);
  assert.match(await body.closed, /^HTTP\/1\.1 408 /);
  await silent.closed;
  await eventually(() => server.inFlight === 0);
  await lives(server);
});

Deno.test("startServer() refuses what is no HTTP, and heads that are too large", async () => {
  const { server } = await serve();
  await using _server = server;
  const garbage = await connected(server, "\x00\x01\x02 what\r\n\r\n");
  assert.match(await garbage.closed, /^HTTP\/1\.1 400 /);
  const large = await connected(
    server,
    `GET /health HTTP/1.1\r\nhost: localhost\r\nx: ${"y".repeat(40_000)}\r\n\r\n`,
  );
  assert.match(await large.closed, /^HTTP\/1\.1 4(00|31) /);
  await lives(server);
});

Deno.test("startServer() refuses large bodies before they are read, and goes on", async () => {
  const { server } = await serve({}, { maxBodyBytes: 1000 });
  await using _server = server;
  const announced = await ask(server, chat({ user: "u".repeat(100_000) }));
  assert.equal(announced.status, 413);
  assert.match((await announced.json()).error.message, /larger than 1000 bytes/);
  // One that listens only when it has sent all.
  const patient = await connected(server, post("/v1/chat/completions", "x".repeat(20_000_000)));
  assert.match(await patient.until(/\}\}/), /^HTTP\/1\.1 413 /);
  patient.socket.destroy();
  const chunked = await ask(server, "", {
    body: ReadableStream.from(Array.from({ length: 50 }, () => new Uint8Array(10_000))),
  });
  assert.equal(chunked.status, 413);
  await chunked.body?.cancel();
  const waits = await connected(
    server,
    post("/v1/chat/completions", "", { expect: "100-continue", "content-length": "100000" }),
  );
  assert.match(await waits.until(/\}\}/), /^HTTP\/1\.1 413 /);
  waits.socket.destroy();
  const goesOn = await connected(server, post("/v1/chat/completions", chat(), { expect: "100-continue" }));
  assert.match(await goesOn.until(/chat\.completion/), /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
  goesOn.socket.destroy();
  await lives(server);
});

Deno.test("startServer() refuses a body that breaks off, and answers the next request", async () => {
  const { server } = await serve();
  await using _server = server;
  const client = await connected(
    server,
    post("/v1/chat/completions", '{"model":', { "content-length": "500" }),
  );
  client.socket.destroy();
  await lives(server);
  await eventually(() => server.inFlight === 0);
});

Deno.test("startServer() gives up a client that does not read what it asked for", async () => {
  const { server, scripted } = await serve({ stepMs: 1, piece: "y".repeat(500_000) }, {
    maxBuffered: 4_000_000,
  });
  await using _server = server;
  const client = await rawClient(server.url);
  client.socket.pause();
  client.socket.write(post("/v1/chat/completions", chat({ stream: true, max_tokens: 500 })));
  await eventually(() => scripted.drawing === 1);
  await eventually(() => scripted.drawing === 0 && server.inFlight === 0);
  assert.ok(scripted.drawn < 500, "it drew on although nobody read");
  assert.equal(scripted.held, 0);
  client.socket.destroy();
  assert.equal((await (await fetch(`${server.url}/models/scripted`)).json()).id, "scripted");
});

Deno.test("startServer() gives up a client that stops reading a finished answer", async () => {
  const { server, scripted } = await serve({ piece: "y".repeat(500_000) }, { stallMs: 300 });
  await using _server = server;
  const client = await rawClient(server.url);
  client.socket.pause();
  client.socket.write(post("/v1/chat/completions", chat({ max_tokens: 40 })));
  await eventually(() => scripted.drawn === 40);
  await eventually(() => server.inFlight === 0);
  client.socket.destroy();
});

Deno.test("startServer() sends away those for whom there is no room, and says when to come back", async () => {
  const { server, scripted } = await serve({ stepMs: 2 }, { maxConcurrency: 2, maxQueue: 1 });
  await using _server = server;
  const stop = new AbortController();
  const running = ask(server, chat({ max_tokens: 500, n: 2 }), { signal: stop.signal });
  await eventually(() => scripted.drawing === 1);
  const waiting = ask(server, chat({ max_tokens: 1 }));
  await eventually(() => server.inFlight === 2);
  const refused = await ask(server, chat({ max_tokens: 1 }));
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get("retry-after"), "1");
  assert.equal((await refused.json()).error.code, "rate_limit_exceeded");
  const never = await ask(server, chat({ n: 3 }));
  assert.equal(never.status, 400);
  assert.equal((await never.json()).error.param, "n");
  stop.abort();
  await assert.rejects(running);
  assert.equal((await waiting).status, 200);
  await (await waiting).body?.cancel();
});

Deno.test("startServer() ends requests that take too long, whole or streamed", async () => {
  const { server, scripted } = await serve({ stepMs: 5 }, { timeoutMs: 100 });
  await using _server = server;
  const whole = await ask(server, chat({ max_tokens: 500 }));
  assert.equal(whole.status, 504);
  assert.equal((await whole.json()).error.type, "server_error");
  const text = await (await ask(server, chat({ max_tokens: 500, stream: true }))).text();
  assert.match(text, /"content":"x"/);
  assert.match(text, /data: \{"error":\{"message":"The answer took longer than 0\.1 s\."[^\n]*\n\n$/);
  await eventually(() => scripted.held === 0 && scripted.drawing === 0);
});

Deno.test("startServer() keeps the engine's failures to its log and goes on", async () => {
  const { server } = await serve({ failure: new Error("secret detail") });
  await using _server = server;
  const lines: string[] = [];
  const { error } = console;
  console.error = (line: string) => lines.push(line);
  try {
    const response = await ask(server, chat());
    assert.equal(response.status, 500);
    assert.doesNotMatch(await response.text(), /secret/);
  } finally {
    console.error = error;
  }
  assert.match(lines.join("\n"), /Request req_\w+ failed: secret detail/);
  assert.equal((await fetch(server.url + "/models")).status, 200);
});

Deno.test("close() lets what is under way end, and takes nothing new", async () => {
  const { server, scripted } = await serve({ stepMs: 2 }, { graceMs: 60_000 });
  const asked = ask(server, chat({ max_tokens: 50 }));
  await eventually(() => scripted.drawing === 1);
  const kept = await connected(server, "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n");
  await kept.until(/"ok"/);
  const closing = server.close();
  await assert.rejects(ask(server, chat()));
  assert.equal((await (await asked).json()).usage.completion_tokens, 50);
  assert.equal(await closing, true);
  await kept.closed;
});

Deno.test("close() stops what takes longer than the grace", async () => {
  const { server, scripted } = await serve({ stepMs: 5 }, { graceMs: 50 });
  const whole = ask(server, chat({ max_tokens: 500 }));
  const streamed = ask(server, chat({ max_tokens: 500, stream: true }));
  await eventually(() => scripted.drawing === 2);
  assert.equal(await server.close(), false);
  assert.equal((await whole).status, 503);
  assert.equal((await whole).headers.get("retry-after"), "5");
  await (await whole).body?.cancel();
  assert.match(await (await streamed).text(), /data: \{"error":\{"message":"The server is closing/);
  assert.equal(scripted.held, 0);
});

Deno.test("startServer() answers any JSON with 200, or with an error that says what is wrong", async () => {
  const { server } = await serve();
  await using _server = server;
  const right: Record<string, unknown> = chat({
    max_tokens: 1,
    stop: ["a"],
    n: 1,
    logprobs: false,
    stream: false,
  });
  const field = fc.constantFrom(...Object.keys(right), "prompt", "tools", "seed", "top_p", "stream_options");
  const body = fc.oneof(
    fc.jsonValue(),
    fc.tuple(field, fc.jsonValue()).map(([name, value]) => ({ ...right, [name]: value })),
    fc.jsonValue().map((value) => ({ model: "scripted", prompt: value, max_tokens: 1 })),
    fc.jsonValue().map((content) => chat({ messages: [{ role: "user", content }], max_tokens: 1 })),
  );
  await fc.assert(
    fc.asyncProperty(body, fc.constantFrom("chat/completions", "completions"), async (value, endpoint) => {
      const response = await fetch(`${server.url}/${endpoint}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(value),
      });
      const text = await response.text();
      if (response.status === 200) return;
      assert.ok([400, 404].includes(response.status), `${response.status} ${text}`);
      const { error } = JSON.parse(text);
      assert.equal(error.type, "invalid_request_error");
      assert.ok(error.message.length > 10 && error.message.length < 600, error.message);
    }),
    { numRuns: 200 },
  );
});

Deno.test("startServer() lets web pages of the origin ask that was named, and no others", async () => {
  const preflight = { method: "OPTIONS", headers: { origin: "https://page.example" } };
  {
    await using server = (await serve()).server;
    const response = await fetch(`${server.url}/chat/completions`, preflight);
    assert.equal(response.status, 405);
    assert.equal(response.headers.get("access-control-allow-origin"), null);
    await response.body?.cancel();
  }
  await using server = (await serve({}, { cors: "https://page.example", key: "a key" })).server;
  const response = await fetch(`${server.url}/chat/completions`, preflight);
  assert.deepEqual(
    [response.status, response.headers.get("access-control-allow-origin")],
    [204, "https://page.example"],
  );
  assert.match(response.headers.get("access-control-allow-headers") ?? "", /authorization/);
});

Deno.test("startServer() on loopback refuses requests for another host", async () => {
  const { server } = await serve();
  await using _server = server;
  const strange = await connected(server, "GET /v1/models HTTP/1.1\r\nhost: rebound.example\r\n\r\n");
  assert.match(await strange.until(/host_not_allowed/), /^HTTP\/1\.1 403 /);
  strange.socket.destroy();
  const own = await connected(server, "GET /v1/models HTTP/1.1\r\nhost: localhost:1\r\n\r\n");
  assert.match(await own.until(/"scripted"/), /^HTTP\/1\.1 200 /);
  own.socket.destroy();
});

Deno.test("startServer() answers for its health and metrics while the engine is too busy to", async () => {
  const { scripted, server } = await serve();
  await using _server = server;
  const root = server.url.replace("/v1", "");
  await (await fetch(`${root}/metrics`)).body?.cancel();
  Object.assign(scripted.decoder, { stats: () => new Promise(() => {}) });
  const [health, metrics] = await Promise.all([fetch(`${root}/health`), fetch(`${root}/metrics`)]);
  assert.deepEqual(await health.json(), { status: "busy", model: "scripted" });
  assert.match(await metrics.text(), /^probebook_engine_generated_tokens_total 0$/m);
  Object.assign(scripted.decoder, { stats: () => Promise.reject(new Error("dead")) });
  const failed = await fetch(`${root}/health`);
  assert.equal(failed.status, 503);
  assert.match((await failed.json()).error.message, /engine has failed/);
});
