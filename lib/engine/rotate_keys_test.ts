import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { z } from "zod";
import { parseConfig } from "./config.ts";
import { rotateKey, unrotateKey } from "./rotate_keys.ts";
import { prompt, withModel, worst } from "./testing/with_checkpoint.ts";

const file = fileURLToPath(new URL("./testing/fixtures/ropes.json", import.meta.url));
const configs = z.array(z.object({ config: z.record(z.string(), z.unknown()), length: z.int() }))
  .parse(JSON.parse(await Deno.readTextFile(file)))
  .map(({ config, length }) => ({ config: parseConfig(config, "c"), length }));

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);
}

Deno.test("unrotateKey() undoes rotateKey(), whose products depend on the distance alone, for every kind of rope", () => {
  const place = fc.record({
    which: fc.nat({ max: configs.length - 1 }),
    near: fc.nat({ max: 250 }),
    far: fc.nat({ max: 250 }),
    shift: fc.nat({ max: 200 }),
    seed: fc.nat({ max: 1000 }),
  });
  const types = new Set<string>();
  fc.assert(fc.property(place, ({ which, near, far, shift, seed }) => {
    const { config, length: given } = configs[which] as typeof configs[number];
    const length = Math.max(given, 460);
    const layer = config.layers.findIndex(({ rope }) => rope !== null);
    const rope = config.ropes[config.layers[layer]?.rope as number];
    types.add(rope?.scaling.type ?? "");
    const width = config.numKvHeads * config.headDim;
    const vector = (by: number) =>
      Float32Array.from({ length: width }, (_, i) => Math.sin(1 + i * by + seed));
    const [a, b] = [vector(0.7), vector(1.3)];
    const at = (key: Float32Array, position: number) => rotateKey(config, key, { layer, position, length });
    assert.ok(
      worst(unrotateKey(config, at(a, near), { layer, position: near, length }), a) < 1e-5,
      "there and back",
    );
    const stretch = (i: number) => i % config.headDim < config.rotaryDim ? rope?.amplitude ?? 1 : 1;
    assert.ok(worst(at(a, 0), a.map((x, i) => x * stretch(i))) < 1e-6, "position 0 turns nothing");
    const here = dot(at(a, near), at(b, far));
    const there = dot(at(a, near + shift), at(b, far + shift));
    assert.ok(Math.abs(here - there) < 1e-3 * width, `${here} against ${there}`);
  }));
  assert.ok(types.size >= 4, [...types].join());
});

const ROPES: Record<string, Record<string, unknown>> = {
  "default positions": {},
  "llama3 scaling": {
    rope_scaling: {
      rope_type: "llama3",
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 64,
    },
  },
  "YaRN": { rope_scaling: { rope_type: "yarn", factor: 4, original_max_position_embeddings: 64 } },
  "layers without positions": {
    architectures: ["SmolLM3ForCausalLM"],
    no_rope_layers: [0, 1],
  },
};

for (const [name, config] of Object.entries(ROPES)) {
  Deno.test(`unrotateKey() gives what the model computes before positions are applied, with ${name}`, async () => {
    await withModel({ config }, async (model) => {
      const length = 120;
      const ids = prompt(length).map((id, i) => i === 5 || i === 111 ? 65 : id);
      const { captured } = await model.forward(ids, { capture: ["k.0"] });
      const keys = captured["k.0"] as Float32Array;
      const width = model.config.numKvHeads * model.config.headDim;
      const row = (position: number) => keys.slice(position * width, (position + 1) * width);
      const bare = (position: number) =>
        unrotateKey(model.config, row(position), { layer: 0, position, length });
      assert.ok(worst(bare(5), bare(111)) < 1e-4, "the same token has the same key without its position");
      const moved = rotateKey(model.config, bare(5), { layer: 0, position: 111, length });
      assert.ok(worst(moved, row(111)) < 1e-4, "and at another position the key cached there");
      const isRotated = name !== "layers without positions";
      assert.equal(worst(row(5), row(111)) > 0.01, isRotated, "keys as cached");
    });
  });
}

Deno.test("rotateKey() refuses layers, positions and vectors that do not fit the model", () => {
  const { config } = configs[0] as typeof configs[number];
  const key = new Float32Array(config.numKvHeads * config.headDim);
  const place = { layer: 0, position: 3, length: 10 };
  for (
    const [vector, wrong] of [
      [key, { layer: 99 }],
      [key, { position: 10 }],
      [key, { position: -1 }],
      [key.slice(1), {}],
    ] as const
  ) {
    assert.throws(() => rotateKey(config, vector, { ...place, ...wrong }), { name: "InputError" });
  }
});
