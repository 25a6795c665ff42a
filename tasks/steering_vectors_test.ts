/** The task as it is typed. */
import assert from "node:assert/strict";
import { filesIn, startTask, temporary } from "./testing.ts";

Deno.test("deno task steering-vectors --plan says what would be read and asked, and writes nothing", async () => {
  await using folder = await temporary();
  const args = ["--plan", "--test", "--styles", "step_by_step_reasoning", "--results", folder.path];
  const shipped = await startTask("steering-vectors", args).ended;
  assert.equal(shipped.code, 0, shipped.stderr);
  assert.match(
    shipped.stdout,
    /Vectors of pocket: layers 3,4,5,6 of 7[^]*24 pairs that ship, 48 forward passes/,
  );
  assert.match(shipped.stdout, /Nothing was sent or written/);
  const wrong = await startTask("steering-vectors", [...args, "--target", "simulated"]).ended;
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /cannot be read or steered/);
  assert.deepEqual(filesIn(folder.path), []);
});
