import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { createRandom } from "../../base/random.ts";
import { inFolder } from "../../base/testing/in_folder.ts";
import { mutateBytes, mutateSafetensors } from "../../engine/testing/mutate.ts";
import { encodeSafetensors } from "../../engine/write_safetensors.ts";
import { METHODS } from "../methods.ts";
import { COMPONENTS } from "../site.ts";
import { norm, type SteeringVector, unitVector } from "../steering_vector.ts";
import { encodeVector, readVector, writeVector } from "./vector_file.ts";

const example: SteeringVector = unitVector(
  {
    component: "residual",
    layer: 3,
    position: "response[:5]",
    method: "mean_diff",
    metadata: { trait: "a/b" },
  },
  [3, 4, 0],
);

Deno.test("readVector() gives back what writeVector() wrote, to the bit", async () => {
  const vector = fc.record({
    component: fc.constantFrom(...COMPONENTS),
    layer: fc.nat(200),
    method: fc.constantFrom(...METHODS),
    direction: fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 }), {
      minLength: 1,
      maxLength: 40,
    }).filter((direction) => norm(direction) > 1e-20),
    metadata: fc.dictionary(fc.stringMatching(/^[a-b]{1,9}$/), fc.string(), { noNullPrototype: true }),
  });
  await inFolder(async (folder) => {
    await fc.assert(
      fc.asyncProperty(vector, async ({ direction, ...rest }) => {
        const given = unitVector({ ...rest, position: "prompt[-1]" }, direction);
        const path = join(folder, "layer1.safetensors");
        await writeVector(path, given);
        assert.deepEqual(await readVector(path), given);
        assert.ok(Math.abs(norm(given.vector) - 1) < 1e-6);
      }),
    );
  });
});

Deno.test("readVector() refuses or reads any damaged file, and never fails otherwise", async () => {
  const sound = encodeVector(example);
  const random = createRandom(5);
  await inFolder(async (folder) => {
    const path = join(folder, "v.safetensors");
    let refused = 0;
    for (let i = 0; i < 400; i++) {
      await Deno.writeFile(path, i % 2 === 0 ? mutateBytes(sound, random) : mutateSafetensors(sound, random));
      try {
        await readVector(path);
      } catch (error) {
        assert.equal((error as Error).name, "InputError", String(error));
        refused++;
      }
    }
    assert.ok(refused > 300, `${refused} refused`);
  });
});

Deno.test("readVector() refuses a vector whose length is not 1", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "v.safetensors");
    await Deno.writeFile(path, encodeVector({ ...example, vector: Float32Array.of(2, 0, 0) }));
    await assert.rejects(readVector(path), /InputError: .*has the length 2 and not 1/);
    await Deno.writeFile(
      path,
      encodeSafetensors({ vector: { dtype: "F32", shape: [1], data: Float32Array.of(1) } }),
    );
    await assert.rejects(readVector(path), /InputError: .*metadata/);
  });
});

Deno.test("unitVector() refuses a direction that has none", () => {
  for (const direction of [[0, 0], [NaN, 1], [Infinity, 1], []]) {
    assert.throws(() => unitVector(example, direction), { name: "InputError" });
  }
});
