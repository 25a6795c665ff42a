import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { filesIn, startTask, temporary } from "./testing.ts";

Deno.test("deno task migrate says every move, does it, and undoes it", async () => {
  await using folder = await temporary();
  const old = join(folder.path, "exp");
  const files = [
    "extraction/t/responses/a.json",
    "steering/t/response__5/results.json",
    "inference/raw/s/1.pt",
  ];
  for (const file of files) {
    await Deno.mkdir(dirname(join(old, file)), { recursive: true });
    await Deno.writeTextFile(join(old, file), file);
  }
  await Deno.writeTextFile(join(old, "config.json"), '{"model": "a/b"}');
  const results = join(folder.path, "results");
  const flags = ["--from", old, "--to", results, "--experiments", join(folder.path, "experiments")];
  const run = async (...more: string[]) => await startTask("migrate", [...flags, ...more]).ended;
  const dry = await run("--dry-run");
  assert.equal(dry.code, 0, dry.stderr);
  for (const file of files) assert.ok(dry.stdout.includes(`${join(old, file)} -> ${results}/exp/`), file);
  assert.match(
    dry.stdout,
    /3 files would be moved, 0 are where they belong, 1 config\.json would be rewritten/,
  );
  assert.deepEqual(filesIn(folder.path), ["exp"]);
  assert.match((await run()).stdout, /3 files moved into/);
  assert.equal(
    await Deno.readTextFile(join(results, "exp/steering/t/base/response__5/steering/results.json")),
    "steering/t/response__5/results.json",
  );
  assert.match((await run()).stdout, /Nothing to move/);
  assert.match((await run("--roll-back")).stdout, /3 files moved back/);
  for (const file of files) assert.equal(await Deno.readTextFile(join(old, file)), file);
  const again = await run("--roll-back");
  assert.deepEqual([again.code, /nothing to undo/.test(again.stderr)], [2, true]);
});

Deno.test("deno task migrate ends with 2 when it is not told from where", async () => {
  const { code, stderr } = await startTask("migrate", []).ended;
  assert.equal(code, 2);
  assert.match(stderr, /--from is missing/);
});
