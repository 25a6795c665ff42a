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

/** Windows of the layers, `-` where there are no positions, and the bases of the others. */
function layersOf(json: Record<string, unknown>): string {
  const { layers, ropes } = parseConfig({
    ...llama,
    num_key_value_heads: 4,
    head_dim: 16,
    num_hidden_layers: 6,
    ...json,
  }, "c");
  return layers.map(({ window, rope }) => `${window ?? "all"}:${rope === null ? "-" : ropes[rope]?.theta}`)
    .join(" ");
}

Deno.test("parseConfig() gives each layer its window and positions", () => {
  const sliding = { use_sliding_window: true, sliding_window: 8, rope_theta: 10 };
  const types = ["sliding_attention", ...new Array<string>(4).fill("full_attention"), "sliding_attention"];
  const cases: [string, Record<string, unknown>, string][] = [
    ["Llama", {}, "all:10000 ".repeat(6)],
    ["Qwen2", { ...sliding, max_window_layers: 4 }, "all:10 all:10 all:10 all:10 8:10 8:10"],
    ["Qwen2", { ...sliding, use_sliding_window: false }, "all:10 ".repeat(6)],
    ["Qwen2", { ...sliding }, "all:10 ".repeat(6)],
    ["Qwen3", { ...sliding, layer_types: types }, "8:10 all:10 all:10 all:10 all:10 8:10"],
    ["Mistral", {}, "4096:10000 ".repeat(6)],
    ["Mistral", { sliding_window: null }, "all:10000 ".repeat(6)],
    ["Phi3", {}, "all:10000 ".repeat(6)],
    ["Phi3", { sliding_window: 9 }, "9:10000 ".repeat(6)],
    ["SmolLM3", {}, "all:2000000 all:2000000 all:2000000 all:- all:2000000 all:2000000"],
    ["SmolLM3", { ...sliding, no_rope_layer_interval: 2 }, "all:10 8:- all:10 8:- all:10 8:-"],
    [
      "SmolLM3",
      { no_rope_layers: [1, 0, 1, 1, 1, 0, 1] },
      "all:2000000 all:- all:2000000 all:2000000 all:2000000 all:-",
    ],
    ["Gemma3", {}, "4096:10000 4096:10000 4096:10000 4096:10000 4096:10000 all:1000000"],
    [
      "Gemma3",
      { sliding_window_pattern: 2, rope_local_base_freq: 5 },
      "4096:5 all:1000000 4096:5 all:1000000 4096:5 all:1000000",
    ],
    ["Gemma3", {
      layer_types: types,
      rope_parameters: { full_attention: { rope_theta: 7 }, sliding_attention: { rope_theta: 6 } },
    }, "4096:6 all:7 all:7 all:7 all:7 4096:6"],
  ];
  for (const [name, change, expected] of cases) {
    const json = { architectures: [`${name}ForCausalLM`], ...change };
    assert.equal(layersOf(json), expected.trim(), JSON.stringify(json));
  }
});

Deno.test("parseConfig() fills in what the architecture has where config.json is silent", () => {
  const { num_attention_heads: _, ...text } = llama;
  const gemma = parseConfig({ architectures: ["Gemma3ForConditionalGeneration"], text_config: text }, "c");
  assert.deepEqual(
    [gemma.numHeads, gemma.numKvHeads, gemma.headDim, gemma.attentionScale, gemma.activation, gemma.tied],
    [8, 4, 256, 1 / 16, "gelu_pytorch_tanh", true],
  );
  assert.equal(parseConfig({ ...llama, architectures: ["Qwen3ForCausalLM"] }, "c").headDim, 128);
});

Deno.test("parseConfig() refuses what the engine would run wrongly", () => {
  const wrong: Record<string, unknown>[] = [
    { hidden_act: "gelu" },
    { rope_scaling: { rope_type: "proportional", factor: 4 } },
    { rope_scaling: { rope_type: "longrope", short_factor: [1], long_factor: [1] } },
    { rope_scaling: { rope_type: "llama3", factor: 8 } },
    { rope_scaling: { rope_type: "linear" } },
    { rope_parameters: { full_attention: { rope_theta: 1e4 } } },
    { num_key_value_heads: 3 },
    { head_dim: 12 },
    { use_sliding_window: true },
    { sliding_window: 64 },
    { layer_types: ["full_attention", "sliding_attention"] },
    { no_rope_layers: [1, 0] },
    { quantization_config: { bits: 4 } },
    { partial_rotary_factor: 0.5 },
    { hidden_size: "64" },
    { vocab_size: -1 },
    { architectures: ["constructor"] },
    { architectures: [] },
    { architectures: ["Qwen3ForCausalLM"], layer_types: ["full_attention"] },
    { architectures: ["Qwen3ForCausalLM"], layer_types: ["full_attention", "chunked_attention"] },
    { architectures: ["Qwen3ForCausalLM"], layer_types: ["full_attention", "sliding_attention"] },
    { architectures: ["MistralForCausalLM"], layer_types: ["full_attention", "sliding_attention"] },
    { architectures: ["Phi3ForCausalLM"], rope_scaling: { type: "linear", factor: 2 } },
    { architectures: ["Phi3ForCausalLM"], rope_scaling: { type: "su", short_factor: [1], long_factor: [1] } },
    { architectures: ["SmolLM3ForCausalLM"], no_rope_layers: [1] },
    { architectures: ["Gemma3ForCausalLM"], attn_logit_softcapping: 50 },
    { architectures: ["Gemma3ForCausalLM"], hidden_activation: "relu" },
    { architectures: ["Gemma3ForCausalLM"], use_bidirectional_attention: true },
    { architectures: ["Gemma3ForCausalLM"], rope_parameters: { rope_theta: 1e6 } },
    { architectures: ["Gemma3ForConditionalGeneration"] },
  ];
  for (const change of wrong) {
    assert.throws(
      () => parseConfig({ ...llama, ...change }, "c"),
      { name: "InputError" },
      JSON.stringify(change),
    );
  }
  assert.throws(() => parseConfig(null, "c"), { name: "InputError" });
  const naming: [Record<string, unknown>, RegExp][] = [
    [{ hidden_act: "relu" }, /activation "relu".*silu and gelu_pytorch_tanh/],
    [{ rope_scaling: { type: "ntk" } }, /rope scaling "ntk".*default, linear, llama3, yarn, dynamic/],
  ];
  for (const [change, message] of naming) {
    assert.throws(() => parseConfig({ ...llama, ...change }, "c"), { name: "InputError", message });
  }
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
