import assert from "node:assert/strict";
import { join } from "node:path";
import { loadLocalDecoder } from "./mod.ts";
import { TINY_BEGIN, TINY_END, type TinyCheckpoint } from "./testing/tiny_checkpoint.ts";
import { prompt, withCheckpoint, withModel, worst } from "./testing/with_checkpoint.ts";
import type { LoadOptions } from "./types.ts";

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
  for (const options of [{ dtype: "q2" }, { device: "abacus" }, { lora: "" }, { threads: 0 }]) {
    await assert.rejects(loadLocalDecoder("nowhere", options as LoadOptions), { name: "InputError" });
  }
  await assert.rejects(loadLocalDecoder("nowhere", { dtype: "q2" as "q4" }), /fp32/);
  await assert.rejects(loadLocalDecoder("no/such/folder"), /There is no .*config\.json/);
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
