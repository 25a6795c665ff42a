import assert from "node:assert/strict";
import { join } from "node:path";
import type { Steerable } from "../backends/steerable.ts";
import { loadLocalDecoder } from "../engine/mod.ts";
import { readSafetensorsHeader, readTensor } from "../engine/safetensors.ts";
import type { TinyCheckpoint } from "../engine/testing/tiny_checkpoint.ts";
import { withCheckpoint, worst } from "../engine/testing/with_checkpoint.ts";
import { encodeSafetensors, type TensorToWrite } from "../engine/write_safetensors.ts";
import { extractKv, type ExtractKvOptions, readTokensText } from "./extract_kv.ts";
import type { PairTexts } from "./pair_prompts.ts";

/** A tiny model of one token per letter, whose chats are the prefix alone. */
async function withLetters(
  options: TinyCheckpoint & { readonly attends?: boolean },
  use: (model: Steerable) => Promise<void>,
): Promise<void> {
  await withCheckpoint(options, async (dir) => {
    if (options.attends === false) await withoutAttention(dir);
    await using decoder = await loadLocalDecoder(dir);
    await use({
      decoder,
      promptIds: (_, prefix = "") => decoder.encode(prefix),
    } as Steerable);
  });
}

/** Lets attention add nothing, so that keys and values of every layer depend on their own token alone. */
async function withoutAttention(dir: string): Promise<void> {
  const path = join(dir, "model.safetensors");
  const tensors: Record<string, TensorToWrite> = {};
  for (const [name, entry] of await readSafetensorsHeader(path)) {
    const data = await readTensor(name, entry);
    tensors[name] = { dtype: "F32", shape: entry.shape, data: name.includes("o_proj") ? data.fill(0) : data };
  }
  await Deno.writeFile(path, encodeSafetensors(tensors));
}

const pairsOf = (...texts: readonly (readonly [string, string])[]): PairTexts[] =>
  texts.map(([positive, negative], i) => ({
    id: `${i}`,
    positive: { messages: [], prefix: positive },
    negative: { messages: [], prefix: negative },
  }));

/** The same last letters, once behind texts of one length and once behind texts of many. */
const EQUAL = pairsOf(["in a row: A", "in a row: B"], ["in a row: C", "in a row: D"], [
  "in a row: E",
  "in a row: F",
]);
const UNEQUAL = pairsOf(
  ["A", `${"long ".repeat(17)}B`],
  [`${"longer, much longer, ".repeat(6)}C`, "two D"],
  ["some words before E", "F"],
);

const ROPES: Record<string, TinyCheckpoint> = {
  "default positions": {},
  "llama3 scaling": {
    config: {
      rope_scaling: {
        rope_type: "llama3",
        factor: 8,
        low_freq_factor: 1,
        high_freq_factor: 4,
        original_max_position_embeddings: 64,
      },
    },
  },
  "a layer without positions": {
    layers: 4,
    config: { architectures: ["SmolLM3ForCausalLM"], no_rope_layers: [1, 0, 1, 1] },
  },
};

for (const [name, checkpoint] of Object.entries(ROPES)) {
  Deno.test(`extractKv() gives the same from pairs of unequal lengths, raw keys do not, with ${name}`, async () => {
    await withLetters({ ...checkpoint, attends: false }, async (model) => {
      const layers = Array.from({ length: model.decoder.numLayers }, (_, layer) => layer);
      for (const rawKeys of [false, true]) {
        const options = { layers, rawKeys };
        const [equal, unequal] = [
          await extractKv(model, EQUAL, options),
          await extractKv(model, UNEQUAL, options),
        ];
        assert.equal(equal.keys, rawKeys ? "raw" : "unrotated");
        for (const [i, layer] of layers.entries()) {
          const [a, b] = [equal.layers[i], unequal.layers[i]];
          assert.ok(a && b && a.layer === layer);
          assert.ok(worst(a.value, b.value) < 1e-5, `values of layer ${layer}`);
          const apart = worst(a.key, b.key);
          const rotated = model.decoder.config.layers[layer]?.rope !== null;
          if (rawKeys && rotated) assert.ok(apart > 0.1, `raw keys of layer ${layer} differ by ${apart}`);
          else assert.ok(apart < 1e-4, `keys of layer ${layer} differ by ${apart}`);
        }
      }
    });
  });
}

Deno.test("extractKv() is the mean of what forward() captures at the token", async () => {
  await withLetters({}, async (model) => {
    const { decoder } = model;
    const width = decoder.config.numKvHeads * decoder.config.headDim;
    for (const [pairs, token] of [[UNEQUAL, -1], [EQUAL, -3]] as const) {
      const { layers } = await extractKv(model, pairs, { layers: [1], rawKeys: true, token });
      for (const [site, vector] of [["k.1", layers[0]?.key], ["v.1", layers[0]?.value]] as const) {
        const at = async ({ prefix }: { prefix: string }) => {
          const ids = decoder.encode(prefix);
          const { captured } = await decoder.forward(ids, { capture: [site] });
          const from = (ids.length + token) * width;
          return captured[site]?.slice(from, from + width) ?? assert.fail();
        };
        const mean = new Float32Array(width);
        for (const { positive, negative } of pairs) {
          const [a, b] = [await at(positive), await at(negative)];
          for (let i = 0; i < width; i++) {
            mean[i] = (mean[i] as number) + ((a[i] as number) - (b[i] as number)) / pairs.length;
          }
        }
        assert.ok(worst(vector as Float32Array, mean) < 1e-5, `${site} at ${token}`);
      }
    }
  });
});

Deno.test("extractKv() says at which tokens it read", async () => {
  await withLetters({}, async (model) => {
    const result = await extractKv(model, pairsOf(["xxA", "B"], ["A", "B"], ["C", "xB"]), { layers: [0] });
    assert.deepEqual(result.read.positive, [
      { id: 65, text: "A", count: 2, positions: [0, 2] },
      { id: 67, text: "C", count: 1, positions: [0, 0] },
    ]);
    assert.deepEqual(readTokensText(result), [
      'read at, in the style: "A" (id 65) in 2 of 3 at positions 0 to 2; "C" (id 67) in 1 of 3 at position 0',
      'read at, plain: "B" (id 66) in 3 of 3 at positions 0 to 1',
    ]);
  });
});

Deno.test("extractKv() refuses what cannot be read, and stops when it is told to", async () => {
  await withLetters({}, async (model) => {
    const wrong: [PairTexts[], Partial<ExtractKvOptions>, RegExp][] = [
      [[], {}, /no pairs/],
      [EQUAL, { token: 0 }, /no token 0/],
      [EQUAL, { token: -99 }, /no token -99/],
      [EQUAL, { layers: [7] }, /Layer 7/],
      [pairsOf(["x".repeat(300), "y"]), {}, /context window/],
    ];
    for (const [pairs, options, message] of wrong) {
      await assert.rejects(extractKv(model, pairs, { layers: [0], ...options }), {
        name: "InputError",
        message,
      });
    }
    const stop = new AbortController();
    const stopped = extractKv(model, EQUAL, {
      layers: [0],
      signal: stop.signal,
      onPair: () => stop.abort(new Error("enough")),
    });
    await assert.rejects(stopped, /enough/);
  });
});
