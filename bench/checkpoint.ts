/**
 * The checkpoint that is measured: SmolLM2-135M's shape with random weights, as safetensors and as GGUF.
 * @module
 */
import { join } from "node:path";
import { createRandom } from "../lib/base/random.ts";
import { GgufWriter } from "../lib/steering/formats/gguf_writer.ts";

/** Shape of a Llama decoder. */
export interface Shape {
  /** Blocks. */
  readonly layers: number;
  /** Width of the residual stream. */
  readonly hidden: number;
  /** Width inside the MLP. */
  readonly intermediate: number;
  /** Query heads. */
  readonly heads: number;
  /** Key-value heads. */
  readonly kvHeads: number;
  /** Rows of the embedding. */
  readonly vocabulary: number;
}

/** Shapes by name. */
export const SHAPES: Readonly<Record<string, Shape>> = {
  "smollm2-135m": { layers: 30, hidden: 576, intermediate: 1536, heads: 9, kvHeads: 3, vocabulary: 49_152 },
  "qwen-1.5b": { layers: 28, hidden: 1536, intermediate: 8960, heads: 12, kvHeads: 2, vocabulary: 151_936 },
  tiny: { layers: 2, hidden: 64, intermediate: 128, heads: 4, kvHeads: 2, vocabulary: 512 },
};

const WINDOW = 8192;
const THETA = 100_000;

interface Matrix {
  readonly name: string;
  readonly gguf: string;
  readonly shape: readonly number[];
  readonly spread: number;
  readonly center: number;
  /** Heads whose halves GGUF interleaves. */
  readonly heads?: number;
}

function matrices({ layers, hidden: d, intermediate, heads, kvHeads, vocabulary }: Shape): Matrix[] {
  const head = d / heads;
  const linear = (name: string, gguf: string, out: number, input: number, interleaved?: number): Matrix => ({
    name: `${name}.weight`,
    gguf: `${gguf}.weight`,
    shape: [out, input],
    spread: Math.sqrt(3 / input),
    center: 0,
    ...(interleaved === undefined ? {} : { heads: interleaved }),
  });
  const norm = (name: string, gguf: string): Matrix => ({
    name: `${name}.weight`,
    gguf: `${gguf}.weight`,
    shape: [d],
    spread: 0.1,
    center: 1,
  });
  return [
    { ...linear("model.embed_tokens", "token_embd", vocabulary, d), spread: 0.2 },
    ...Array.from({ length: layers }, (_, n) => [
      norm(`model.layers.${n}.input_layernorm`, `blk.${n}.attn_norm`),
      linear(`model.layers.${n}.self_attn.q_proj`, `blk.${n}.attn_q`, d, d, heads),
      linear(`model.layers.${n}.self_attn.k_proj`, `blk.${n}.attn_k`, kvHeads * head, d, kvHeads),
      linear(`model.layers.${n}.self_attn.v_proj`, `blk.${n}.attn_v`, kvHeads * head, d),
      linear(`model.layers.${n}.self_attn.o_proj`, `blk.${n}.attn_output`, d, d),
      norm(`model.layers.${n}.post_attention_layernorm`, `blk.${n}.ffn_norm`),
      linear(`model.layers.${n}.mlp.gate_proj`, `blk.${n}.ffn_gate`, intermediate, d),
      linear(`model.layers.${n}.mlp.up_proj`, `blk.${n}.ffn_up`, intermediate, d),
      linear(`model.layers.${n}.mlp.down_proj`, `blk.${n}.ffn_down`, d, intermediate),
    ]).flat(),
    norm("model.norm", "output_norm"),
  ];
}

/** Numbers of a matrix, the same each time: uniform, by a multiplicative generator fast enough for gigabytes. */
function numbers({ name, shape, spread, center }: Matrix): Float32Array {
  const data = new Float32Array(shape.reduce((a, b) => a * b));
  let state = createRandom(name).int(2 ** 32) | 1;
  for (let i = 0; i < data.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    data[i] = center + spread * (state / 2 ** 31);
  }
  return data;
}

