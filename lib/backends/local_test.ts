import assert from "node:assert/strict";
import { resolve } from "node:path";
import type { Decoder, GenerateOptions, Prefix } from "../engine/mod.ts";
import { BackendError, type GenerateRequest } from "./backend.ts";
import { openLocal } from "./local.ts";
import type { LoadDecoder } from "./local_decoding.ts";
import { type LocalVariant, parseVariants, pickVariant } from "./variants.ts";

const folder = decodeURIComponent(new URL(".", import.meta.url).pathname);
function variant(fields: object = {}): LocalVariant {
  const spec = { backend: "local", description: "d", model: folder, contextWindow: 30, ...fields };
  return pickVariant(
    parseVariants(JSON.stringify({ variants: { tiny: spec } }), "m.json"),
    "tiny",
  ) as LocalVariant;
}
const request = (content: string, fields: Partial<GenerateRequest> = {}): GenerateRequest => ({
  messages: [{ role: "user", content }],
  maxTokens: 8,
  ...fields,
});

/** A decoder of one token per character that says its prompt backwards and remembers what it was asked. */
function fakeDecoder() {
  const asked: GenerateOptions[] = [];
  let underWay = 0;
  let most = 0;
  let closed = false;
  const decoder = {
    contextWindow: 100,
    encode: (text: string) => [...text].map((c) => c.charCodeAt(0)),
    decode: (ids: readonly number[]) => String.fromCharCode(...ids),
    renderChat: (messages: readonly { content: string }[], options?: { prefill?: string }) =>
      `<${messages.map((m) => m.content).join("|")}>${options?.prefill ?? ""}`,
    prefill: (ids: readonly number[]) =>
      Promise.resolve({
        length: ids.length,
        cachedTokens: 3,
        generate: async (options: GenerateOptions) => {
          asked.push(options);
          most = Math.max(most, ++underWay);
          await Promise.resolve();
          underWay--;
          const tokens = ids.toReversed().slice(0, options.maxNewTokens);
          const text = String.fromCharCode(...tokens);
          options.onToken?.({ sample: 0, token: 0, text });
          const finishReason = tokens.length === options.maxNewTokens ? "length" : "stop";
          return [{
            tokens,
            text,
            finishReason,
            ...(options.logprobs || options.topLogprobs ? { logprobs: tokens.map(() => -1) } : {}),
            ...(options.topLogprobs
              ? { topLogprobs: tokens.map((token) => [{ token, logprob: -1 }, { token: 98, logprob: -2 }]) }
              : {}),
          }];
        },
        [Symbol.dispose]: () => {},
      } as unknown as Prefix),
    [Symbol.asyncDispose]: () => {
      closed = true;
      return Promise.resolve();
    },
  } as unknown as Decoder;
  const loaded: Parameters<LoadDecoder>[] = [];
  const load: LoadDecoder = (...given) => {
    loaded.push(given);
    return Promise.resolve(decoder);
  };
  return { load, loaded, asked, most: () => most, closed: () => closed };
}

Deno.test("openLocal() answers with the template, the engine's usage and finish reason", async () => {
  const { load, asked } = fakeDecoder();
  await using backend = await openLocal(variant(), { load });
  const answer = await backend.generate(
    request("abc", { seed: 5, temperature: 0.7, topP: 0.9, stop: ["z"] }),
  );
  assert.equal(answer.text, ">cba<");
  assert.equal(answer.finishReason, "stop");
  assert.deepEqual(answer.usage, {
    promptTokens: 5,
    completionTokens: 5,
    cachedTokens: 3,
    reasoningTokens: null,
  });
  const { n, seeds, temperature, topP, stop } = asked[0] as GenerateOptions;
  assert.deepEqual({ n, seeds, temperature, topP, stop }, {
    n: 1,
    seeds: [5],
    temperature: 0.7,
    topP: 0.9,
    stop: ["z"],
  });
  const { countMessages, exact, name } = await backend.tokenizer();
  assert.deepEqual([countMessages(request("abc").messages), exact, name], [5, true, "tiny"]);
});

Deno.test("openLocal() continues exactly where the prefix ends, and streams", async () => {
  const { load } = fakeDecoder();
  await using backend = await openLocal(variant(), { load });
  const parts: string[] = [];
  const answer = await backend.continueFrom({ ...request("abc", { maxTokens: 3 }), prefix: "xy" }, {
    onText: (text) => parts.push(text),
  });
  assert.equal(answer.text, "yx>");
  assert.equal(answer.finishReason, "length");
  assert.deepEqual(parts, ["yx>"]);
});

Deno.test("openLocal() refuses a prompt that does not fit and cuts the output cap to what is left", async () => {
  const { load, asked } = fakeDecoder();
  await using backend = await openLocal(variant(), { load });
  await assert.rejects(
    backend.generate(request("x".repeat(28))),
    (e) => e instanceof BackendError && e.kind === "context_length",
  );
  await backend.generate(request("x".repeat(24)));
  assert.equal(asked[0]?.maxNewTokens, 4);
});

Deno.test("openLocal() lets requests run at the same time, and closes after them", async () => {
  const { load, most, closed } = fakeDecoder();
  {
    await using backend = await openLocal(variant(), { load });
    await Promise.all([1, 2, 3].map((i) => backend.generate(request(`q${i}`))));
  }
  assert.equal(most(), 3);
  assert.equal(closed(), true);
});

Deno.test("openLocal() gives log-probabilities by token", async () => {
  await using backend = await openLocal(variant(), { load: fakeDecoder().load });
  const { logprobs } = await backend.generate(request("a", { logprobs: true }));
  assert.deepEqual(logprobs?.map((t) => t.token), [">", "a", "<"]);
  const asked = await backend.generate(request("a", { topLogprobs: 2 }));
  assert.deepEqual(asked.logprobs?.[0], {
    token: ">",
    logprob: -1,
    top: [{ token: ">", logprob: -1 }, { token: "b", logprob: -2 }],
  });
});

Deno.test("openLocal() names what is missing", async () => {
  const { load } = fakeDecoder();
  await assert.rejects(
    openLocal(variant({ model: "/nowhere/x" }), { load }),
    /no checkpoint folder \/nowhere\/x/,
  );
  await assert.rejects(
    openLocal(variant({ lora: "./nowhere" }), { load }),
    /InputError: There is no adapter folder .*nowhere .*"lora"/,
  );
});

Deno.test("openLocal() leaves hub ids, revisions and adapters to the engine", async () => {
  const { load, loaded } = fakeDecoder();
  const fields = { model: "owner/name", revision: "v1", lora: "owner/adapter", dtype: "q8" };
  await using _hub = await openLocal(variant(fields), { load });
  await using _disk = await openLocal(variant({ lora: "." }), { load });
  assert.deepEqual(loaded, [
    ["owner/name", { dtype: "q8", device: "cpu", revision: "v1", lora: "owner/adapter" }],
    [resolve(folder), { dtype: "fp32", device: "cpu", lora: Deno.cwd() }],
  ]);
});
