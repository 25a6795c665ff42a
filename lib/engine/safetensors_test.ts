import assert from "node:assert/strict";
import fc from "fast-check";
import { readSafetensorsHeader, readTensor } from "./safetensors.ts";
import { encodeSafetensors, joinSafetensors } from "./write_safetensors.ts";

async function withFile<T>(bytes: Uint8Array, use: (path: string) => Promise<T>): Promise<T> {
  const path = await Deno.makeTempFile({ suffix: ".safetensors" });
  try {
    await Deno.writeFile(path, bytes);
    return await use(path);
  } finally {
    await Deno.remove(path);
  }
}

const floats = (dtype: string, shape: unknown, offsets: unknown) =>
  JSON.stringify({ a: { dtype, shape, data_offsets: offsets } });

Deno.test("readTensor() gives back what was written, rounded to its dtype", async () => {
  const float = fc.float({ noNaN: true, min: -60000, max: 60000 });
  const sample = fc.sample(fc.array(float, { minLength: 1, maxLength: 30 }), { numRuns: 20, seed: 1 });
  for (const [i, values] of sample.entries()) {
    for (const [dtype, error] of [["F32", 0], ["F16", 2 ** -11], ["BF16", 2 ** -8]] as const) {
      const data = Float32Array.from(values);
      const bytes = encodeSafetensors({
        pad: { dtype: "F16", shape: [i % 3], data: new Float32Array(i % 3) },
        a: { dtype, shape: [values.length], data },
      });
      await withFile(bytes, async (path) => {
        const entry = (await readSafetensorsHeader(path)).get("a");
        assert.ok(entry);
        const read = await readTensor("a", entry);
        for (const [j, x] of data.entries()) {
          assert.ok(
            Math.abs((read[j] as number) - x) <= Math.abs(x) * error + 2 ** -24,
            `${dtype} ${x} read as ${read[j]}`,
          );
        }
      });
    }
  }
});

const eight = new Uint8Array(8);
const unsound: Readonly<Record<string, Uint8Array>> = {
  "it is empty": new Uint8Array(),
  "its header length is beyond the file": Uint8Array.from([255, 0, 0, 0, 0, 0, 0, 0, 123, 125]),
  "its header length is astronomic": Uint8Array.from([255, 255, 255, 255, 255, 255, 255, 255, 123, 125]),
  "its header is not JSON": joinSafetensors("{nonsense", [eight]),
  "its header is a list": joinSafetensors("[1, 2]", [eight]),
  "its header is not UTF-8": joinSafetensors("{}", [eight]).with(8, 0xff),
  "a dtype is unknown": joinSafetensors(floats("F128", [1], [0, 8]), [eight]),
  "a dtype lies about its size": joinSafetensors(floats("F16", [2], [0, 8]), [eight]),
  "a shape is negative": joinSafetensors(floats("F32", [-2], [0, 8]), [eight]),
  "a shape overflows": joinSafetensors(floats("F32", [2 ** 52, 2 ** 52, 2 ** 52], [0, 8]), [eight]),
  "offsets are beyond the data": joinSafetensors(floats("F32", [4], [0, 16]), [eight]),
  "offsets run backwards": joinSafetensors(floats("F32", [2], [8, 0]), [eight]),
  "offsets are fractions": joinSafetensors(floats("F32", [2], [0, 8.5]), [eight]),
  "tensors overlap": joinSafetensors(
    JSON.stringify({
      a: { dtype: "F32", shape: [2], data_offsets: [0, 8] },
      b: { dtype: "F32", shape: [1], data_offsets: [4, 8] },
    }),
    [eight],
  ),
  "there is a gap": joinSafetensors(floats("F32", [1], [4, 8]), [eight]),
  "bytes follow the last tensor": joinSafetensors(floats("F32", [1], [0, 4]), [eight]),
};

for (const [what, bytes] of Object.entries(unsound)) {
  Deno.test(`readSafetensorsHeader() refuses a file when ${what}`, async () => {
    await withFile(bytes, async (path) => {
      await assert.rejects(readSafetensorsHeader(path), (error: Error) => {
        assert.equal(error.name, "InputError");
        assert.ok(error.message.includes(path), error.message);
        return true;
      });
    });
  });
}

Deno.test("readSafetensorsHeader() refuses or reads any mutated file, and never fails otherwise", async () => {
  const sound = encodeSafetensors({
    a: { dtype: "F32", shape: [3, 5], data: new Float32Array(15) },
    b: { dtype: "BF16", shape: [7], data: new Float32Array(7) },
  });
  const path = await Deno.makeTempFile();
  const mutation = fc.record({
    cut: fc.nat(sound.length),
    edits: fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { maxLength: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(mutation, async ({ cut, edits }) => {
      const bytes = sound.slice(0, sound.length - (edits.length > 2 ? 0 : cut % 3));
      for (const [at, byte] of edits) bytes[at] = byte;
      await Deno.writeFile(path, bytes);
      try {
        for (const [name, entry] of await readSafetensorsHeader(path)) await readTensor(name, entry);
      } catch (error) {
        assert.equal((error as Error).name, "InputError");
      }
    }),
    { numRuns: 300, seed: 4 },
  );
  await Deno.remove(path);
});

Deno.test("readSafetensorsHeader() names the file when it does not exist", async () => {
  await assert.rejects(
    readSafetensorsHeader("no/such.safetensors"),
    /InputError: Cannot open no\/such\.safetensors/,
  );
});
