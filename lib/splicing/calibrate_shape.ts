/**
 * What this machine would do with a model that is not here, from its config.json alone.
 * @module
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { InputError } from "../base/errors.ts";
import {
  type DecoderConfig,
  encodeSafetensors,
  loadDecoder,
  readConfig,
  type TensorToWrite,
} from "../engine/mod.ts";
import {
  bestConcurrency,
  bytesPerToken,
  type CalibrateOptions,
  type Calibration,
  measurement,
  now,
} from "./calibrate.ts";

/** How the engine is to hold the weights. */
export type ShapeDtype = "fp32" | "q8" | "q4";

/** Numbers of blocks that are timed; the rest follows from their difference. */
const BLOCKS = [1, 2] as const;
/** Each time is the best of so many: what else a machine does only slows it down. */
const REPEATS = 3;
const POCKET = fileURLToPath(new URL("../../models/pocket", import.meta.url));
/** Bytes of a weight, with the scale and zero point that a block of 64 (8 bits) or 32 (4 bits) shares. */
const BYTES: Readonly<Record<ShapeDtype, number>> = { fp32: 4, q8: 1 + 5 / 64, q4: 0.5 + 4.5 / 32 };
/** Tokens of the vocabulary that is lent to a shape. */
const VOCABULARY = 3072;

/**
 * Times one and two blocks of a shape with made-up weights on this machine, as prefill and as decoding of 1, 2, 4, ...
 * samples, and says what all its blocks would take: the time of a block is the difference of the two, its memory that of
 * its weights. The output matrix is counted by its size. Every shape is timed as a Llama of the same sizes.
 *
 * @param path a config.json, or a folder with one
 * @throws {InputError} when it is not the config of a model that the engine knows.
 */
export async function calibrateShape(
  path: string,
  options: CalibrateOptions & { readonly dtype?: ShapeDtype },
): Promise<Calibration> {
  const { dtype = "fp32" } = options;
  const config = await readConfig(path.endsWith(".json") ? dirname(path) : path);
  if (options.prefixTokens + options.newTokens > config.contextWindow) {
    throw new InputError(
      `A prefix of ${options.prefixTokens} tokens and ${options.newTokens} new ones do not fit the window of ${path} (${config.contextWindow}): ` +
        "give less with --prefix-tokens.",
    );
  }
  const [one, two] = [
    await timeBlocks(config, BLOCKS[0], options, dtype),
    await timeBlocks(config, BLOCKS[1], options, dtype),
  ];
  /** The output matrix beside one block, by their weights; a prefill needs it for its last token alone. */
  const head = config.vocabSize * config.hiddenSize / blockWeights(config);
  const whole = (a: number, b: number, tokens: number) => {
    const block = Math.max(0, b - a);
    return Math.max(0, a - block) + block * (config.numLayers + head / tokens);
  };
  const ends = config.vocabSize * config.hiddenSize * (config.tied ? 1 : 2);
  const loadedMemory = BYTES[dtype] * config.numLayers * blockWeights(config) + BYTES.fp32 * ends;
  const perToken = bytesPerToken(config);
  const measured = options.batches.map((together, i) => {
    const seconds = whole(one.stepSeconds[i] as number, two.stepSeconds[i] as number, 1);
    const memory = loadedMemory + perToken * (options.prefixTokens + together * options.sampleTokens);
    return measurement(together, together / seconds, options, memory);
  });
  return {
    variant: `${config.architecture}, ${config.numLayers} blocks of width ${config.hiddenSize} (${dtype})`,
    note:
      "made-up weights: 1 and 2 blocks were timed, the rest is reckoned from them; memory is that of weights, keys and values",
    prefixTokens: options.prefixTokens,
    prefillPerSecond: options.prefixTokens /
      whole(one.prefillSeconds, two.prefillSeconds, options.prefixTokens),
    loadSeconds: null,
    bytesPerToken: perToken,
    loadedMemory,
    measured,
    concurrency: bestConcurrency(measured),
  };
}

interface Timed {
  readonly prefillSeconds: number;
  /** Of one token in each sample, by batch. */
  readonly stepSeconds: readonly number[];
}

