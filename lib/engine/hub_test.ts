import assert from "node:assert/strict";
import { join } from "node:path";
import { type Clock, systemClock } from "../base/clock.ts";
import { exportOnnx } from "./export_onnx.ts";
import { fetchCheckpoint, type HubOptions } from "./hub.ts";
import { loadDecoder } from "./mod.ts";
import { type HubServer, startHubServer } from "./testing/hub_server.ts";
import { withCheckpoint, worst } from "./testing/with_checkpoint.ts";

const REPO = "some-lab/tiny.model";

interface Setup {
  readonly server: HubServer;
  readonly cache: string;
  /** Milliseconds waited between tries. */
  readonly waits: number[];
  /** Fetches REPO with the server as the hub. */
  readonly fetch: (options?: HubOptions, env?: Record<string, string>) => Promise<string>;
}

/** A hub with a tiny checkpoint of so many shards, and an empty cache. */
async function withHub(
  options: { readonly shards?: number; readonly token?: string },
  use: (setup: Setup) => Promise<void>,
): Promise<void> {
  await withCheckpoint({ shards: options.shards ?? 1 }, async (dir) => {
    const files: Record<string, Uint8Array | string> = {
      "README.md": "not wanted",
      "pytorch_model.bin": "not wanted",
    };
    for await (const { name } of Deno.readDir(dir)) files[name] = await Deno.readFile(join(dir, name));
    await using server = startHubServer(REPO, files, options);
    const cache = await Deno.makeTempDir();
    const waits: number[] = [];
    const clock: Clock = {
      now: () => 0,
      sleep: (ms) => {
        waits.push(ms);
        return Promise.resolve();
      },
    };
    try {
      await use({
        server,
        cache,
        waits,
        fetch: (given = {}, env = {}) => {
          const all: Record<string, string> = { HF_ENDPOINT: server.url + "/", HF_HUB_CACHE: cache, ...env };
          return fetchCheckpoint(REPO, given, { env: (name) => all[name], clock });
        },
      });
    } finally {
      await Deno.remove(cache, { recursive: true });
    }
  });
}

async function assertWhole(folder: string, { server }: Setup): Promise<void> {
  for (const [name, content] of server.files) {
    if (/README|pytorch/.test(name)) {
      await assert.rejects(Deno.stat(join(folder, name)), `${name} is not wanted`);
    } else assert.deepEqual(await Deno.readFile(join(folder, name)), content, name);
  }
}

for (const shards of [1, 3]) {
  Deno.test(`fetchCheckpoint() downloads what is needed of ${shards} shards, once, into the hub's layout`, async () => {
    await withHub({ shards }, async (setup) => {
      const { server, cache, fetch } = setup;
      const folder = await fetch();
      assert.equal(folder, join(cache, "models--some-lab--tiny.model", "snapshots", server.commit));
      await assertWhole(folder, setup);
      const weights = server.seen.filter(({ path }) =>
        path.endsWith(".safetensors") && path.includes("model")
      );
      assert.equal(weights.filter(({ server }) => server === "cdn").length, shards);
      const before = server.seen.length;
      assert.equal(await fetch({ offline: true }), folder);
      assert.equal(await fetch({ revision: server.commit }), folder);
      assert.equal(server.seen.length, before, "nothing was asked");
      await fetch();
      assert.ok(
        server.seen.slice(before).every(({ path }) => path.startsWith("/api/")),
        "no file was asked for",
      );
    });
  });
}

Deno.test("fetchCheckpoint() goes on where a broken download ended, in this call or the next", async () => {
  await withHub({}, async (setup) => {
    const { server, cache, waits, fetch } = setup;
    const weights = "model.safetensors";
    server.faults.set(weights, [{ resetAfter: 5000 }, { status: 503 }, { resetAfter: 300 }]);
    await assertWhole(await fetch(), setup);
    const ranges = server.seen.filter((seen) => seen.server === "cdn").map(({ range }) => range);
    assert.deepEqual(ranges, [null, "bytes=5000-", "bytes=5000-", "bytes=5300-"]);
    assert.deepEqual(waits, [500, 1000, 500]);

    await Deno.remove(cache, { recursive: true });
    server.faults.set(weights, [{ resetAfter: 7000 }, ...Array(9).fill({ status: 500 })]);
    await assert.rejects(
      fetch(),
      /InputError: Cannot download .*model\.safetensors: the hub answers 500, 6 times/,
    );
    server.faults.clear();
    await assert.rejects(fetch({ offline: true }), /InputError: .*not whole.*parts: .*config\.json/);
    server.faults.set(weights, [{ ignoreRange: true }]);
    await assertWhole(await fetch(), setup);
    assert.equal(server.seen.at(-1)?.range, "bytes=7000-");
  });
});

