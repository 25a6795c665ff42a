import assert from "node:assert/strict";
import { parseConfig, type Rope, supportedArchitectures } from "./config.ts";
import { inverseFrequencies } from "./rope_table.ts";

const llama = {
  architectures: ["LlamaForCausalLM"],
  vocab_size: 10,
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  max_position_embeddings: 128,
  rms_norm_eps: 1e-5,
};

Deno.test("parseConfig() fills in what Llama configs leave out", () => {
  const config = parseConfig(llama, "config.json");
  assert.equal(config.numKvHeads, 4);
  assert.equal(config.headDim, 16);
  assert.equal(config.tied, false);
  assert.deepEqual(config.ropes, [{ theta: 10000, scaling: { type: "default" }, amplitude: 1 }]);
  assert.deepEqual(config.layers, [{ window: null, rope: 0 }, { window: null, rope: 0 }]);
});

Deno.test("parseConfig() reads rope settings in the older and the newer form", () => {
  const older = parseConfig({ ...llama, rope_theta: 5e5, rope_scaling: { type: "linear", factor: 4 } }, "c");
  const newer = parseConfig(
    { ...llama, rope_parameters: { rope_theta: 5e5, rope_type: "linear", factor: 4 } },
    "c",
  );
  assert.deepEqual(older, newer);
  assert.deepEqual(older.ropes, [{ theta: 5e5, scaling: { type: "linear", factor: 4 }, amplitude: 1 }]);
});

Deno.test("parseConfig() names an unknown architecture and those that are supported", () => {
  const wrong = { ...llama, architectures: ["MambaForCausalLM"] };
  assert.throws(() => parseConfig(wrong, "c"), (error: Error) => {
    assert.equal(error.name, "InputError");
    for (const name of ["MambaForCausalLM", ...supportedArchitectures]) {
      assert.ok(error.message.includes(name));
    }
    return true;
  });
});

Deno.test("parseConfig() refuses what the engine would run wrongly", () => {
  const wrong = [
    { hidden_act: "gelu" },
    { rope_scaling: { rope_type: "proportional", factor: 4 } },
    { rope_scaling: { rope_type: "longrope", short_factor: [1], long_factor: [1] } },
    { rope_scaling: { rope_type: "llama3", factor: 8 } },
    { num_key_value_heads: 3 },
    { use_sliding_window: true },
    { quantization_config: { bits: 4 } },
    { partial_rotary_factor: 0.5 },
    { hidden_size: "64" },
    { vocab_size: -1 },
    { architectures: ["constructor"] },
    { architectures: [] },
  ];
  for (const change of wrong) {
    assert.throws(
      () => parseConfig({ ...llama, ...change }, "c"),
      { name: "InputError" },
      JSON.stringify(change),
    );
  }
  assert.throws(() => parseConfig(null, "c"), { name: "InputError" });
});

Deno.test("inverseFrequencies() follows the llama3 scaling", () => {
  const scaling = {
    rope_type: "llama3",
    factor: 8,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8192,
  };
  const frequencies = (change: object) => {
    const { ropes: [rope], rotaryDim } = parseConfig(
      { ...llama, head_dim: 64, rope_theta: 5e5, ...change },
      "c",
    );
    return inverseFrequencies(rope as Rope, rotaryDim, 1);
  };
  const plain = frequencies({});
  const scaled = frequencies({ rope_scaling: scaling });
  const ratios = Array.from(scaled, (x, i) => x / (plain[i] as number));
  for (const [i, ratio] of ratios.entries()) {
    const wavelength = 2 * Math.PI / (plain[i] as number);
    if (wavelength < 8192 / 4) assert.equal(ratio, 1);
    else if (wavelength > 8192) assert.ok(Math.abs(ratio - 1 / 8) < 1e-6);
    else assert.ok(ratio > 1 / 8 && ratio < 1, `${wavelength}: ${ratio}`);
  }
  assert.ok(ratios.some((ratio) => ratio > 0.13 && ratio < 0.99), "some frequencies lie in the transition");
});
