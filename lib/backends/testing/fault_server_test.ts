import assert from "node:assert/strict";
import { createRandom } from "../../base/random.ts";
import { openApi } from "../api.ts";
import { BackendError, type GenerateRequest } from "../backend.ts";
import { createCaller } from "../caller.ts";
import { type ApiVariant, parseVariants, pickVariant } from "../variants.ts";
import { always, inTurn, mix } from "./fault_plan.ts";
import { findNeedle, startFaultServer } from "./fault_server.ts";

function variant(baseUrl: string): ApiVariant {
  const spec = {
    backend: "api",
    description: "d",
    model: "m",
    baseUrl,
    deployment: "local",
    contextWindow: 9999,
  };
  return pickVariant(parseVariants(JSON.stringify({ variants: { v: spec } }), "m.json"), "v") as ApiVariant;
}
const request = (i: number): GenerateRequest => ({
  messages: [{
    role: "user",
    content: `<document>It rained. Number ${i} is blue.</document><question>number ${i}?</question>`,
  }],
  maxTokens: 30,
});
const quick = { baseMs: 1, maxMs: 2, retries: 5, maxRetryAfterMs: 300_000 };

Deno.test("a caller gets every request through a server that fails in 30% of tries, paying for none twice", async () => {
  await using server = await startFaultServer({ plan: mix(0.3, { seed: 1 }), retryAfter: 0.01 });
  const backend = openApi(variant(server.url), { timeoutMs: 1500 });
  await using caller = createCaller(backend, {
    retry: quick,
    random: createRandom(1),
    limits: { tokensPerMinute: null, maxConcurrency: 8 },
  });
  let tries = 0;
  const texts = await Promise.all(Array.from({ length: 60 }, async (_, i) => {
    const answer = await caller.call(request(i), { tokens: 30, onTry: () => void tries++ });
    return answer.text;
  }));
  const completed = server.requests.filter((seen) => seen.completed);
  assert.equal(texts.length, 60);
  assert.equal(tries, server.requests.length);
  assert.equal(completed.length, 60);
  assert.equal(new Set(completed.map((seen) => seen.hash)).size, 60);
  for (const { hash } of server.requests) {
    assert.ok(server.requests.filter((seen) => seen.hash === hash).length <= 1 + quick.retries);
  }
});

Deno.test("a caller sends a request at most 1 + retries times to a server that always fails", async () => {
  await using server = await startFaultServer({ plan: always("server_error") });
  await using caller = createCaller(openApi(variant(server.url)), { retry: { ...quick, retries: 2 } });
  await assert.rejects(
    caller.call(request(0), { tokens: 9 }),
    (e) => e instanceof BackendError && e.kind === "server",
  );
  assert.equal(server.requests.length, 3);
});

Deno.test("startFaultServer() meets faults in turn and records what it saw", async () => {
  const log = await Deno.makeTempFile();
  await using server = await startFaultServer({ plan: inTurn("server_error", "malformed_json"), log });
  await using caller = createCaller(openApi(variant(server.url)), { retry: quick });
  assert.equal((await caller.call(request(7), { tokens: 9 })).text, "Number 7 is blue.");
  assert.deepEqual(server.requests.map((seen) => [seen.index, seen.fault, seen.completed]), [
    [0, "server_error", false],
    [1, "malformed_json", false],
    [2, "none", true],
  ]);
  assert.equal(new Set(server.requests.map((seen) => seen.hash)).size, 1);
  const lines = (await Deno.readTextFile(log)).trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines, server.requests);
  await Deno.remove(log);
});

Deno.test("mix() draws the same faults for the same seed and about the share that is asked for", () => {
  const drawn = (seed: number) =>
    Array.from({ length: 2000 }, (_, index) => mix(0.3, { seed })({ index, hash: "" }));
  assert.deepEqual(drawn(1), drawn(1));
  assert.notDeepEqual(drawn(1), drawn(2));
  const failed = drawn(1).filter((fault) => fault !== "none").length;
  assert.ok(failed > 520 && failed < 680, String(failed));
  assert.equal(new Set(drawn(1)).size, 13);
});

Deno.test("findNeedle() gives the sentence that shares the most with the question, or echoes", () => {
  assert.equal(
    findNeedle(
      "<document>A cat. Ann's lamp is red. B.</document>\n<question>What colour is Ann's lamp?</question>",
    ),
    "Ann's lamp is red.",
  );
  assert.equal(findNeedle("zzz"), "zzz");
});

Deno.test("fault_server.ts as a program prints its URL and serves", async () => {
  const program = new URL("./fault_server.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", decodeURIComponent(program), "--port", "0", "--fault", "server_error"],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  const url = new TextDecoder().decode((await reader.read()).value).trim();
  await using caller = createCaller(openApi(variant(url)), { retry: { retries: 0 } });
  await assert.rejects(
    caller.call(request(0), { tokens: 9 }),
    (e) => e instanceof BackendError && e.kind === "server",
  );
  child.kill("SIGKILL");
  await child.status;
  await reader.cancel();
});

Deno.test("startFaultServer() counts whole prompts with o200k_base and reports the window of one it cut", async () => {
  await using server = await startFaultServer({
    plan: inTurn("none", "cut_prompt", "very_long"),
    window: 12,
  });
  const backend = openApi(variant(server.url));
  const { countMessages } = await backend.tokenizer();
  const sent = countMessages(request(1).messages);
  assert.equal(server.requests.length, 0, "opening a backend and counting send nothing");
  assert.equal((await backend.generate(request(1))).usage.promptTokens, sent);
  assert.equal((await backend.generate(request(1))).usage.promptTokens, 12);
  assert.equal((await backend.generate(request(1))).usage.completionTokens, 30);
  assert.deepEqual(server.requests.map((seen) => seen.promptTokens), [sent, sent, sent]);
});