Deno.test("fetchCheckpoint() keeps nothing that is not what the hub lists", async () => {
  await withHub({}, async (setup) => {
    const { server, fetch } = setup;
    const weights = "model.safetensors";
    const sound = server.files.get(weights) as Uint8Array;
    const changed = sound.with(9000, (sound[9000] as number) ^ 1);
    server.faults.set(weights, [{ serve: changed }, { serve: changed }]);
    await assert.rejects(fetch(), /InputError: .*model\.safetensors arrived twice with the digest/);
    server.faults.set(weights, [{ serve: new Uint8Array(sound.length + 1) }]);
    await assert.rejects(fetch(), /InputError: .*longer than the \d+ bytes/);
    server.faults.set("config.json", [{ serve: new Uint8Array(3) }]);
    server.faults.set(weights, [{ serve: changed }]);
    await assertWhole(await fetch(), setup);
  });
});

Deno.test("fetchCheckpoint() sends the token to the hub alone and never shows it", async () => {
  const token = "hf_secretsecret";
  await withHub({ token }, async (setup) => {
    const { server, fetch } = setup;
    for (const env of [{}, { HF_TOKEN: "hf_another" }, { HF_TOKEN: "nonsense-secret" }]) {
      const error: Error = await fetch({}, env as Record<string, string>).then(() => assert.fail(), (e) => e);
      assert.match(String(error), /InputError: .*HF_TOKEN/);
      assert.doesNotMatch(Deno.inspect(error, { depth: 9 }), /hf_another|nonsense-secret/);
    }
    await assertWhole(await fetch({}, { HF_TOKEN: token }), setup);
    for (const { server: where, authorization } of server.seen) {
      if (where === "cdn") assert.equal(authorization, null);
    }
    server.faults.set("list", [{ status: 500 }]);
    const error = await fetch({}, { HF_TOKEN: token }).then(() => assert.fail(), (e) => e);
    assert.doesNotMatch(Deno.inspect(error, { depth: 9 }), /hf_secret/);
  });
});

Deno.test("fetchCheckpoint() says what is missing and what to do", async () => {
  await withHub({}, async ({ server, fetch }) => {
    await assert.rejects(fetch({ offline: true }), /InputError: .*offline.*Nothing of it is in/);
    await assert.rejects(
      fetch({ revision: "v2" }),
      /InputError: The hub has no some-lab\/tiny\.model at v2 \(404\)/,
    );
    await assert.rejects(fetch({ revision: "../x" }), /InputError: .*not a revision/);
    server.faults.set("list", [{ status: 503 }]);
    await assert.rejects(fetch(), /InputError: Cannot ask http.*it answers 503.*offline: true/);
    server.faults.set("config.json", [{ status: 403 }]);
    await assert.rejects(fetch(), /InputError: .*config\.json \(403\).*HF_TOKEN/);
    await assert.rejects(
      fetch({}, { HF_ENDPOINT: "http://127.0.0.1:1" }),
      /InputError: Cannot ask http:\/\/127\.0\.0\.1:1/,
    );
    const reason = new Error("enough");
    await assert.rejects(fetch({ signal: AbortSignal.abort(reason) }), reason);
    server.listed.push({ type: "file", path: "../../escape", size: 1, oid: "0".repeat(40) });
    await assert.rejects(fetch(), /InputError: .*leads out of a folder/);
    server.listed.splice(0);
    server.files.delete("model.safetensors");
    await assert.rejects(fetch(), /InputError: .*only pickled weights \(pytorch_model\.bin\).*never read/);
    const index = (shard: string) => new TextEncoder().encode(JSON.stringify({ weight_map: { a: shard } }));
    server.files.set("model.safetensors.index.json", index("../../../evil.safetensors"));
    await assert.rejects(fetch(), /InputError: .*names the shard.*same folder/);
    server.files.set("model.safetensors.index.json", index("model-1.safetensors"));
    await assert.rejects(fetch(), /InputError: .*lacks model-1\.safetensors/);
  });
});

