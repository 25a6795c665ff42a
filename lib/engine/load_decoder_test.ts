import assert from "node:assert/strict";
import { join } from "node:path";
import { loadDecoder, loadLocalDecoder } from "./mod.ts";
import { prompt, withCheckpoint } from "./testing/with_checkpoint.ts";

Deno.test("loadDecoder() gives in its worker what loadLocalDecoder() gives in this thread", async () => {
  await withCheckpoint({}, async (dir) => {
    await using local = await loadLocalDecoder(dir);
    await using remote = await loadDecoder(dir);
    const results = [];
    for (const model of [local, remote]) {
      const steer = {
        component: "residual",
        layer: 0,
        vector: new Float32Array(32).fill(0.2),
        coef: 1,
        mode: "add",
        phase: "response",
      } as const;
      using _handle = model.steer(steer);
      const out = await model.forward(prompt(20), { capture: ["k.1"] });
      using prefix = await model.prefill(prompt(20), { reuse: true });
      prefix.editKV({ layer: 1, slot: -1, value: new Float32Array(16).fill(1), scaleV: 2 });
      using longer = await prefix.extend([1, 2, 3]);
      const events: unknown[] = [];
      const samples = await longer.generate({
        n: 2,
        maxNewTokens: 10,
        temperature: 1,
        logprobs: true,
        onToken: (event) => events.push(event),
      });
      results.push({ out, logits: longer.logits, samples, events, window: model.contextWindow });
    }
    assert.deepEqual(results[1], results[0]);
    assert.ok((results[0]?.events.length ?? 0) >= 10);
  });
});

Deno.test("loadDecoder() leaves this thread free, and generate() ends soon after its signal", async () => {
  await withCheckpoint({ window: 4096, layers: 4, hidden: 64 }, async (dir) => {
    await using model = await loadDecoder(dir, { threads: 1 });
    using prefix = await model.prefill(prompt(2000));
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 150);
    const [sample] = await prefix.generate({ maxNewTokens: 2000, ignoreEos: true, signal: abort.signal });
    clearInterval(timer);
    assert.equal(sample?.finishReason, "aborted");
    assert.ok((sample?.tokens.length ?? 0) > 1);
    assert.ok(ticks >= 5, `the timer of this thread fired ${ticks} times`);
    // The model still works afterwards.
    assert.equal((await prefix.generate({ maxNewTokens: 3, ignoreEos: true }))[0]?.tokens.length, 3);
    const reason = new Error("enough");
    await assert.rejects(model.prefill(prompt(4000), { signal: AbortSignal.abort(reason) }), reason);
  });
});

Deno.test("loadDecoder() answers calls made at once, in order", async () => {
  await withCheckpoint({}, async (dir) => {
    await using model = await loadDecoder(dir);
    const prefixes = await Promise.all([3, 4, 5, 6].map((length) => model.prefill(prompt(length))));
    assert.deepEqual(prefixes.map((prefix) => prefix.length), [3, 4, 5, 6]);
    const samples = await Promise.all(prefixes.map((prefix) => prefix.generate({ maxNewTokens: 4 })));
    for (const [i, prefix] of prefixes.entries()) {
      assert.deepEqual(await prefix.generate({ maxNewTokens: 4 }), samples[i]);
      prefix[Symbol.dispose]();
      await assert.rejects(prefix.generate({ maxNewTokens: 4 }), /InputError: The prefix was disposed of/);
    }
  });
});

Deno.test("loadDecoder() passes errors on and refuses calls once it is closed", async () => {
  await withCheckpoint({}, async (dir) => {
    const model = await loadDecoder(dir);
    await assert.rejects(model.prefill([999]), /InputError: Token id 999/);
    await model[Symbol.asyncDispose]();
    await assert.rejects(model.prefill([1]), /InputError: The model is closed/);
    await Deno.truncate(join(dir, "model.safetensors"), 9000);
    await assert.rejects(loadDecoder(dir), /InputError: .*model\.safetensors .*cut short/);
    await assert.rejects(loadDecoder(dir, { dtype: "q2" as "q4" }), /InputError: .*q4/);
    await assert.rejects(loadDecoder(join(dir, "nothing")), /InputError: There is no .*config\.json/);
  });
});
