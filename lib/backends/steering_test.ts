import assert from "node:assert/strict";
import { withCheckpoint } from "../engine/testing/with_checkpoint.ts";
import { promptSha256 } from "../runs/runner.ts";
import type { Backend, GenerateRequest } from "./backend.ts";
import { cacheKey } from "./cache_key.ts";
import { openBackend } from "./open_backend.ts";
import { openSteerable } from "./steerable.ts";
import { Direction, type KvSteer, type ResidualSteer, type Steering } from "./steering.ts";
import { parseVariants, pickVariant, type Variant } from "./variants.ts";

const HIDDEN = 32, WIDTH = 16;
const wave = (length: number, by: number) => Array.from({ length }, (_, i) => Math.sin(by * (i + 1)));

function variantOf(spec: object): Variant {
  const text = JSON.stringify({ variants: { tiny: { description: "d", contextWindow: 200, ...spec } } });
  return pickVariant(parseVariants(text, "m.json"), "tiny");
}

async function withTiny(use: (backend: Backend) => Promise<void>): Promise<void> {
  await withCheckpoint({}, async (dir) => {
    await using backend = await openBackend(variantOf({ backend: "local", model: dir }));
    await use(backend);
  });
}

const request = (steering?: Steering): GenerateRequest => ({
  messages: [{ role: "user", content: "Say something long." }],
  maxTokens: 12,
  logprobs: true,
  ...(steering === undefined ? {} : { steering }),
});

const residual = (coef: number, fields: Partial<ResidualSteer> = {}): Steering => ({
  residual: [{
    component: "residual",
    layer: 0,
    vector: new Direction(wave(HIDDEN, 0.9)),
    coef,
    mode: "add",
    phase: "all",
    ...fields,
  }],
});
const kv = (scale: number, fields: Partial<KvSteer> = {}): Steering => ({
  kv: [0, 1].map((layer) => ({
    layer,
    key: new Direction(wave(WIDTH, 0.7)),
    value: new Direction(wave(WIDTH, 1.1)),
    scaleK: scale,
    scaleV: scale,
    unrotated: true,
    ...fields,
  })),
});

Deno.test("generate() of a local backend is moved by steering, and to the bit not by steering with zero", async () => {
  await withTiny(async (backend) => {
    const answer = async (steering?: Steering) => (await backend.generate(request(steering))).logprobs;
    const [plain, parted] = [await answer(), await answer({ kv: [] })];
    assert.deepEqual(await answer(residual(0)), plain);
    assert.notDeepEqual(await answer(residual(3)), plain);
    assert.deepEqual(await answer(kv(0)), parted);
    assert.notDeepEqual(await answer(kv(4)), parted);
    assert.deepEqual(parted?.map(({ token }) => token), plain?.map(({ token }) => token));
    assert.deepEqual(await answer(), plain, "what was steered leaves nothing behind");
    const both = await answer({ ...residual(3, { phase: "last_prompt" }), ...kv(4) });
    assert.notDeepEqual(both, await answer(kv(4)));
    assert.notDeepEqual(both, await answer(residual(3, { phase: "last_prompt" })));
  });
});

Deno.test("generate() with cache steering is prefill, editKV and extend of the engine", async () => {
  await withTiny(async (backend) => {
    const { decoder, promptIds } = backend.steerable ?? assert.fail("a local backend is steerable");
    const { messages, maxTokens } = request();
    const ids = promptIds(messages);
    for (const unrotated of [false, true]) {
      using start = await decoder.prefill(ids.slice(0, -1));
      const key = Float32Array.from(wave(WIDTH, 0.7));
      if (unrotated) rotatedBy(key, ids.length - 2, decoder.config.headDim);
      for (const layer of [0, 1]) {
        const value = Float32Array.from(wave(WIDTH, 1.1));
        start.editKV({ layer, slot: -1, key, value, scaleK: 4, scaleV: 4 });
      }
      using prefix = await start.extend(ids.slice(-1));
      const [sample] = await prefix.generate({ maxNewTokens: maxTokens, logprobs: true });
      const answer = await backend.generate(request(kv(4, { unrotated })));
      assert.equal(answer.text, sample?.text);
      for (const [i, { logprob }] of (answer.logprobs ?? []).entries()) {
        assert.ok(Math.abs(logprob - (sample?.logprobs?.[i] as number)) < 1e-4, `token ${i}`);
      }
    }
  });
});

/** Rotary positions written out: theta 10,000, pairs (i, i + headDim / 2). */
function rotatedBy(key: Float32Array, position: number, headDim: number): void {
  const half = headDim / 2;
  for (let at = 0; at < key.length; at += headDim) {
    for (let i = 0; i < half; i++) {
      const angle = position * 10_000 ** (-i / half);
      const [a, b] = [key[at + i] as number, key[at + i + half] as number];
      key[at + i] = a * Math.cos(angle) - b * Math.sin(angle);
      key[at + i + half] = b * Math.cos(angle) + a * Math.sin(angle);
    }
  }
}

Deno.test("generate() says what is wrong with a steering", async () => {
  await withTiny(async (backend) => {
    for (
      const wrong of [residual(1, { layer: 9 }), kv(1, { layer: 9 }), kv(1, { key: new Direction([1]) })]
    ) {
      await assert.rejects(backend.generate(request(wrong)), { name: "BackendError", kind: "bad_request" });
    }
  });
});

Deno.test("generate() and openSteerable() refuse models that do not run in this process", async () => {
  const elsewhere = [
    variantOf({ backend: "simulated", mode: "decay" }),
    variantOf({ backend: "api", model: "m", baseUrl: "http://127.0.0.1:1/v1" }),
  ];
  for (const variant of elsewhere) {
    await using backend = await openBackend(variant);
    assert.equal(backend.steerable, undefined);
    const unsupported = { name: "BackendError", kind: "unsupported", message: /cannot be steered/ };
    await assert.rejects(async () => await backend.generate(request(kv(1))), unsupported);
    await assert.rejects(
      async () => await backend.continueFrom({ ...request(residual(1)), prefix: "a" }),
      unsupported,
    );
    await assert.rejects(openSteerable(variant), { name: "InputError", message: /"backend": "local"/ });
  }
});

Deno.test("cacheKey() and promptSha256() depend on every part of a steering, and on vectors by content", () => {
  const steerings = [
    undefined,
    { kv: [] },
    residual(1),
    residual(2),
    residual(1, { layer: 1 }),
    residual(1, { vector: new Direction(wave(HIDDEN, 0.91)) }),
    residual(1, { phase: "response" }),
    kv(1),
    kv(1, { unrotated: false }),
    kv(1, { value: new Direction(wave(WIDTH, 1.2)) }),
  ];
  for (
    const hash of [(s?: Steering) => cacheKey(null, request(s)), (s?: Steering) => promptSha256(request(s))]
  ) {
    assert.equal(new Set(steerings.map(hash)).size, steerings.length);
    assert.equal(hash(kv(1)), hash(kv(1)), "a copy of the vectors is the same");
  }
});