Deno.test("fetchCheckpoint() lets two callers of one repository share the download", async () => {
  await withHub({}, async (setup) => {
    const [a, b] = await Promise.all([setup.fetch(), setup.fetch()]);
    assert.equal(a, b);
    await assertWhole(a, setup);
    assert.equal(setup.server.seen.filter(({ server }) => server === "cdn").length, 1);
  });
});

Deno.test("loadDecoder() loads a repository by its id, here from the disk alone", async () => {
  await withHub({ shards: 2 }, async ({ server, cache, fetch }) => {
    await assert.rejects(
      loadDecoder(REPO, { cacheDir: cache, offline: true }),
      /InputError: some-lab\/tiny\.model at main is not whole on this disk/,
    );
    await fetch();
    await using model = await loadDecoder(REPO, {
      cacheDir: cache,
      offline: true,
      revision: server.commit,
    });
    assert.equal(model.numLayers, 2);
    assert.equal((await model.forward([1, 2, 3])).logits.length, 3 * model.config.vocabSize);
  });
});

Deno.test("loadDecoder() loads the ONNX export of a repository without safetensors, in the dtype asked for", async () => {
  await withCheckpoint({}, async (dir) => {
    const out = await Deno.makeTempDir();
    try {
      await exportOnnx(dir, out, { dtype: "fp32", cacheDir: join(out, "cache") });
      const files: Record<string, Uint8Array> = {};
      for await (const { name, isFile } of Deno.readDir(out)) {
        if (isFile) files[name] = await Deno.readFile(join(out, name));
      }
      for await (const { name } of Deno.readDir(join(out, "onnx"))) {
        files[`onnx/${name}`] = await Deno.readFile(join(out, "onnx", name));
      }
      files["onnx/model_fp16.onnx"] = new Uint8Array(10);
      files["onnx/model_fp16.onnx_data"] = new Uint8Array(10);
      await using server = startHubServer(REPO, files);
      const cache = join(out, "hub");
      const env: Record<string, string> = { HF_ENDPOINT: server.url, HF_HUB_CACHE: cache };
      const surroundings = { env: (name: string) => env[name], clock: systemClock };

      const data = Object.keys(files).find((name) => /model\.onnx[._]data/.test(name)) as string;
      server.faults.set("onnx/model.onnx", [{ status: 403 }]);
      await assert.rejects(fetchCheckpoint(REPO, {}, surroundings), /InputError: .*model\.onnx \(403\)/);
      await assert.rejects(fetchCheckpoint(REPO, { offline: true }, surroundings), /not whole on this disk/);
      const folder = await fetchCheckpoint(REPO, {}, surroundings);
      assert.equal(
        server.seen.filter(({ path, server }) => server === "cdn" && path.endsWith(data)).length,
        1,
      );
      assert.ok(!server.seen.some(({ path }) => path.includes("fp16")));
      assert.equal(await fetchCheckpoint(REPO, { offline: true }, surroundings), folder);

      await using ours = await loadDecoder(dir);
      await using theirs = await loadDecoder(REPO, {
        cacheDir: cache,
        offline: true,
        revision: server.commit,
      });
      const [a, b] = [await ours.forward([1, 2, 3]), await theirs.forward([1, 2, 3])];
      assert.ok(worst(a.logits, b.logits) < 2e-4);

      await assert.rejects(
        fetchCheckpoint(REPO, { dtype: "q4" }, surroundings),
        /InputError: some-lab\/tiny\.model has no export model_q4\.onnx for dtype "q4"; it has onnx\/model\.onnx, onnx\/model_fp16\.onnx/,
      );
    } finally {
      await Deno.remove(out, { recursive: true });
    }
  });
});
