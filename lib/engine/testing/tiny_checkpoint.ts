/**
 * Small checkpoints with random weights, made where a test needs one.
 * @module
 */
import { join } from "node:path";
import { createRandom } from "../../base/random.ts";
import { encodeSafetensors, type TensorToWrite } from "../write_safetensors.ts";

/** Shape of a checkpoint; see {@linkcode writeTinyCheckpoint} for the defaults. */
export interface TinyCheckpoint {
  /** How weights are stored; `F32` unless given. */
  readonly dtype?: TensorToWrite["dtype"];
  /** Blocks. */
  readonly layers?: number;
  /** Positions. */
  readonly window?: number;
  /** Width of the residual stream. */
  readonly hidden?: number;
  /** Width inside the MLP; twice `hidden` unless given. */
  readonly intermediate?: number;
  /** Query heads. */
  readonly heads?: number;
  /** Key-value heads. */
  readonly kvHeads?: number;
  /** Adds biases to every linear layer. */
  readonly biases?: boolean;
  /** Overrides or adds entries of config.json. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Number of files the weights are spread over; more than 1 writes an index. */
  readonly shards?: number;
  /** Seed of the weights; 1 unless given. */
  readonly seed?: number;
}

/** Bytes of text are tokens 0 to 255; these follow. */
export const TINY_END = 256;
/** Begins a sequence. */
export const TINY_BEGIN = 257;
const VOCABULARY = 260;

/**
 * Writes a Llama checkpoint with a byte-level tokenizer into a folder:
 * 2 layers, hidden size 32, 4 heads over 2 key-value heads, 256 positions, tied embeddings.
 */
export async function writeTinyCheckpoint(dir: string, options: TinyCheckpoint = {}): Promise<void> {
  const { dtype = "F32", layers = 2, window = 256, hidden = 32, heads = 4, kvHeads = 2 } = options;
  const intermediate = options.intermediate ?? 2 * hidden;
  const head = hidden / heads;
  const config = {
    architectures: ["LlamaForCausalLM"],
    vocab_size: VOCABULARY,
    hidden_size: hidden,
    intermediate_size: intermediate,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    max_position_embeddings: window,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: true,
    attention_bias: options.biases ?? false,
    mlp_bias: options.biases ?? false,
    eos_token_id: [TINY_END],
    ...options.config,
  };
  const random = createRandom(options.seed ?? 1);
  const tensors: Record<string, TensorToWrite> = {};
  const add = (name: string, shape: number[], spread: number, center = 0) => {
    const data = Float32Array.from(
      { length: shape.reduce((a, b) => a * b) },
      () => center + spread * (random.next() + random.next() + random.next() - 1.5),
    );
    tensors[name] = { dtype, shape, data };
  };
  const linear = (name: string, out: number, input: number) => {
    add(`${name}.weight`, [out, input], 2 / Math.sqrt(input));
    if (options.biases) add(`${name}.bias`, [out], 0.3);
  };
  add("model.embed_tokens.weight", [VOCABULARY, hidden], 1);
  for (let layer = 0; layer < layers; layer++) {
    const prefix = `model.layers.${layer}`;
    add(`${prefix}.input_layernorm.weight`, [hidden], 0.2, 1);
    add(`${prefix}.post_attention_layernorm.weight`, [hidden], 0.2, 1);
    linear(`${prefix}.self_attn.q_proj`, hidden, hidden);
    linear(`${prefix}.self_attn.k_proj`, kvHeads * head, hidden);
    linear(`${prefix}.self_attn.v_proj`, kvHeads * head, hidden);
    linear(`${prefix}.self_attn.o_proj`, hidden, hidden);
    linear(`${prefix}.mlp.gate_proj`, intermediate, hidden);
    linear(`${prefix}.mlp.up_proj`, intermediate, hidden);
    linear(`${prefix}.mlp.down_proj`, hidden, intermediate);
  }
  add("model.norm.weight", [hidden], 0.2, 1);
  await writeShards(dir, tensors, options.shards ?? 1);
  await Deno.writeTextFile(join(dir, "config.json"), JSON.stringify(config));
  await Deno.writeTextFile(join(dir, "tokenizer.json"), JSON.stringify(tinyTokenizer()));
  await Deno.writeTextFile(
    join(dir, "tokenizer_config.json"),
    JSON.stringify({
      tokenizer_class: "PreTrainedTokenizerFast",
      eos_token: "<|end|>",
      chat_template:
        "{% for m in messages %}{% if m['role'] == 'tool' %}{{ raise_exception('no tools') }}{% endif %}" +
        "<|begin|>{{ m['role'] }}: {{ m['content'] }}<|end|>{% endfor %}" +
        "{% if add_generation_prompt %}<|begin|>assistant: {% endif %}",
    }),
  );
}

async function writeShards(
  dir: string,
  tensors: Record<string, TensorToWrite>,
  count: number,
): Promise<void> {
  if (count === 1) return await Deno.writeFile(join(dir, "model.safetensors"), encodeSafetensors(tensors));
  const weightMap: Record<string, string> = {};
  for (let shard = 0; shard < count; shard++) {
    const file = `model-${shard + 1}-of-${count}.safetensors`;
    const mine = Object.entries(tensors).filter((_, i) => i % count === shard);
    for (const [name] of mine) weightMap[name] = file;
    await Deno.writeFile(join(dir, file), encodeSafetensors(Object.fromEntries(mine)));
  }
  const index = JSON.stringify({ metadata: {}, weight_map: weightMap });
  await Deno.writeTextFile(join(dir, "model.safetensors.index.json"), index);
}

/** A byte-level BPE without merges. */
function tinyTokenizer(): unknown {
  const vocab = Object.fromEntries(byteLetters().map((letter, byte) => [letter, byte]));
  const special = (id: number, content: string) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  });
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [special(TINY_END, "<|end|>"), special(TINY_BEGIN, "<|begin|>")],
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: byteLevel,
    decoder: byteLevel,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab,
      merges: [],
    },
  };
}

/** The printable letter that stands for each byte in byte-level vocabularies (GPT-2's table). */
function byteLetters(): string[] {
  const printable = (byte: number) =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
}
