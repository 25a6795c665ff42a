import assert from "node:assert/strict";
import { join } from "node:path";
import { inFolder } from "../base/testing/in_folder.ts";
import { ATTEMPTS_FORMAT } from "./attempt_records.ts";
import { followAttempts } from "./follow_attempts.ts";
import { attemptFor, testIdentity } from "./testing.ts";

const header = JSON.stringify({
  format: ATTEMPTS_FORMAT,
  ...testIdentity,
  rows: 3,
  created: "2026-01-31T10:15:00.000Z",
});
const line = (id: string, more = {}) => JSON.stringify({ ...attemptFor(id), ...more });

Deno.test("followAttempts() reads what was added, leaves a line that is being written, and takes the first done try", () =>
  inFolder(async (folder) => {
    const path = join(folder, "a.jsonl");
    const file = followAttempts(path);
    assert.equal(await file.poll(), false, "there is no file yet");
    const failed = line("a", {
      status: "error",
      output: "",
      error: { kind: "timeout", message: "too slow" },
    });
    await Deno.writeTextFile(path, `${header}\n${failed}\n${line("b").slice(0, 20)}`);
    assert.equal(await file.poll(), true);
    assert.equal(file.planned, 3);
    assert.deepEqual([...file.rows.keys()], ["a"]);
    assert.equal(file.rows.get("a")?.preview, "timeout: too slow");
    assert.equal(await file.poll(), false);
    await Deno.writeTextFile(
      path,
      `${header}\n${failed}\n${line("b")}\n${line("a", { output: "été 😀" })}\n${
        line("a", { output: "later" })
      }\n`,
    );
    assert.equal(await file.poll(), true);
    assert.deepEqual([file.rows.get("a")?.status, file.rows.get("a")?.attempts], ["done", 3]);
    assert.equal((await file.read("a"))?.output, "été 😀");
    assert.equal((await file.read("b"))?.output, "answer of b");
    assert.equal(await file.read("nowhere"), null);
    assert.equal(file.totals.calls, 4);
  }));

Deno.test("followAttempts() begins anew when the file is replaced or shorter, and counts damaged lines", () =>
  inFolder(async (folder) => {
    const path = join(folder, "a.jsonl");
    await Deno.writeTextFile(path, `${header}\n${line("a")}\n${line("b")}\n`);
    const file = followAttempts(path);
    await file.poll();
    await Deno.writeTextFile(join(folder, "new"), `${header}\n{"id":\n[]\n{"id":7}\n${line("c")}\n`);
    await Deno.rename(join(folder, "new"), path);
    assert.equal(await file.poll(), true);
    assert.deepEqual([...file.rows.keys()], ["c"]);
    assert.equal(file.damaged, 3);
    await Deno.remove(path);
    assert.equal(await file.poll(), true);
    assert.equal(file.rows.size, 0);
  }));
