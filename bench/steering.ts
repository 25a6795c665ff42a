/**
 * Key and value vectors from 500 pairs on the embedded model, beside the same made with @huggingface/transformers by
 * one full forward pass for each text.
 *
 * ```
 * deno run -A bench/steering.ts [--pairs 500] [--model models/pocket] [--threads 2]
 * ```
 *
 * Both read the same texts with the same layers, on an export of the same weights for transformers; loading is not
 * counted. Prints both times, their ratio (transformers' time over ours), and how far apart the vectors are.
 * @module
 */
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { AutoModelForCausalLM, env, Tensor } from "@huggingface/transformers";
import { loadDecoder, unrotateKey } from "../lib/engine/mod.ts";
import type { DecoderConfig } from "../lib/engine/mod.ts";
import { exportOnnx } from "../lib/engine/export_onnx.ts";
import type { Steerable } from "../lib/backends/steerable.ts";
import { extractKv } from "../lib/steering/extract_kv.ts";
import { defaultLayers } from "../lib/steering/layer_set.ts";
import { pairTexts } from "../lib/steering/pair_prompts.ts";
import { samplePairs } from "../lib/steering/shipped_pairs.ts";
import { loadStyle } from "../lib/steering/style.ts";

const { values } = parseArgs({
  options: {
    pairs: { type: "string", default: "500" },
    model: { type: "string", default: "models/pocket" },
    threads: { type: "string", default: "2" },
  },
});
const count = Number(values.pairs), threads = Number(values.threads);

/** The mean difference at the last token, as a forward pass of transformers for each text gives it. */
async function withTransformers(
  dir: string,
  texts: readonly (readonly [positive: number[], negative: number[]])[],
  layers: readonly number[],
  config: DecoderConfig,
) {
  env.allowRemoteModels = false;
  env.localModelPath = dirname(dir);
  const model = await AutoModelForCausalLM.from_pretrained(dir, {
    dtype: "fp32",
    device: "cpu",
    local_files_only: true,
    session_options: { intraOpNumThreads: threads, interOpNumThreads: 1, logSeverityLevel: 3 },
  });
  const width = config.numKvHeads * config.headDim;
  const sums = layers.map(() => ({ key: new Float64Array(width), value: new Float64Array(width) }));
  const started = performance.now();
  for (const pair of texts) {
    for (const [side, ids] of pair.entries()) {
      const row = (ints: readonly number[]) =>
        new Tensor("int64", BigInt64Array.from(ints, BigInt), [1, ints.length]);
      const output: Record<string, Tensor> = await model({
        input_ids: row(ids),
        attention_mask: row(new Array(ids.length).fill(1)),
      });
      for (const [i, layer] of layers.entries()) {
        for (const which of ["key", "value"] as const) {
          const all = (output[`present.${layer}.${which}`] as Tensor).data as Float32Array; // [1, kvHeads, T, headDim]
          const last = Float32Array.from({ length: width }, (_, x) => {
            const head = Math.floor(x / config.headDim);
            return all[(head * ids.length + ids.length - 1) * config.headDim + x % config.headDim] as number;
          });
          const place = { layer, position: ids.length - 1, length: ids.length };
          const vector = which === "key" ? unrotateKey(config, last, place) : last;
          const sum = (sums[i] as typeof sums[number])[which];
          for (let x = 0; x < width; x++) {
            sum[x] = (sum[x] as number) + (side === 0 ? 1 : -1) * (vector[x] as number);
          }
        }
      }
      for (const tensor of Object.values(output)) tensor.dispose?.();
    }
  }
  const seconds = (performance.now() - started) / 1000;
  await model.dispose();
  const mean = (sum: Float64Array) => Float32Array.from(sum, (x) => x / texts.length);
  return { seconds, layers: sums.map(({ key, value }) => ({ key: mean(key), value: mean(value) })) };
}

const style = await loadStyle("step_by_step_reasoning");
const pairs = pairTexts(style, samplePairs("step_by_step_reasoning", count, "bench").pairs, "answers");
await using decoder = await loadDecoder(resolve(values.model), { threads });
const model = {
  decoder,
  promptIds: (messages, prefix = "") => decoder.encode(decoder.renderChat(messages, { prefill: prefix })),
} as Steerable;
const layers = defaultLayers(decoder.numLayers);
const ids = pairs.map(({ positive, negative }) =>
  [
    model.promptIds(positive.messages, positive.prefix),
    model.promptIds(negative.messages, negative.prefix),
  ] as const
);
const tokens = ids.flat().reduce((sum, one) => sum + one.length, 0);
console.log(
  `${pairs.length} pairs, ${
    tokens.toLocaleString("en-US")
  } tokens, layers ${layers.join()}, ${threads} threads`,
);

await extractKv(model, pairs.slice(0, 5), { layers }); // opens the sessions
const started = performance.now();
const ours = await extractKv(model, pairs, { layers });
const seconds = (performance.now() - started) / 1000;
console.log(`ours          ${seconds.toFixed(2)} s (${Math.round(tokens / seconds)} tok/s)`);

const folder = join(await Deno.makeTempDir(), "model");
try {
  await exportOnnx(resolve(values.model), folder);
  const theirs = await withTransformers(
    folder,
    ids.map(([positive, negative]) => [[...positive], [...negative]]),
    layers,
    decoder.config,
  );
  console.log(`transformers  ${theirs.seconds.toFixed(2)} s (${Math.round(tokens / theirs.seconds)} tok/s)`);
  console.log(`ratio         ${(theirs.seconds / seconds).toFixed(2)}`);
  let apart = 0;
  for (const [i, { key, value }] of ours.layers.entries()) {
    for (const [a, b] of [[key, theirs.layers[i]?.key], [value, theirs.layers[i]?.value]] as const) {
      for (let x = 0; x < a.length; x++) {
        apart = Math.max(apart, Math.abs((a[x] as number) - (b?.[x] as number)));
      }
    }
  }
  console.log(`largest difference of the vectors: ${apart.toExponential(1)}`);
} finally {
  await Deno.remove(dirname(folder), { recursive: true });
}
