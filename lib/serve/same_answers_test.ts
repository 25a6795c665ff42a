import assert from "node:assert/strict";
import { openApi } from "../backends/api.ts";
import type { Backend, GenerateRequest } from "../backends/backend.ts";
import { openLocal } from "../backends/local.ts";
import { type ApiVariant, getVariant, type LocalVariant, parseVariants } from "../backends/variants.ts";
import { createRandom } from "../base/random.ts";
import { question } from "./testing/questions.ts";
import { servePocket } from "./testing/serve_pocket.ts";

function requestOf(i: number): GenerateRequest {
  return {
    messages: [{ role: "user", content: question(i) }],
    maxTokens: 24,
    temperature: i % 2 === 0 ? 0 : 0.9,
    seed: i,
    ...(i % 5 === 1 ? { stop: ["own", "."] } : {}),
    ...(i % 3 === 2 ? { topP: 0.8 } : {}),
    logprobs: true,
  };
}

function apiVariant(baseUrl: string): ApiVariant {
  const spec = { backend: "api", description: "d", model: "pocket", baseUrl, contextWindow: 4096 };
  return parseVariants(JSON.stringify({ variants: { x: spec } }), "m.json").get("x") as ApiVariant;
}

/** What must be equal, wherever it was drawn. */
async function answerOf(backend: Backend, request: GenerateRequest, options: { stream?: boolean } = {}) {
  const { text, finishReason, usage, logprobs } = await backend.generate(
    request,
    options.stream ? { onText: () => {} } : {},
  );
  const { promptTokens, completionTokens } = usage;
  return {
    text,
    finishReason,
    promptTokens,
    completionTokens,
    tokens: logprobs?.map(({ token }) => token),
    logprobs: logprobs?.map(({ logprob }) => logprob) ?? [],
  };
}

function assertSame(
  actual: Awaited<ReturnType<typeof answerOf>>,
  expected: Awaited<ReturnType<typeof answerOf>>,
  what: string,
): void {
  const { logprobs, ...exact } = actual;
  const { logprobs: expectedLogprobs, ...expectedExact } = expected;
  assert.deepEqual(exact, expectedExact, what);
  for (const [i, logprob] of logprobs.entries()) {
    assert.ok(Math.abs(logprob - (expectedLogprobs[i] as number)) < 1e-3, `${what}, token ${i}`);
  }
}

Deno.test("startServer() answers our api backend as the in-process backend answers, to the token", async () => {
  const variant = await getVariant("pocket") as LocalVariant;
  await using local = await openLocal(variant);
  await using server = await servePocket({ graceMs: 0 });
  await using api = openApi(apiVariant(server.url));
  for (let i = 0; i < 8; i++) {
    const expected = await answerOf(local, requestOf(i));
    assert.ok(expected.tokens && expected.tokens.length > 0);
    assertSame(await answerOf(api, requestOf(i)), expected, `request ${i}`);
    assertSame(await answerOf(api, requestOf(i), { stream: true }), expected, `streamed request ${i}`);
  }
  const begun = { ...requestOf(0), logprobs: false, prefix: "Ada Lindqvist" };
  assert.equal((await api.continueFrom(begun)).text, (await local.continueFrom(begun)).text);
  const { continuesPrefix, logprobs, reportsUsage } = await api.probe();
  assert.deepEqual([logprobs, reportsUsage], [true, true]);
  assert.equal(typeof continuesPrefix, "boolean");
});

Deno.test("startServer() gives each of many clients the answer it gives to one alone", async () => {
  await using server = await servePocket({ graceMs: 0 });
  await using api = openApi(apiVariant(server.url));
  const requests = Array.from({ length: 24 }, (_, i) => requestOf(i));
  const alone: Awaited<ReturnType<typeof answerOf>>[] = [];
  for (const request of requests) alone.push(await answerOf(api, request));
  assert.ok(new Set(alone.map(({ text }) => text)).size > 4, "the answers differ too little to be mixed up");
  const random = createRandom("clients");
  const clients = Array.from({ length: 32 }, (_, client) => random.fork(client));
  await Promise.all(clients.map(async (own) => {
    for (let turn = 0; turn < 4; turn++) {
      const i = own.int(requests.length);
      const stream = own.next() < 0.5;
      // A neighbour that leaves must not touch anybody's answer.
      const leaving = new AbortController();
      const left = own.next() < 0.25
        ? api.generate(requests[own.int(requests.length)] as GenerateRequest, {
          signal: leaving.signal,
          onText: () => leaving.abort(),
        }).catch(() => {})
        : undefined;
      const answer = await answerOf(api, requests[i] as GenerateRequest, { stream });
      assertSame(answer, alone[i] as typeof answer, `request ${i}${stream ? ", streamed" : ""}`);
      await left;
    }
  }));
  const metrics = await (await fetch(server.url.replace("/v1", "/metrics"))).text();
  assert.match(metrics, /^probebook_samples_in_flight 0$/m);
  const [, tokens, steps] = /engine_generated_tokens_total (\d+)\n[^]*engine_decode_steps_total (\d+)\n/.exec(
    metrics,
  ) ?? [];
  assert.ok(
    Number(tokens) > 2 * Number(steps),
    `${tokens} tokens in ${steps} steps: nothing was drawn together`,
  );
});
