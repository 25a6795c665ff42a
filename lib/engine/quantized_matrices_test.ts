import assert from "node:assert/strict";
import { join } from "node:path";
import { loadLocalDecoder } from "./mod.ts";
import { prompt, withCheckpoint, worst } from "./testing/with_checkpoint.ts";
import type { LoadOptions } from "./types.ts";

async function logitsOf(dir: string, options: LoadOptions): Promise<Float32Array> {
  await using model = await loadLocalDecoder(dir, { threads: 1, ...options });
  const { logits } = await model.forward(prompt(40));
  return Float32Array.from(logits);
}

async function entries(cacheDir: string): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(join(cacheDir, "quantized")), ({ name }) => name);
  return names.sort();
}

async function withCache(use: (dir: string, cacheDir: string) => Promise<void>): Promise<void> {
  await withCheckpoint({ hidden: 64, biases: true }, async (dir) => {
    const cacheDir = await Deno.makeTempDir();
    try {
      await use(dir, cacheDir);
    } finally {
      await Deno.remove(cacheDir, { recursive: true });
    }
  });
}

Deno.test("q8 and q4 change the logits by no more than their rounding", async () => {
  await withCache(async (dir, cacheDir) => {
    const exact = await logitsOf(dir, {});
    const spread = Math.sqrt(exact.reduce((sum, x) => sum + x * x, 0) / exact.length);
    const miss = async (dtype: "q8" | "q4") => {
      const logits = await logitsOf(dir, { dtype, cacheDir });
      return Math.sqrt(logits.reduce((sum, x, i) => sum + (x - (exact[i] as number)) ** 2, 0) / exact.length);
    };
    const [eight, four] = [await miss("q8") / spread, await miss("q4") / spread];
    assert.ok(eight > 0 && eight < 0.03, `q8 ${eight}`);
    assert.ok(four > 2 * eight && four < 0.3, `q4 ${four}`);
  });
});

Deno.test("openQuantized() finds what it made before, by content", async () => {
  await withCache(async (dir, cacheDir) => {
    const first = await logitsOf(dir, { dtype: "q4", cacheDir });
    const made = await entries(cacheDir);
    assert.equal(made.length, 2, made.join());
    const bin = join(cacheDir, "quantized", made.find((name) => name.endsWith(".bin")) as string);
    const { ino } = await Deno.stat(bin);
    await Deno.utime(join(dir, "model.safetensors"), 1, 1);
    const elsewhere = await Deno.makeTempDir();
    for await (const { name } of Deno.readDir(dir)) {
      await Deno.copyFile(join(dir, name), join(elsewhere, name));
    }
    assert.deepEqual(await logitsOf(elsewhere, { dtype: "q4", cacheDir }), first);
    assert.equal((await Deno.stat(bin)).ino, ino, "the entry was made again");
    const weights = join(elsewhere, "model.safetensors");
    const bytes = await Deno.readFile(weights);
    (bytes[bytes.length - 10_001] as number) ^= 1; // one bit of one weight
    await Deno.writeFile(weights, bytes);
    await logitsOf(elsewhere, { dtype: "q4", cacheDir });
    assert.equal((await entries(cacheDir)).length, 4);
    await logitsOf(dir, { dtype: "q8", cacheDir });
    assert.equal((await entries(cacheDir)).length, 6);
    await Deno.remove(elsewhere, { recursive: true });
  });
});

Deno.test("openQuantized() makes damaged entries anew", async () => {
  await withCache(async (dir, cacheDir) => {
    const first = await logitsOf(dir, { dtype: "q4", cacheDir });
    const sound = await entries(cacheDir);
    const path = (suffix: string) =>
      join(cacheDir, "quantized", sound.find((name) => name.endsWith(suffix)) as string);
    const flip = async (file: string) => {
      const bytes = await Deno.readFile(file);
      (bytes[bytes.length >> 1] as number) ^= 4;
      await Deno.writeFile(file, bytes);
    };
    const damages: Record<string, () => Promise<void>> = {
      "a flipped bit": () => flip(path(".bin")),
      "a torn file": () => Deno.truncate(path(".bin"), 1000),
      "an empty file": () => Deno.truncate(path(".bin"), 0),
      "no numbers": () => Deno.remove(path(".bin")),
      "no index": () => Deno.remove(path(".json")),
      "a torn index": () => Deno.truncate(path(".json"), 40),
      "another index": () => Deno.writeTextFile(path(".json"), '{"version":0}'),
      "spans past the end": async () => {
        const text = await Deno.readTextFile(path(".json"));
        await Deno.writeTextFile(path(".json"), text.replaceAll(/"data":\[\d+/g, '"data":[99999999'));
      },
      "leftovers of a killed process": () =>
        Deno.writeTextFile(join(cacheDir, "quantized", "x.1.tmp"), "half"),
    };
    for (const [what, damage] of Object.entries(damages)) {
      await damage();
      assert.deepEqual(await logitsOf(dir, { dtype: "q4", cacheDir }), first, what);
    }
  });
});

Deno.test("openQuantized() makes one entry for loads at the same time", async () => {
  await withCache(async (dir, cacheDir) => {
    const script = `
      import { loadLocalDecoder } from ${JSON.stringify(new URL("./mod.ts", import.meta.url).href)};
      await using model = await loadLocalDecoder(Deno.args[0], { threads: 1, dtype: "q4", cacheDir: Deno.args[1] });
      const { logits } = await model.forward([1, 2, 3]);
      console.log(logits.slice(0, 9).join());`;
    const file = join(cacheDir, "load.ts");
    await Deno.writeTextFile(file, script);
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const run = () =>
      new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", "--quiet", "--config", config, file, dir, cacheDir],
      }).output();
    const [a, b] = await Promise.all([run(), run()]);
    assert.ok(
      a.success && b.success,
      new TextDecoder().decode(a.stderr) + new TextDecoder().decode(b.stderr),
    );
    assert.deepEqual(a.stdout, b.stdout);
    assert.equal((await entries(cacheDir)).length, 2);
  });
});

Deno.test("openQuantized() refuses weights that are not finite and folders it cannot write", async () => {
  await withCache(async (dir, cacheDir) => {
    const file = join(cacheDir, "file");
    await Deno.writeTextFile(file, "");
    await assert.rejects(
      loadLocalDecoder(dir, { dtype: "q4", cacheDir: file }),
      /InputError: Cannot keep .*cacheDir/,
    );
    const weights = join(dir, "model.safetensors");
    const bytes = await Deno.readFile(weights);
    const header = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    new DataView(bytes.buffer).setFloat32(8 + header + 40, NaN, true);
    await Deno.writeFile(weights, bytes);
    await assert.rejects(
      loadLocalDecoder(dir, { dtype: "q4", cacheDir }),
      /InputError: model\.embed_tokens\.weight holds numbers that are not finite/,
    );
    assert.deepEqual(await entries(cacheDir), []);
    const signal = AbortSignal.abort(new Error("enough"));
    await assert.rejects(loadLocalDecoder(dir, { dtype: "q8", cacheDir, signal }), /enough/);
  });
});

Deno.test("quantised matrices keep what no block size divides", async () => {
  await withCheckpoint({ hidden: 40, heads: 5, kvHeads: 1, intermediate: 48 }, async (dir) => {
    const cacheDir = await Deno.makeTempDir();
    const [exact, four] = [await logitsOf(dir, {}), await logitsOf(dir, { dtype: "q4", cacheDir })];
    const off = worst(exact, four); // only the MLP's second matrix has 48 columns
    assert.ok(off > 0 && off < 5, String(off));
    await Deno.remove(cacheDir, { recursive: true });
  });
});