async function timeBlocks(
  config: DecoderConfig,
  blocks: number,
  options: CalibrateOptions,
  dtype: ShapeDtype,
): Promise<Timed> {
  const folder = await Deno.makeTempDir({ prefix: "probebook-shape-" });
  try {
    await writeShape(folder, config, blocks);
    await using decoder = await loadDecoder(folder, { dtype, cacheDir: folder });
    const ids = Array.from({ length: options.prefixTokens }, (_, i) => 20 + i * 7 % (VOCABULARY - 20));
    (await decoder.prefill(ids.slice(0, 8)))[Symbol.dispose]();
    const prefills: number[] = [];
    for (let i = 0; i < REPEATS; i++) {
      const start = now();
      using _again = await decoder.prefill(ids);
      prefills.push(now() - start);
    }
    const prefillSeconds = Math.min(...prefills);
    using prefix = await decoder.prefill(ids);
    const stepSeconds: number[] = [];
    for (const together of options.batches) {
      const draw = async (maxNewTokens: number) => {
        const from = now();
        await prefix.generate({ n: together, maxNewTokens, temperature: 0.7, topP: 0.95, ignoreEos: true });
        return now() - from;
      };
      await draw(2); // what is made at the first use is not timed
      const times: number[] = [];
      for (let i = 0; i < REPEATS; i++) times.push(await draw(options.newTokens));
      stepSeconds.push(Math.min(...times) / (options.newTokens - 1));
    }
    return { prefillSeconds, stepSeconds };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function blockWeights(
  { hiddenSize, intermediateSize, numHeads, numKvHeads, headDim }: DecoderConfig,
): number {
  return 2 * hiddenSize * numHeads * headDim + 2 * hiddenSize * numKvHeads * headDim +
    3 * hiddenSize * intermediateSize;
}

/** Writes a Llama of these sizes with small made-up weights, one file for each block. */
async function writeShape(folder: string, config: DecoderConfig, blocks: number): Promise<void> {
  const { hiddenSize, intermediateSize, numHeads, numKvHeads, headDim } = config;
  const weightMap: Record<string, string> = {};
  const write = async (file: string, shapes: Readonly<Record<string, readonly number[]>>) => {
    const tensors = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, madeUp(shape)]));
    await Deno.writeFile(join(folder, file), encodeSafetensors(tensors));
    for (const name of Object.keys(tensors)) weightMap[name] = file;
  };
  for (let block = 0; block < blocks; block++) {
    const name = (part: string) => `model.layers.${block}.${part}.weight`;
    await write(`block-${block}.safetensors`, {
      [name("input_layernorm")]: [hiddenSize],
      [name("post_attention_layernorm")]: [hiddenSize],
      [name("self_attn.q_proj")]: [numHeads * headDim, hiddenSize],
      [name("self_attn.k_proj")]: [numKvHeads * headDim, hiddenSize],
      [name("self_attn.v_proj")]: [numKvHeads * headDim, hiddenSize],
      [name("self_attn.o_proj")]: [hiddenSize, numHeads * headDim],
      [name("mlp.gate_proj")]: [intermediateSize, hiddenSize],
      [name("mlp.up_proj")]: [intermediateSize, hiddenSize],
      [name("mlp.down_proj")]: [hiddenSize, intermediateSize],
    });
  }
  await write("ends.safetensors", {
    "model.embed_tokens.weight": [VOCABULARY, hiddenSize],
    "model.norm.weight": [hiddenSize],
  });
  const json = (name: string, value: unknown) =>
    Deno.writeTextFile(join(folder, name), JSON.stringify(value));
  await json("model.safetensors.index.json", { metadata: {}, weight_map: weightMap });
  await json("config.json", {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    vocab_size: VOCABULARY,
    hidden_size: hiddenSize,
    intermediate_size: intermediateSize,
    num_hidden_layers: blocks,
    num_attention_heads: numHeads,
    num_key_value_heads: numKvHeads,
    head_dim: headDim,
    max_position_embeddings: config.contextWindow,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: true,
    eos_token_id: 2,
  });
  for (const name of ["tokenizer.json", "tokenizer_config.json"]) {
    await Deno.copyFile(join(POCKET, name), join(folder, name));
  }
}

/** Numbers in -0.02..0.02 without any cost of drawing them. */
function madeUp(shape: readonly number[]): TensorToWrite {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  for (let i = 0; i < data.length; i++) data[i] = ((i * 2654435761 >>> 16 & 1023) - 511.5) / 25_600;
  return { dtype: "F16", shape, data };
}
