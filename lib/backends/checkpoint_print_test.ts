import assert from "node:assert/strict";
import { checkpointPrint, variantPrints } from "./checkpoint_print.ts";

Deno.test("checkpointPrint() changes with any file's content, name or size, and not with time or notes", async () => {
  const folder = await Deno.makeTempDir();
  const weights = new Uint8Array(3_000_000).map((_, i) => i % 251);
  await Deno.writeFile(`${folder}/model.safetensors`, weights);
  await Deno.writeTextFile(`${folder}/config.json`, "{}");
  const print = checkpointPrint(folder);
  assert.match(print ?? "", /^[0-9a-f]{16}$/);
  await Deno.writeTextFile(`${folder}/README.md`, "notes");
  await Deno.utime(`${folder}/config.json`, 1, 1);
  assert.equal(checkpointPrint(folder), print);
  for (const at of [0, weights.length - 1]) {
    const changed = weights.slice();
    changed[at] = 252;
    await Deno.writeFile(`${folder}/model.safetensors`, changed);
    assert.notEqual(checkpointPrint(folder), print, `byte ${at}`);
  }
  await Deno.writeFile(`${folder}/model.safetensors`, weights);
  assert.equal(checkpointPrint(folder), print);
  await Deno.writeTextFile(`${folder}/config.json`, "[]");
  assert.notEqual(checkpointPrint(folder), print);
  await Deno.remove(folder, { recursive: true });
  assert.equal(checkpointPrint(folder), null);
});

Deno.test("variantPrints() tells adapters apart by what they hold, and hub ids not at all", async () => {
  const [folder, loraFolder] = [await Deno.makeTempDir(), await Deno.makeTempDir()];
  await Deno.writeTextFile(`${loraFolder}/adapter_config.json`, "{}");
  const before = variantPrints({ folder, loraFolder });
  await Deno.writeTextFile(`${loraFolder}/adapter_config.json`, "[]");
  const after = variantPrints({ folder, loraFolder });
  assert.equal(after.checkpoint, before.checkpoint);
  assert.notEqual(after.adapter, before.adapter);
  assert.deepEqual(variantPrints({ folder: null }), { checkpoint: null, adapter: null });
  for (const made of [folder, loraFolder]) await Deno.remove(made, { recursive: true });
});
