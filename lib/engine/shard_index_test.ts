import assert from "node:assert/strict";
import { join } from "node:path";
import { loadLocalDecoder } from "./mod.ts";
import { withCheckpoint } from "./testing/with_checkpoint.ts";

const refused = (dir: string, pattern: RegExp) => assert.rejects(loadLocalDecoder(dir), pattern);

Deno.test("a checkpoint's weights may be links within its folder or into the hub's blobs, and to nowhere else", async () => {
  await withCheckpoint({}, async (outside) => {
    await withCheckpoint({ shards: 2 }, async (dir) => {
      const shard = join(dir, "model-2-of-2.safetensors");
      await Deno.rename(shard, join(dir, "renamed"));
      await Deno.symlink("renamed", shard);
      await (await loadLocalDecoder(dir))[Symbol.asyncDispose]();
      await Deno.remove(shard);
      await Deno.symlink(join(outside, "model.safetensors"), shard);
      await refused(dir, /InputError: .*model-2-of-2\.safetensors is a link that leads out of its folder/);
      await Deno.remove(shard);
      await Deno.symlink("/dev/zero", shard);
      await refused(dir, /InputError: .*leads out of its folder/);
    });
    const home = await Deno.makeTempDir();
    const snapshot = join(home, "snapshots", "c0ffee");
    await Deno.mkdir(join(home, "blobs"));
    await Deno.mkdir(snapshot, { recursive: true });
    for (const { name } of [...Deno.readDirSync(outside)]) {
      await Deno.copyFile(join(outside, name), join(home, "blobs", name));
      await Deno.symlink(join("..", "..", "blobs", name), join(snapshot, name));
    }
    await (await loadLocalDecoder(snapshot))[Symbol.asyncDispose]();
    const weights = join(snapshot, "model.safetensors");
    await Deno.remove(weights);
    await Deno.symlink(join(outside, "model.safetensors"), weights);
    await refused(snapshot, /InputError: .*leads out of its folder/);
    await Deno.remove(home, { recursive: true });
  });
});

Deno.test("pickled weights are named and refused, whatever the index calls them", async () => {
  await withCheckpoint({}, async (dir) => {
    await Deno.rename(join(dir, "model.safetensors"), join(dir, "pytorch_model.bin"));
    await refused(dir, /InputError: .*pytorch_model\.bin may be pickled.*safetensors/);
    const index = join(dir, "model.safetensors.index.json");
    for (
      const shard of [
        "pytorch_model.bin",
        "../x.safetensors",
        "/x.safetensors",
        ".hidden.safetensors",
        "a/b.safetensors",
      ]
    ) {
      await Deno.writeTextFile(index, JSON.stringify({ weight_map: { "lm_head.weight": shard } }));
      await refused(dir, /InputError: .*names the shard .* same folder/);
    }
    // A pickle under a safetensors name: its first bytes are no header length.
    await Deno.writeTextFile(index, JSON.stringify({ weight_map: { "lm_head.weight": "x.safetensors" } }));
    await Deno.writeFile(
      join(dir, "x.safetensors"),
      Uint8Array.from([0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a]),
    );
    await refused(dir, /InputError: .*x\.safetensors is not a sound safetensors file/);
  });
});
