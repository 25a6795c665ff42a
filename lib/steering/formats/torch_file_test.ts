import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { createRandom } from "../../base/random.ts";
import { inFolder } from "../../base/testing/in_folder.ts";
import { mutateBytes } from "../../engine/testing/mutate.ts";
import { encodePickle, encodeTorch, pickle as p, type Piece } from "./testing/write_torch.ts";
import { encodeZip } from "./testing/write_zip.ts";
import { readTorchFile, readTorchTensor, type TorchValue } from "./torch_file.ts";

async function reading<T>(bytes: Uint8Array, read: (path: string) => Promise<T>): Promise<T> {
  let out: T | undefined;
  await inFolder(async (folder) => {
    const path = join(folder, "file.pt");
    await Deno.writeFile(path, bytes);
    out = await read(path);
  });
  return out as T;
}

const ints = (values: readonly number[]) => values.map((value) => p.int(value));
const floats = (kind: string, elements: number, offset: number, shape: number[], stride: number[]) =>
  p.tensor(p.storage(kind, "0", p.int(elements)), p.int(offset), ints(shape), ints(stride));

Deno.test("readTorchTensor() reads a view by its offset, shape and strides, whatever they are", async () => {
  const view = fc.record({
    offset: fc.nat(5),
    axes: fc.array(fc.record({ size: fc.nat(4), stride: fc.nat(7) }), { maxLength: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(view, async ({ offset, axes }) => {
      const last = axes.reduce((sum, { size, stride }) => sum + Math.max(size - 1, 0) * stride, offset);
      const storage = Float64Array.from({ length: last + 1 }, (_, i) => i + 0.5);
      const [shape, stride] = [axes.map(({ size }) => size), axes.map(({ stride }) => stride)];
      const file = encodeTorch([floats("DoubleStorage", storage.length, offset, shape, stride)], {
        "0": storage,
      });
      const tensor = await reading(file, readTorchTensor);
      const expected: number[] = [];
      const walk = (axis: number, at: number) => {
        if (axis === axes.length) return void expected.push(storage[at] as number);
        for (let i = 0; i < (shape[axis] as number); i++) walk(axis + 1, at + i * (stride[axis] as number));
      };
      walk(0, offset);
      assert.deepEqual([...tensor.data], expected);
      assert.deepEqual(tensor.shape, shape);
      assert.equal(tensor.storageElements, storage.length);
    }),
    { numRuns: 60 },
  );
});

for (
  const [kind, dtype, storage, values] of [
    ["FloatStorage", "float32", Float32Array.of(0.5, -3e38), [0.5, Math.fround(-3e38)]],
    ["HalfStorage", "float16", Float16Array.of(0.5, -2), [0.5, -2]],
    ["BFloat16Storage", "bfloat16", Uint16Array.of(0x3f80, 0xc000), [1, -2]],
    ["LongStorage", "int64", BigInt64Array.of(-5n, 2n ** 53n - 1n), [-5, 2 ** 53 - 1]],
    ["IntStorage", "int32", Int32Array.of(-5, 7), [-5, 7]],
    ["ShortStorage", "int16", Int16Array.of(-5, 7), [-5, 7]],
    ["CharStorage", "int8", Int8Array.of(-5, 7), [-5, 7]],
    ["ByteStorage", "uint8", Uint8Array.of(250, 7), [250, 7]],
    ["BoolStorage", "bool", Uint8Array.of(1, 0), [1, 0]],
  ] as const
) {
  Deno.test(`readTorchTensor() reads ${dtype}`, async () => {
    const tensor = await reading(
      encodeTorch([floats(kind, 2, 0, [2], [1])], { "0": storage }),
      readTorchTensor,
    );
    assert.equal(tensor.dtype, dtype);
    assert.deepEqual([...tensor.data], values);
  });
}

Deno.test("readTorchFile() gives dictionaries and lists, and readTorchTensor() a tensor in them by its keys", async () => {
  const tensor = floats("FloatStorage", 4, 2, [2], [1]);
  const file = encodeTorch(
    [p.dict([p.text("layers"), p.list(tensor, p.none)], [p.text("scale"), p.int(3)])],
    { "0": Float32Array.of(1, 2, 3, 4) },
  );
  const value = await reading(file, readTorchFile) as ReadonlyMap<string, TorchValue>;
  assert.equal(value.get("scale"), 3);
  assert.deepEqual([...(await reading(file, (path) => readTorchTensor(path, "layers.0"))).data], [3, 4]);
  await assert.rejects(
    reading(file, (path) => readTorchTensor(path, "layers.1")),
    /InputError: .*it has "layers\.0"/,
  );
});

const numpy = (rows: Piece, dtype: string, fortran: boolean, text: string) =>
  join2(
    p.reduce(
      p.global("numpy.core.multiarray", "_reconstruct"),
      p.global("numpy", "ndarray"),
      p.tuple(p.int(0)),
      p.none,
    ),
    p.tuple(
      p.int(1),
      rows,
      join2(
        p.reduce(p.global("numpy", "dtype"), p.text(dtype), p.false, p.raw(0x88)),
        p.tuple(p.int(3), p.text("<"), p.none, p.none, p.none, p.int(-1), p.int(-1), p.int(0)),
        p.raw(0x62),
      ),
      p.raw(fortran ? 0x88 : 0x89),
      p.reduce(p.global("_codecs", "encode"), p.text(text), p.text("latin1")),
    ),
    p.raw(0x62),
  );

function join2(...parts: Piece[]): Piece {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

Deno.test("readTorchTensor() reads a numpy array inside the pickle, in either order", async () => {
  const numbers = Float32Array.of(1, 2, 3, 4, 5, 6);
  const text = String.fromCharCode(...new Uint8Array(numbers.buffer));
  const rows = p.tuple(p.int(2), p.int(3));
  const c = await reading(encodeTorch([numpy(rows, "f4", false, text)]), readTorchTensor);
  assert.deepEqual([[...c.data], c.shape, c.dtype], [[1, 2, 3, 4, 5, 6], [2, 3], "float32"]);
  const fortran = await reading(encodeTorch([numpy(rows, "f4", true, text)]), readTorchTensor);
  assert.deepEqual([...fortran.data], [1, 3, 5, 2, 4, 6]);
});

const system = p.reduce(p.global("os", "system"), p.text("touch ran"));
const self = join2(p.raw(0x5d), p.put(1), p.get(1), p.raw(0x61)); // a list that holds itself
const deep = join2(p.raw(...new Array(5000).fill(0x5d)), p.raw(...new Array(4999).fill(0x61)));
const doubling = join2(
  p.raw(0x5d),
  p.put(0),
  ...Array.from({ length: 40 }, (_, i) => join2(p.list(p.get(i), p.get(i)), p.put(i + 1))),
);
const four = Float32Array.of(1, 2, 3, 4);
const hostile: Readonly<Record<string, readonly [Uint8Array, RegExp]>> = {
  "it calls os.system": [encodeTorch([system]), /os\.system.*may run code/],
  "it calls builtins.eval": [
    encodeTorch([p.reduce(p.global("builtins", "eval"), p.text("1"))]),
    /builtins\.eval/,
  ],
  "it names a function by STACK_GLOBAL": [
    encodeTorch([p.text("posix"), p.text("system"), p.raw(0x93)]),
    /posix\.system/,
  ],
  "it names torch.load": [encodeTorch([p.global("torch.storage", "_load_from_bytes")]), /_load_from_bytes/],
  "it names a member of every object": [
    encodeTorch([p.global("torch", "constructor")]),
    /torch\.constructor/,
  ],
  "it makes an object (NEWOBJ)": [
    encodeTorch([p.global("numpy", "ndarray"), p.raw(0x29, 0x81)]),
    /opcode 0x81/,
  ],
  "it makes an instance (INST)": [encodeTorch([p.raw(0x28, 0x69, 0x61, 0x0a, 0x62, 0x0a)]), /opcode 0x69/],
  "it sets the state of a list": [encodeTorch([p.list(), p.dict(), p.raw(0x62)]), /sets the state/],
  "it calls a text": [encodeTorch([p.reduce(p.text("os.system"), p.text("true"))]), /cannot be called/],
  "a list holds itself": [encodeTorch([self]), /holds itself/],
  "lists lie 5,000 deep": [encodeTorch([deep]), /too many values in one another/],
  "lists double forty times": [encodeTorch([doubling]), /too many values/],
  "it piles up marks": [encodeTorch([new Uint8Array(200_001).fill(0x28)]), /piles up/],
  "it recalls what it never kept": [encodeTorch([p.get(4_000_000_000)]), /never kept/],
  "it has no end": [encodeZip({ "a/data.pkl": { data: encodePickle(p.none).slice(0, -1) } }), /cut short/],
  "a text claims 4 GB": [encodeTorch([p.raw(0x58, 255, 255, 255, 255)]), /cut short/],
  "its protocol is unknown": [
    encodeZip({ "a/data.pkl": { data: Uint8Array.of(0x80, 9, 0x4e, 0x2e) } }),
    /protocol 9/,
  ],
  "a shape is overlong": [
    encodeTorch([floats("FloatStorage", 4, 0, [2 ** 30, 2 ** 30], [0, 0])], { "0": four }),
    /more than \d+ elements/,
  ],
  "a shape is negative": [encodeTorch([floats("FloatStorage", 4, 0, [-1], [1])], { "0": four }), /counts/],
  "a stride leaves the storage": [
    encodeTorch([floats("FloatStorage", 4, 0, [2], [4])], { "0": four }),
    /element 4 of 4/,
  ],
  "an offset leaves the storage": [
    encodeTorch([floats("FloatStorage", 4, 3, [2], [1])], { "0": four }),
    /element 4 of 4/,
  ],
  "a storage claims more than it has": [
    encodeTorch([floats("FloatStorage", 9, 8, [1], [1])], { "0": four }),
    /of 9 float32 has 16 bytes/,
  ],
  "a storage is missing": [encodeTorch([floats("FloatStorage", 4, 0, [4], [1])]), /lacks the storage/],
  "a storage lies elsewhere": [
    encodeTorch([p.tensor(p.storage("FloatStorage", "../../x", p.int(1)), p.int(0), ints([1]), ints([1]))]),
    /lacks the storage/,
  ],
  "a whole number is too large": [
    encodeTorch([floats("LongStorage", 1, 0, [1], [1])], { "0": BigInt64Array.of(2n ** 60n) }),
    /1152921504606846976/,
  ],
  "an array has too few bytes": [encodeTorch([numpy(p.tuple(p.int(9)), "f4", false, "abcd")]), /has 4 bytes/],
  "an array holds objects": [encodeTorch([numpy(p.tuple(p.int(1)), "O", false, "abcd")]), /type "O"/],
  "it is of the other byte order": [
    encodeTorch([p.none], {}, { "archive/byteorder": { data: new TextEncoder().encode("big") } }),
    /byte order/,
  ],
  "it has two pickles": [
    encodeTorch([p.none], {}, { "b/data.pkl": { data: encodePickle(p.none) } }),
    /2 entries/,
  ],
  "it is no archive": [new TextEncoder().encode("hello, this is a text"), /no zip archive/],
  "it is a bare pickle": [encodePickle(system), /bare pickle/],
  "it is empty": [new Uint8Array(), /no zip archive/],
  "an entry unpacks to more than it claims": [
    encodeTorch([floats("FloatStorage", 4, 0, [4], [1])], {}, {
      "archive/data/0": { data: new Uint8Array(50_000_000), deflate: true, claimedSize: 16 },
    }),
    /cannot be unpacked to the 16 bytes/,
  ],
  "an entry unpacks to less than it claims": [
    encodeTorch([floats("FloatStorage", 4, 0, [4], [1])], {}, {
      "archive/data/0": { data: new Uint8Array(8), deflate: true, claimedSize: 16 },
    }),
    /has 8 bytes and claims 16/,
  ],
  "a pickle claims to unpack to 4 GB": [
    encodeZip({ "a/data.pkl": { data: new Uint8Array(100), deflate: true, claimedSize: 4_000_000_000 } }),
    /its pickle has 4000000000 bytes/,
  ],
};

for (const [what, [bytes, message]] of Object.entries(hostile)) {
  Deno.test(`readTorchFile() refuses a file and runs nothing when ${what}`, async () => {
    await inFolder(async (folder) => {
      const path = join(folder, "file.pt");
      await Deno.writeFile(path, bytes);
      const before = Deno.memoryUsage().rss;
      await assert.rejects(readTorchFile(path), (error: Error) => {
        assert.equal(error.name, "InputError", String(error));
        assert.match(error.message, message);
        assert.ok(error.message.includes(path), error.message);
        return true;
      });
      assert.ok(Deno.memoryUsage().rss - before < 300_000_000, "it took memory");
      assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["file.pt"]);
    });
  });
}

Deno.test("readTorchFile() refuses or reads any damaged file, and never fails otherwise", async () => {
  const tensor = floats("FloatStorage", 4, 1, [3], [1]);
  const text = String.fromCharCode(...new Uint8Array(four.buffer));
  const pieces = [p.dict([p.text("a"), tensor], [p.text("b"), numpy(p.tuple(p.int(4)), "f4", false, text)])];
  const whole = encodeTorch(pieces, { "0": four });
  const inner = encodePickle(...pieces);
  const random = createRandom(11);
  let refused = 0;
  await inFolder(async (folder) => {
    const path = join(folder, "file.pt");
    for (let i = 0; i < 1200; i++) {
      // Half of them with a sound archive around a damaged pickle, or the check sums would catch all.
      const bytes = i % 2 === 0 ? mutateBytes(whole, random) : encodeZip({
        "a/data.pkl": { data: mutateBytes(inner, random) },
        "a/data/0": { data: new Uint8Array(16) },
      });
      await Deno.writeFile(path, bytes);
      try {
        await readTorchFile(path);
      } catch (error) {
        assert.equal((error as Error).name, "InputError", String((error as Error).stack));
        refused++;
      }
    }
  });
  assert.ok(refused > 600 && refused < 1200, `${refused} of 1200 refused`);
});
