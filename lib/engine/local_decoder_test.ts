import assert from "node:assert/strict";
import { loadDecoder, loadLocalDecoder } from "./mod.ts";
import { TINY_END } from "./testing/tiny_checkpoint.ts";
import { prompt, withCheckpoint, withModel, worst } from "./testing/with_checkpoint.ts";
import type { Decoder } from "./types.ts";

for (const biases of [false, true]) {
  Deno.test(`generate() agrees with forward() over what it generated ${biases ? "with" : "without"} biases`, async () => {
    await withModel({ biases, kvHeads: 1 }, async (model) => {
      const ids = prompt(40);
      using prefix = await model.prefill(ids);
      const samples = await prefix.generate({
        n: 3,
        maxNewTokens: 20,
        temperature: 1,
        seeds: [1, 2, 3],
        ignoreEos: true,
        logprobs: true,
      });
      for (const { tokens, logprobs = [] } of samples) {
        assert.equal(tokens.length, 20);
        const { logits } = await model.forward([...ids, ...tokens]);
        for (const [i, token] of tokens.entries()) {
          const v = model.config.vocabSize;
          const row = logits.subarray((ids.length - 1 + i) * v, (ids.length + i) * v);
          const sum = Math.log(row.reduce((total, x) => total + Math.exp(x), 0));
          assert.ok(Math.abs((row[token] as number) - sum - (logprobs[i] as number)) < 1e-4);
        }
      }
    });
  });
}

Deno.test("prefill() and extend() give the same logits however the prompt is cut", async () => {
  await withModel({ window: 2600 }, async (model) => {
    const ids = prompt(2500);
    using whole = await model.prefill(ids);
    using start = await model.prefill(ids.slice(0, 1));
    using middle = await start.extend(ids.slice(1, 1300));
    using end = await middle.extend(ids.slice(1300));
    assert.equal(end.length, 2500);
    assert.ok(worst(end.logits, whole.logits) < 1e-4);
    // A second way on from the middle must not disturb the first.
    using other = await middle.extend(prompt(50, 3));
    using again = await model.prefill([...ids.slice(0, 1300), ...prompt(50, 3)]);
    assert.ok(worst(other.logits, again.logits) < 1e-4);
    const continued = async (prefix: typeof end) =>
      (await prefix.generate({ maxNewTokens: 8, ignoreEos: true }))[0];
    assert.deepEqual(await continued(end), await continued(whole));
  });
});

Deno.test("prefill() with reuse computes only what is new, and gives the same", async () => {
  await withModel({}, async (model) => {
    const [a, b] = [prompt(100), [...prompt(60), ...prompt(30, 5)]];
    using first = await model.prefill(a, { reuse: true });
    using same = await model.prefill(a, { reuse: true });
    using branch = await model.prefill(b, { reuse: true });
    using shorter = await model.prefill(a.slice(0, 50), { reuse: true });
    using longer = await model.prefill([...a, 1, 2], { reuse: true });
    assert.deepEqual([first, same, branch, shorter, longer].map((p) => p.cachedTokens), [
      0,
      100,
      60,
      49,
      100,
    ]);
    for (const [cached, ids] of [[branch, b], [shorter, a.slice(0, 50)], [longer, [...a, 1, 2]]] as const) {
      using fresh = await model.prefill(ids);
      assert.equal(fresh.cachedTokens, 0);
      assert.ok(worst(cached.logits, fresh.logits) < 1e-4);
    }
    // An edit of a prefix stays its own: the cache still gives the prompt as it was.
    first.editKV({ layer: 0, slot: 3, value: new Float32Array(16).fill(5) });
    using edited = await first.extend([9]);
    using clean = await model.prefill([...a, 9], { reuse: true });
    using fresh = await model.prefill([...a, 9]);
    assert.ok(worst(clean.logits, fresh.logits) < 1e-4);
    assert.ok(worst(edited.logits, fresh.logits) > 1e-2);
  });
});

Deno.test("generate() gives each seed its sample, whatever else is in the batch", async () => {
  await withModel({}, async (model) => {
    using prefix = await model.prefill(prompt(30));
    const options = { maxNewTokens: 25, temperature: 1.2, topP: 0.95, topK: 40 } as const;
    const seeds = [11, "b", 13, 11];
    const together = await prefix.generate({ ...options, n: 4, seeds });
    assert.deepEqual(together[0], together[3]);
    assert.notDeepEqual(together[0]?.tokens, together[1]?.tokens);
    for (const [i, seed] of seeds.entries()) {
      const [alone] = await prefix.generate({ ...options, seeds: [seed] });
      assert.deepEqual(alone, together[i]);
    }
  });
});

