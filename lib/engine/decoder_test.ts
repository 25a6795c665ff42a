import assert from "node:assert/strict";
import { join } from "node:path";
import { loadLocalDecoder } from "./mod.ts";
import { TINY_BEGIN, TINY_END, type TinyCheckpoint, writeTinyCheckpoint } from "./testing/tiny_checkpoint.ts";
import type { Decoder, LoadOptions, Steer } from "./types.ts";

async function withCheckpoint(options: TinyCheckpoint, use: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await writeTinyCheckpoint(dir, options);
    await use(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function withModel(options: TinyCheckpoint, use: (model: Decoder) => Promise<void>): Promise<void> {
  await withCheckpoint(options, async (dir) => {
    await using model = await loadLocalDecoder(dir);
    await use(model);
  });
}

const prompt = (length: number, seed = 7) => Array.from({ length }, (_, i) => (i * i * seed + 31 * i) % 256);

function worst(a: Float32Array, b: Float32Array): number {
  assert.equal(a.length, b.length);
  return a.reduce((most, x, i) => Math.max(most, Math.abs(x - (b[i] as number))), 0);
}

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

Deno.test("steer() adds, ablates and clamps, and leaves no trace when it is over", async () => {
  await withModel({}, async (model) => {
    const ids = prompt(12);
    const capture = ["residual.0", "resid_mid.0", "mlp_out.0", "residual.1"];
    const before = await model.forward(ids, { capture });
    const vector = Float32Array.from({ length: 32 }, (_, i) => Math.sin(i + 1));
    const unit = vector.map((x) => x / Math.hypot(...vector));
    const along = (residual: Float32Array, t: number) =>
      unit.reduce((sum, x, i) => sum + x * (residual[t * 32 + i] as number), 0);
    const steered = async (changes: Partial<Steer>) => {
      const steer: Steer = {
        component: "residual",
        layer: 0,
        vector,
        coef: 1,
        mode: "add",
        phase: "all",
        ...changes,
      };
      using _handle = model.steer(steer);
      return await model.forward(ids, { capture });
    };
    const residual = before.captured["residual.0"] as Float32Array;
    const sum = (before.captured["resid_mid.0"] as Float32Array)
      .map((x, i) => x + ((before.captured["mlp_out.0"] as Float32Array)[i] as number));
    assert.deepEqual(residual, sum, "residual = resid_mid + mlp_out");
    assert.deepEqual(
      (await steered({ coef: 0 })).logits,
      before.logits,
      "a zero coefficient changes nothing",
    );
    assert.deepEqual(
      (await steered({ phase: "response" })).logits,
      before.logits,
      "no token is generated here",
    );
    const added = (await steered({ coef: 2 })).captured["residual.0"] as Float32Array;
    assert.ok(worst(added, residual.map((x, i) => x + 2 * (vector[i % 32] as number))) < 1e-5);
    const ablated = (await steered({ mode: "ablate" })).captured["residual.0"] as Float32Array;
    const clamped = (await steered({ mode: "clamp", coef: 3 })).captured["residual.0"] as Float32Array;
    for (let t = 0; t < ids.length; t++) {
      assert.ok(Math.abs(along(ablated, t)) < 1e-5);
      assert.ok(Math.abs(along(clamped, t) - 3) < 1e-5);
    }
    const last = (await steered({ phase: "last_prompt", coef: 2 })).captured["residual.0"] as Float32Array;
    assert.deepEqual(last.subarray(0, 11 * 32), residual.subarray(0, 11 * 32));
    assert.deepEqual(last.subarray(11 * 32), added.subarray(11 * 32));
    assert.deepEqual((await model.forward(ids, { capture })).logits, before.logits, "the handles are off");
  });
});

Deno.test("loadLocalDecoder() reads shards and rounded weights to the same model", async () => {
  const logits = async (options: TinyCheckpoint) => {
    let out = new Float32Array();
    await withModel(options, async (model) => {
      out = Float32Array.from((await model.forward(prompt(20))).logits);
    });
    return out;
  };
  const whole = await logits({});
  assert.deepEqual(await logits({ shards: 3 }), whole);
  assert.ok(worst(await logits({ dtype: "F16" }), whole) < 0.05);
  const bf16 = worst(await logits({ dtype: "BF16" }), whole);
  assert.ok(bf16 > 0 && bf16 < 0.5, String(bf16));
});

Deno.test("renderChat() and encode() add no special tokens of their own", async () => {
  await withModel({}, (model) => {
    const text = model.renderChat([{ role: "user", content: "Hé" }], { prefill: "Yes" });
    assert.equal(text, "<|begin|>user: Hé<|end|><|begin|>assistant: Yes");
    const ids = model.encode(text);
    assert.equal(ids[0], TINY_BEGIN);
    assert.equal(ids.filter((id) => id === TINY_BEGIN).length, 2);
    assert.equal(model.decode(ids), text);
    assert.equal(model.decode(ids, { skipSpecialTokens: true }), "user: Héassistant: Yes");
    assert.throws(() => model.renderChat([{ role: "tool", content: "" }]), /InputError: .*no tools/);
    assert.deepEqual(model.tokenizer.eosIds, [TINY_END]);
    return Promise.resolve();
  });
});

Deno.test("loadLocalDecoder() says what is wrong with a checkpoint", async () => {
  const cases: [string, TinyCheckpoint, (dir: string) => Promise<void>, RegExp][] = [
    ["no config", {}, (dir) => Deno.remove(join(dir, "config.json")), /no .*config\.json/],
    ["no weights", {}, (dir) => Deno.remove(join(dir, "model.safetensors")), /neither model\.safetensors/],
    ["cut weights", {}, (dir) => Deno.truncate(join(dir, "model.safetensors"), 9000), /cut short/],
    ["no tokenizer", {}, (dir) => Deno.remove(join(dir, "tokenizer.json")), /tokenizer\.json/],
    ["bad tokenizer", {}, (dir) => Deno.writeTextFile(join(dir, "tokenizer.json"), "{}"), /tokenizer/],
    [
      "a missing tensor",
      { config: { num_hidden_layers: 3 } },
      async () => {},
      /lacks the tensor model\.layers\.2/,
    ],
    [
      "a tensor too many",
      { config: { num_hidden_layers: 1 } },
      async () => {},
      /has no place for \(model\.layers\.1/,
    ],
    ["another shape", { config: { intermediate_size: 63 } }, async () => {}, /shape \[64,32\].* \[63,32\]/],
    [
      "an untied head",
      { config: { tie_word_embeddings: false } },
      async () => {},
      /lacks the tensor lm_head\.weight/,
    ],
    [
      "an unknown architecture",
      { config: { architectures: ["Rwkv"] } },
      async () => {},
      /Rwkv.*LlamaForCausalLM/,
    ],
    [
      "a missing shard",
      { shards: 2 },
      (dir) => Deno.remove(join(dir, "model-2-of-2.safetensors")),
      /model-2-of-2/,
    ],
    ["a shard elsewhere", { shards: 2 }, async (dir) => {
      const index = { weight_map: { "model.norm.weight": "../../etc/model.safetensors" } };
      await Deno.writeTextFile(join(dir, "model.safetensors.index.json"), JSON.stringify(index));
    }, /same folder/],
  ];
  for (const [what, options, damage, message] of cases) {
    await withCheckpoint(options, async (dir) => {
      await damage(dir);
      await assert.rejects(loadLocalDecoder(dir), (error: Error) => {
        assert.equal(error.name, "InputError", `${what}: ${error.stack}`);
        assert.match(error.message, message, what);
        return true;
      });
    });
  }
});

Deno.test("loadLocalDecoder() names what this version runs when asked for more", async () => {
  for (const options of [{ dtype: "q8" }, { device: "webgpu" }, { lora: "x" }, { threads: 0 }]) {
    await assert.rejects(loadLocalDecoder("nowhere", options as LoadOptions), { name: "InputError" });
  }
  await assert.rejects(loadLocalDecoder("nowhere", { dtype: "q8" }), /fp32/);
  await assert.rejects(loadLocalDecoder("org/model"), /There is no .*config\.json/);
});

Deno.test("calls with wrong arguments are refused with what was expected", async () => {
  await withModel({}, async (model) => {
    await assert.rejects(model.prefill([]), { name: "InputError" });
    await assert.rejects(model.prefill([260]), /InputError: Token id 260 .* 0 to 259/);
    await assert.rejects(model.forward([1], { capture: ["residual.2"] }), /InputError: Layer 2 .* 0 to 1/);
    await assert.rejects(model.forward([1], { capture: ["magic.0"] }), /InputError: Unknown site/);
    const prefix = await model.prefill([1, 2]);
    for (
      const wrong of [
        { maxNewTokens: 0 },
        { maxNewTokens: 1, n: 0 },
        { maxNewTokens: 1, temperature: -1 },
        { maxNewTokens: 1, topP: 0 },
        { maxNewTokens: 1, n: 2, seeds: [1] },
      ]
    ) await assert.rejects(prefix.generate(wrong), { name: "InputError" }, JSON.stringify(wrong));
    const key = new Float32Array(16);
    assert.throws(() => prefix.editKV({ layer: 0, slot: 2, key }), /InputError: Slot 2/);
    assert.throws(
      () => prefix.editKV({ layer: 0, slot: 0, key: new Float32Array(3) }),
      /InputError: .*3 numbers/,
    );
    const vector = new Float32Array(32);
    const steer = { component: "residual", layer: 0, vector, coef: 1, mode: "ablate", phase: "all" } as const;
    assert.throws(() => model.steer(steer), /InputError: A zero vector/);
    assert.throws(() => model.steer({ ...steer, vector: new Float32Array(31) }), /InputError: .*31 numbers/);
    prefix[Symbol.dispose]();
    await assert.rejects(prefix.generate({ maxNewTokens: 1 }), /InputError: The prefix was disposed of/);
  });
});
