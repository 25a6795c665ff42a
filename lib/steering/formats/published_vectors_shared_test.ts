/** Published vectors are read exactly. Skipped where the shared data is absent. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { cosine, fullLength, norm } from "../steering_vector.ts";
import { readControlVectors } from "./control_vectors.ts";
import { parseGguf } from "./gguf_reader.ts";
import { readTorchTensor, type TorchTensor } from "./torch_file.ts";

const folder = fileURLToPath(new URL("../../../../shared/data/steering/", import.meta.url));
const ignore = !existsSync(folder);
if (ignore) console.log(`skipped: no published vectors in ${folder}`);

const tensor = z.object({
  dtype: z.string(),
  shape: z.array(z.number()),
  stride: z.array(z.number()).optional(),
  l2: z.number().optional(),
  first4: z.array(z.number()).optional(),
  storage_elements: z.number().optional(),
});
const gguf = z.object({
  version: z.number(),
  tensors: z.number(),
  shape: z.array(z.number()),
  kv_count: z.number(),
  kv: z.record(z.string(), z.union([z.string(), z.number()])),
  l2: z.record(z.string(), z.number()),
  "direction.14_first3": z.array(z.number()),
});
const goldenSchema = z.object({
  refusal_direction: z.object({
    "direction.pt": tensor,
    "mean_diffs.pt": tensor.extend({
      "l2_position_-1": z.array(z.number()),
      l2_min: z.number(),
      l2_max: z.number(),
      sum_of_l2: z.number(),
    }),
  }),
  easysteer: z.object({
    "james.pt": tensor,
    "vec_ep20_layer15.pt": tensor,
    "diffmean-1.gguf": gguf,
    "execution_avg_vector.gguf": gguf,
    "refuse-pca.gguf": gguf,
    "cosine_direction.0": z.record(z.string(), z.number()),
  }),
});
const golden = ignore
  ? null
  : goldenSchema.parse(JSON.parse(Deno.readTextFileSync(join(folder, "golden.json"))));

/** Equal in the digits that the reference was rounded to. */
function close(actual: number, expected: number, digits = 8): void {
  assert.ok(
    Math.abs(actual - expected) <= Math.abs(expected) * 10 ** (1 - digits),
    `${actual} is not ${expected}`,
  );
}

function check(read: TorchTensor, expected: z.infer<typeof tensor>): void {
  assert.equal(read.dtype, expected.dtype);
  assert.deepEqual(read.shape, expected.shape);
  if (expected.stride !== undefined) assert.deepEqual(read.stride, expected.stride);
  if (expected.storage_elements !== undefined) assert.equal(read.storageElements, expected.storage_elements);
  if (expected.l2 !== undefined) close(norm(read.data), expected.l2);
  expected.first4?.forEach((x, i) => close(read.data[i] as number, x));
}

for (const name of ["james.pt", "vec_ep20_layer15.pt"] as const) {
  Deno.test(`readTorchTensor() reads ${name} exactly`, { ignore }, async () => {
    assert.ok(golden);
    check(await readTorchTensor(join(folder, "easysteer", name)), golden.easysteer[name]);
  });
}

Deno.test("readTorchTensor() reads a direction as the view it is, and the differences it came from", {
  ignore,
}, async () => {
  assert.ok(golden);
  const expected = golden.refusal_direction;
  const direction = await readTorchTensor(join(folder, "refusal_direction/direction.pt"));
  check(direction, expected["direction.pt"]);
  const all = await readTorchTensor(join(folder, "refusal_direction/mean_diffs.pt"));
  check(all, expected["mean_diffs.pt"]);
  const [positions, layers, width] = all.shape as [number, number, number];
  const lengths = Array.from(
    { length: positions * layers },
    (_, i) => norm(all.data.subarray(i * width, (i + 1) * width)),
  );
  expected["mean_diffs.pt"]["l2_position_-1"].forEach((l2, layer) =>
    close(lengths[(positions - 1) * layers + layer] as number, l2)
  );
  close(lengths.reduce((a, b) => a + b), expected["mean_diffs.pt"].sum_of_l2);
  close(Math.max(...lengths), expected["mean_diffs.pt"].l2_max);
  close(Math.min(...lengths), expected["mean_diffs.pt"].l2_min, 3);
  const rows = lengths.map((_, i) => all.data.subarray(i * width, (i + 1) * width));
  assert.equal(rows.filter((row) => row.every((x, i) => x === direction.data[i])).length, 1);
});

for (const name of ["diffmean-1.gguf", "execution_avg_vector.gguf", "refuse-pca.gguf"] as const) {
  Deno.test(`readControlVectors() reads ${name} exactly`, { ignore }, async () => {
    assert.ok(golden);
    const expected = golden.easysteer[name];
    const path = join(folder, "easysteer", name);
    const file = parseGguf(await Deno.readFile(path), name);
    assert.equal(file.version, expected.version);
    assert.equal(file.metadata.size, expected.kv_count);
    for (const [key, value] of Object.entries(expected.kv)) assert.equal(file.metadata.get(key), value, key);
    const vectors = await readControlVectors(path, { convention: "easysteer", position: "prompt[-1]" });
    assert.deepEqual(
      vectors.map(({ layer }) => layer),
      Array.from({ length: expected.tensors }, (_, i) => i),
    );
    for (const [key, l2] of Object.entries(expected.l2)) {
      const layer = Number(key.slice("direction.".length));
      close(vectors[layer]?.scale ?? NaN, l2);
      assert.deepEqual([vectors[layer]?.vector.length], expected.shape);
    }
    const middle = file.tensors.get("direction.14")?.data;
    expected["direction.14_first3"].forEach((x, i) => close(middle?.[i] ?? NaN, x));
    const written = vectors[14];
    assert.ok(written);
    fullLength(written).forEach((x, i) =>
      assert.ok(Math.abs(x - (middle?.[i] as number)) <= 1e-6 * written.scale)
    );
  });
}

Deno.test("readControlVectors() gives vectors whose cosine is the published one", { ignore }, async () => {
  assert.ok(golden);
  for (const [pair, expected] of Object.entries(golden.easysteer["cosine_direction.0"])) {
    const [a, b] = await Promise.all(
      pair.split("|").map(async (name) => {
        const path = join(folder, "easysteer", `${name}.gguf`);
        return (await readControlVectors(path, { convention: "easysteer", position: "prompt[-1]" }))[0]
          ?.vector;
      }),
    );
    assert.ok(a && b);
    close(cosine(a, b), expected, 6);
  }
});
