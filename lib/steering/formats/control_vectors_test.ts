import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { createRandom } from "../../base/random.ts";
import { inFolder } from "../../base/testing/in_folder.ts";
import { mutateBytes } from "../../engine/testing/mutate.ts";
import { fullLength, norm, type SteeringVector, unitVector } from "../steering_vector.ts";
import {
  encodeControlVectors,
  LAYER_CONVENTIONS,
  readControlVectors,
  writeControlVectors,
} from "./control_vectors.ts";
import { parseGguf } from "./gguf_reader.ts";
import { GgufWriter } from "./gguf_writer.ts";
import { readAsLlamaCpp } from "./testing/llama_cpp_reader.ts";

const WIDTH = 6;

function vectorAt(layer: number, seed = layer): SteeringVector {
  const random = createRandom(seed);
  const direction = Array.from({ length: WIDTH }, () => 3 * (random.next() - 0.5));
  return unitVector(
    { component: "residual", layer, position: "prompt[-1]", method: "mean_diff", metadata: {} },
    direction,
  );
}

Deno.test("readControlVectors() gives back what writeControlVectors() wrote, in every convention", async () => {
  const layers = fc.uniqueArray(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 8 });
  await inFolder(async (folder) => {
    await fc.assert(
      fc.asyncProperty(layers, fc.constantFrom(...LAYER_CONVENTIONS), async (layers, convention) => {
        const vectors = layers.map((layer) => vectorAt(layer));
        const path = join(folder, "v.gguf");
        await writeControlVectors(path, vectors, { convention, length: "kept" });
        const read = await readControlVectors(path, { convention, position: "all[:]" });
        assert.deepEqual(read.map(({ layer }) => layer), layers.toSorted((a, b) => a - b));
        for (const one of read) {
          const given = vectorAt(one.layer);
          assert.equal(one.position, "prompt[-1]");
          assert.equal(one.method, "mean_diff");
          assert.ok(Math.abs(one.scale / given.scale - 1) < 1e-6);
          one.vector.forEach((x, i) => assert.ok(Math.abs(x - (given.vector[i] as number)) < 1e-6));
        }
      }),
      { numRuns: 40 },
    );
  });
});

for (
  const [convention, first] of [["repeng", "direction.3"], ["llama.cpp", "direction.4"], [
    "easysteer",
    "direction.3",
  ]] as const
) {
  Deno.test(`encodeControlVectors() calls the output of block 3 ${first} when layers are counted as ${convention} does`, () => {
    const file = parseGguf(
      encodeControlVectors([vectorAt(3)], { convention, length: "unit", modelHint: "m" }),
      "it",
    );
    assert.deepEqual([...file.tensors.keys()], [first]);
    assert.deepEqual(file.tensors.get(first)?.data, vectorAt(3).vector);
    assert.equal(file.metadata.get("general.architecture"), "controlvector");
    assert.equal(file.metadata.get("controlvector.model_hint"), "m");
  });
}

Deno.test("encodeControlVectors() refuses block 0 where llama.cpp would refuse the file, and vectors that do not fit", () => {
  const encode = (...vectors: SteeringVector[]) =>
    encodeControlVectors(vectors, { convention: "repeng", length: "unit" });
  assert.throws(() => encode(vectorAt(0)), /InputError: .*no direction for the output of block 0/);
  assert.throws(() => encode(), /InputError: .*there is none/);
  assert.throws(() => encode(vectorAt(2), vectorAt(2, 9)), /InputError: .*layer 2 has two/);
  assert.throws(() => encode({ ...vectorAt(2), component: "mlp_out" }), /InputError: .*mlp_out/);
  assert.throws(
    () => encode(vectorAt(2), { ...vectorAt(3), vector: Float32Array.of(1) }),
    /InputError: .*wide/,
  );
  assert.throws(() => encode(vectorAt(2), { ...vectorAt(3), method: "probe" }), /InputError: .*differ/);
  assert.equal(
    encodeControlVectors([vectorAt(0)], { convention: "easysteer", length: "unit" }).length > 0,
    true,
  );
});