Deno.test("generate() streams exactly its text and ends where a stop string begins", async () => {
  await withModel({}, async (model) => {
    using prefix = await model.prefill(prompt(30));
    const options = { maxNewTokens: 40, temperature: 1, seeds: [5], ignoreEos: true } as const;
    const [free] = await prefix.generate(options);
    assert.ok(free);
    assert.equal(free.finishReason, "length");
    // Two characters that differ come from two tokens.
    const at = Array.from(free.text, (_, i) =>
      i).find((i) => i > 2 && free.text[i] !== free.text[i + 1] && i < 30) ?? 0;
    const stop = free.text.slice(at, at + 2);
    assert.ok(at > 0 && !stop.includes("\ufffd"), JSON.stringify(free.text));
    let streamed = "";
    const onToken = (event: { text: string }) => {
      streamed += event.text;
    };
    const [stopped] = await prefix.generate({ ...options, stop: ["never this", stop], onToken });
    assert.equal(stopped?.finishReason, "stop");
    assert.equal(stopped?.text, free.text.slice(0, free.text.indexOf(stop)));
    assert.equal(streamed, stopped?.text);
    assert.deepEqual(stopped?.tokens, free.tokens.slice(0, stopped?.tokens.length));
  });
});

Deno.test("generate() ends at an end token, keeps it among the tokens and out of the text", async () => {
  await withModel({}, async (model) => {
    using plain = await model.prefill(prompt(10));
    // Steering the last block along the end token's embedding makes it the likeliest.
    const vector = await endDirection(model);
    using _handle = model.steer({
      component: "residual",
      layer: 1,
      vector,
      coef: 60,
      mode: "add",
      phase: "all",
    });
    using prefix = await model.prefill(prompt(10));
    const [ended] = await prefix.generate({ maxNewTokens: 5 });
    assert.deepEqual(ended, { tokens: [TINY_END], text: "", finishReason: "stop" });
    const [ignored] = await prefix.generate({ maxNewTokens: 5, ignoreEos: true, skipSpecialTokens: false });
    assert.deepEqual(ignored?.tokens, new Array(5).fill(TINY_END));
    assert.equal(ignored?.text, "<|end|>".repeat(5));
    assert.ok((await plain.generate({ maxNewTokens: 1 })).length === 1);
  });
});

/** The direction in which the end token's logit grows fastest, found by trying each dimension. */
async function endDirection(model: Decoder): Promise<Float32Array> {
  const direction = new Float32Array(model.hiddenSize);
  const base = (await model.forward(prompt(10))).logits;
  const read = (logits: Float32Array) => logits[9 * model.config.vocabSize + TINY_END] as number;
  for (let i = 0; i < direction.length; i++) {
    const vector = new Float32Array(direction.length).with(i, 1);
    const steer = [{
      component: "residual",
      layer: 1,
      vector,
      coef: 0.1,
      mode: "add",
      phase: "all",
    }] as const;
    direction[i] = (read((await model.forward(prompt(10), { steer })).logits) - read(base)) / 0.1;
  }
  const length = Math.hypot(...direction);
  return direction.map((x) => x / length);
}

Deno.test("generate() stops at the context window, and refuses a prefix that fills it", async () => {
  await withModel({ window: 64 }, async (model) => {
    using near = await model.prefill(prompt(60));
    const [sample] = await near.generate({ maxNewTokens: 100, ignoreEos: true });
    assert.equal(sample?.tokens.length, 4);
    assert.equal(sample?.finishReason, "length");
    using full = await model.prefill(prompt(64));
    await assert.rejects(full.generate({ maxNewTokens: 1 }), /InputError: .*64 tokens.*window of 64/);
    await assert.rejects(model.prefill(prompt(65)), /InputError: 65 tokens .*window of 64/);
    await assert.rejects(near.extend(prompt(5)), /InputError: 65 tokens .*window of 64/);
  });
});

Deno.test("generate() ends as aborted between steps, with what it has", async () => {
  await withModel({}, async (model) => {
    using prefix = await model.prefill(prompt(30));
    const abort = new AbortController();
    const [sample] = await prefix.generate({
      maxNewTokens: 100,
      ignoreEos: true,
      signal: abort.signal,
      onToken: () => abort.abort(),
    });
    assert.equal(sample?.finishReason, "aborted");
    assert.equal(sample?.tokens.length, 1);
    await assert.rejects(
      model.prefill(prompt(30), { signal: AbortSignal.abort(new Error("enough")) }),
      /enough/,
    );
  });
});

Deno.test("readKV() gives what forward() captures, edits included, in a worker too", async () => {
  await withCheckpoint({}, async (dir) => {
    const ids = prompt(20);
    for (const load of [loadLocalDecoder, loadDecoder]) {
      await using model = await load(dir);
      const { captured } = await model.forward(ids, { capture: ["k.1", "v.1"] });
      const width = model.config.numKvHeads * model.config.headDim;
      const at = (site: string, slot: number) => captured[site]?.slice(slot * width, (slot + 1) * width);
      using prefix = await model.prefill(ids);
      for (const [slot, index] of [[-1, 19], [-20, 0], [7, 7]] as const) {
        const [row] = await prefix.readKV({ layers: [1], slot });
        assert.deepEqual(row, { layer: 1, key: at("k.1", index), value: at("v.1", index) });
      }
      prefix.editKV({ layer: 1, slot: 7, key: new Float32Array(width).fill(1) });
      const [edited] = await prefix.readKV({ layers: [1], slot: 7 });
      assert.deepEqual(edited?.key, at("k.1", 7)?.map((x) => x + 1));
      await assert.rejects(async () => await prefix.readKV({ layers: [9], slot: 0 }), { name: "InputError" });
      await assert.rejects(async () => await prefix.readKV({ layers: [0], slot: 20 }), {
        name: "InputError",
      });
    }
  });
});