/** Writes config.json, tokenizer and model.safetensors unless they are there. @returns the folder. */
export async function writeCheckpoint(cache: string, name: string): Promise<string> {
  const shape = SHAPES[name] as Shape;
  const dir = join(cache, name);
  const weights = join(dir, "model.safetensors");
  if (await exists(weights)) return dir;
  await Deno.mkdir(dir, { recursive: true });
  await Deno.writeTextFile(
    join(dir, "config.json"),
    JSON.stringify({
      architectures: ["LlamaForCausalLM"],
      model_type: "llama",
      vocab_size: shape.vocabulary,
      hidden_size: shape.hidden,
      intermediate_size: shape.intermediate,
      num_hidden_layers: shape.layers,
      num_attention_heads: shape.heads,
      num_key_value_heads: shape.kvHeads,
      max_position_embeddings: WINDOW,
      rope_theta: THETA,
      rms_norm_eps: 1e-5,
      hidden_act: "silu",
      tie_word_embeddings: true,
      eos_token_id: shape.vocabulary - 1,
    }),
  );
  const vocab = Object.fromEntries(tokens(shape).map((token, id) => [token, id]));
  await Deno.writeTextFile(
    join(dir, "tokenizer.json"),
    JSON.stringify({
      version: "1.0",
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: { type: "Whitespace" },
      post_processor: null,
      decoder: null,
      model: { type: "WordLevel", vocab, unk_token: "t0" },
    }),
  );
  await Deno.writeTextFile(
    join(dir, "tokenizer_config.json"),
    JSON.stringify({ tokenizer_class: "PreTrainedTokenizerFast" }),
  );
  const list = matrices(shape);
  let end = 0;
  const header: Record<string, unknown> = {};
  for (const { name, shape } of list) {
    const bytes = 4 * shape.reduce((a, b) => a * b);
    header[name] = { dtype: "F32", shape, data_offsets: [end, end += bytes] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const partial = `${weights}.partial`;
  {
    using file = await Deno.create(partial);
    const length = new Uint8Array(8);
    new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
    await writeAll(file, length);
    await writeAll(file, text);
    for (const matrix of list) await writeAll(file, new Uint8Array(numbers(matrix).buffer));
  }
  await Deno.rename(partial, weights);
  return dir;
}

/** Writes the same weights as GGUF: F32, Q8_0, or Q4_0 with the embedding in Q8_0. @returns its path. */
export async function writeGguf(cache: string, name: string, dtype: "fp32" | "q8" | "q4"): Promise<string> {
  const shape = SHAPES[name] as Shape;
  const path = join(cache, name, `model-${dtype}.gguf`);
  if (await exists(path)) return path;
  const writer = new GgufWriter();
  const text = tokens(shape);
  writer.string("general.architecture", "llama").string("general.name", name);
  for (
    const [key, value] of Object.entries({
      context_length: WINDOW,
      embedding_length: shape.hidden,
      block_count: shape.layers,
      feed_forward_length: shape.intermediate,
      "attention.head_count": shape.heads,
      "attention.head_count_kv": shape.kvHeads,
      "rope.dimension_count": shape.hidden / shape.heads,
      vocab_size: shape.vocabulary,
    })
  ) writer.uint(`llama.${key}`, value);
  writer.float("llama.attention.layer_norm_rms_epsilon", 1e-5).float("llama.rope.freq_base", THETA);
  writer.string("tokenizer.ggml.model", "gpt2").string("tokenizer.ggml.pre", "default");
  writer.strings("tokenizer.ggml.tokens", text).ints("tokenizer.ggml.token_type", text.map(() => 1));
  writer.strings("tokenizer.ggml.merges", ["t 0"]);
  writer.uint("tokenizer.ggml.eos_token_id", shape.vocabulary - 1);
  writer.uint("tokenizer.ggml.bos_token_id", shape.vocabulary - 2);
  const list = matrices(shape);
  const type = (matrix: Matrix) =>
    matrix.shape.length === 1 || dtype === "fp32"
      ? "F32"
      : dtype === "q8" || matrix.gguf === "token_embd.weight"
      ? "Q8_0"
      : "Q4_0";
  for (const matrix of list) writer.tensor(matrix.gguf, matrix.shape, type(matrix));
  const partial = `${path}.partial`;
  await writer.write(
    partial,
    list.map((matrix) => () => {
      const data = numbers(matrix);
      return matrix.heads === undefined ? data : interleave(data, matrix.heads, matrix.shape[1] as number);
    }),
  );
  await Deno.rename(partial, path);
  return path;
}

/** Rows of each head from halves (i, i + n / 2) to pairs (2i, 2i + 1), as GGUF's rotary positions want them. */
function interleave(data: Float32Array, heads: number, columns: number): Float32Array {
  const rows = data.length / columns / heads;
  const out = new Float32Array(data.length);
  for (let head = 0; head < heads; head++) {
    for (let i = 0; i < rows; i++) {
      const to = i < rows / 2 ? 2 * i : 2 * (i - rows / 2) + 1;
      const from = (head * rows + i) * columns;
      out.set(data.subarray(from, from + columns), (head * rows + to) * columns);
    }
  }
  return out;
}

function tokens({ vocabulary }: Shape): string[] {
  return Array.from({ length: vocabulary }, (_, id) => `t${id}`);
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