Deno.test("readControlVectors() refuses a file of ours that is read in another convention", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "v.gguf");
    await writeControlVectors(path, [vectorAt(3)], { convention: "llama.cpp", length: "unit" });
    await assert.rejects(
      readControlVectors(path, { convention: "repeng", position: "prompt[-1]" }),
      /InputError: .*counted as llama\.cpp does, not as repeng/,
    );
  });
});

Deno.test("readControlVectors() refuses direction.0 unless layers are counted from it, and leaves zeros out", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "v.gguf");
    const writer = new GgufWriter().string("general.architecture", "controlvector");
    writer.tensor("direction.0", [2], "F32");
    writer.tensor("direction.1", [2], "F32");
    await writer.write(path, [() => Float32Array.of(3, 4), () => new Float32Array(2)]);
    const read = await readControlVectors(path, { convention: "easysteer", position: "prompt[-1]" });
    assert.deepEqual(read.map(({ layer, scale, method }) => [layer, scale, method]), [[0, 5, "imported"]]);
    for (const convention of ["repeng", "llama.cpp"] as const) {
      await assert.rejects(
        readControlVectors(path, { convention, position: "prompt[-1]" }),
        /InputError: .*direction\.0/,
      );
    }
  });
});

Deno.test("parseGguf() refuses or reads any damaged file, and never fails otherwise", () => {
  const sound = encodeControlVectors([vectorAt(1), vectorAt(2)], { convention: "repeng", length: "kept" });
  const random = createRandom(3);
  let refused = 0;
  for (let i = 0; i < 3000; i++) {
    try {
      parseGguf(mutateBytes(sound, random), "it");
    } catch (error) {
      assert.equal((error as Error).name, "InputError", String((error as Error).stack));
      refused++;
    }
  }
  assert.ok(refused > 1000, `${refused} refused`);
});

const u64 = (value: bigint) => [...new Uint8Array(BigUint64Array.of(value).buffer)];
const head = (tensors: bigint, keys: bigint) =>
  Uint8Array.from([
    ...new TextEncoder().encode("GGUF"),
    3,
    0,
    0,
    0,
    ...u64(tensors),
    ...u64(keys),
    ...Array(64).fill(0),
  ]);
for (
  const [what, bytes] of [
    ["it claims endless tensors", head(2n ** 62n, 0n)],
    ["it claims endless metadata", head(0n, 2n ** 64n - 1n)],
    ["it is of another version", head(0n, 0n).with(4, 9)],
    ["it is empty", new Uint8Array()],
  ] as const
) {
  Deno.test(`parseGguf() refuses a file when ${what}`, () => {
    assert.throws(() => parseGguf(bytes, "it"), { name: "InputError" });
  });
}

const noLlama = Deno.env.get("PROBEBOOK_LLAMA_CPP") === undefined;
if (noLlama) console.log("skipped: PROBEBOOK_LLAMA_CPP does not name a folder with llama.cpp's libraries");

Deno.test("llama.cpp's reader takes what is written, each direction for the block it is for", {
  ignore: noLlama,
}, async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "a-control-vector-with-a-long-name.gguf");
    const vectors = [vectorAt(1), vectorAt(4)];
    await writeControlVectors(path, vectors, { convention: "repeng", length: "kept" });
    const read = readAsLlamaCpp(path);
    assert.equal(read?.width, WIDTH);
    const expected = new Float32Array(4 * WIDTH); // llama.cpp's list begins with direction.1
    for (const vector of vectors) expected.set(fullLength(vector), (vector.layer - 1) * WIDTH);
    assert.deepEqual(read?.data, expected);
    assert.ok(norm(expected) > 0);
    await writeControlVectors(path, [vectorAt(0)], { convention: "easysteer", length: "kept" });
    assert.equal(readAsLlamaCpp(path)?.width, -1);
  });
});
