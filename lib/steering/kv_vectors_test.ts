import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { encodeSafetensors } from "../engine/write_safetensors.ts";
import {
  encodeKvVectors,
  kvDirections,
  kvSteering,
  type KvVectors,
  randomKv,
  readKvVectors,
  writeKvVectors,
} from "./kv_vectors.ts";
import { defaultLayers, parseLayers } from "./layer_set.ts";
import { cosine, norm } from "./steering_vector.ts";

const wave = (by: number) => Float32Array.from({ length: 8 }, (_, i) => Math.sin(by * (i + 1)));
const VECTORS: KvVectors = {
  layers: [{ layer: 2, key: wave(1), value: wave(2) }, { layer: 11, key: wave(3), value: wave(4) }],
  kvHeads: 2,
  headDim: 4,
  keys: "unrotated",
  metadata: { style: "step_by_step_reasoning", pairs: "64" },
};

async function withFolder(use: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await use(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("readKvVectors() gives back what writeKvVectors() wrote, to the bit", async () => {
  await withFolder(async (dir) => {
    const path = join(dir, "deep", "a.safetensors");
    for (const keys of ["unrotated", "raw"] as const) {
      await writeKvVectors(path, { ...VECTORS, keys });
      assert.deepEqual(await readKvVectors(path), { ...VECTORS, keys });
    }
    assert.deepEqual(encodeKvVectors(VECTORS), encodeKvVectors(structuredClone(VECTORS)));
    assert.throws(() => encodeKvVectors({ ...VECTORS, metadata: { keys: "x" } }), RangeError);
  });
});

Deno.test("readKvVectors() refuses files that do not hold what they say", async () => {
  await withFolder(async (dir) => {
    const path = join(dir, "a.safetensors");
    const tensor = { dtype: "F32", shape: [2, 4], data: wave(1) } as const;
    const said = { format: "probebook-kv-vectors-1", layers: "2", kv_heads: "2", head_dim: "4", keys: "raw" };
    const both = { "layers.2.key": tensor, "layers.2.value": tensor };
    const files: [Parameters<typeof encodeSafetensors>, RegExp][] = [
      [[both, { ...said, format: "other" }], /metadata/],
      [[both, { ...said, layers: "2-3" }], /metadata/],
      [[both, { ...said, layers: "3" }], /layers\.3\.key/],
      [[both, { ...said, layers: "2,2" }], /metadata/],
      [[both, { ...said, head_dim: "8" }], /F32 \[2, 8\]/],
      [[{ ...both, more: tensor }, said], /3 tensors/],
      [[{ ...both, "layers.2.key": { ...tensor, data: wave(1).fill(NaN) } }, said], /not finite/],
    ];
    await Deno.writeFile(path, encodeSafetensors(both, said));
    assert.equal((await readKvVectors(path)).layers.length, 1);
    for (const [[tensors, metadata], message] of files) {
      await Deno.writeFile(path, encodeSafetensors(tensors, metadata));
      await assert.rejects(readKvVectors(path), { name: "InputError", message });
    }
    await Deno.writeFile(path, encodeKvVectors(VECTORS).slice(0, -3));
    await assert.rejects(readKvVectors(path), { name: "InputError" });
    await assert.rejects(readKvVectors(join(dir, "none.safetensors")), { name: "InputError" });
  });
});

Deno.test("randomKv() draws vectors of the same lengths and no direction in common, the same for a seed", () => {
  const random = randomKv(VECTORS, 3);
  assert.deepEqual(randomKv(VECTORS, 3), random);
  assert.notDeepEqual(randomKv(VECTORS, 4).layers, random.layers);
  for (const [i, { layer, key, value }] of random.layers.entries()) {
    const given = VECTORS.layers[i] ?? assert.fail();
    assert.equal(layer, given.layer);
    for (const [a, b] of [[key, given.key], [value, given.value]] as const) {
      assert.ok(Math.abs(norm(a) - norm(b)) < 1e-5 && Math.abs(cosine(a, b)) < 0.95);
    }
  }
});

Deno.test("kvSteering() gives every layer its vectors and the strength, vectors by content", () => {
  const steering = kvSteering(kvDirections(VECTORS), { keys: 0.5, values: 2 });
  assert.deepEqual(
    steering.map(({ layer, scaleK, scaleV, unrotated }) => [layer, scaleK, scaleV, unrotated]),
    [
      [2, 0.5, 2, true],
      [11, 0.5, 2, true],
    ],
  );
  assert.deepEqual(steering[1]?.key?.values, wave(3));
  assert.equal(kvDirections({ ...VECTORS, keys: "raw" })[0]?.unrotated, false);
});

Deno.test("parseLayers() reads sets and ranges, each layer once and in order", () => {
  assert.deepEqual(parseLayers("8-15", 28), [8, 9, 10, 11, 12, 13, 14, 15]);
  assert.deepEqual(parseLayers(" 5, 1-3,2 ", 6), [1, 2, 3, 5]);
  for (const wrong of ["", "3-1", "2-", "a", "1;2", "-1", "1-6"]) {
    assert.throws(() => parseLayers(wrong, 6), { name: "InputError" }, wrong);
  }
  fc.assert(fc.property(fc.uniqueArray(fc.nat({ max: 99 }), { minLength: 1 }), (layers) => {
    assert.deepEqual(parseLayers(layers.join(), 100), layers.toSorted((a, b) => a - b));
  }));
});

Deno.test("defaultLayers() is 8 to 15 near 28 blocks and the later half elsewhere", () => {
  assert.deepEqual(defaultLayers(28), [8, 9, 10, 11, 12, 13, 14, 15]);
  assert.deepEqual(defaultLayers(4), [2, 3]);
  assert.deepEqual(defaultLayers(1), [0]);
  assert.equal(defaultLayers(80)[0], 40);
});
