import assert from "node:assert/strict";
import { inFolder } from "../base/testing/in_folder.ts";
import { attemptFor } from "../runs/testing.ts";
import { folderName, runFolder } from "./run_folder.ts";
import type { AnsweredRow } from "./splice_stages.ts";

const at = (...times: string[]) =>
  times.map((started) => ({ attempt: { ...attemptFor("a"), started } })) as unknown as AnsweredRow[];

Deno.test("folderName() is the time in UTC", () => {
  assert.equal(folderName("2026-01-31T10:15:09.250Z"), "20260131_101509");
  assert.equal(folderName("2026-01-31T23:15:09.250-02:00"), "20260201_011509");
});

Deno.test("runFolder() is named after the first sample, stays a plan's own, and is shared with no other run", async () => {
  await inFolder(async (results) => {
    const own = { results, run: "pocket_splice", plan: "p1" };
    const rows = at("2026-01-31T10:15:09Z", "2026-01-31T10:15:04Z");
    const folder = await runFolder(own, rows);
    assert.equal(folder, `${results}/20260131_101504`);
    const write = async (path: string, text: string) => {
      await Deno.mkdir(path, { recursive: true });
      await Deno.writeTextFile(`${path}/metadata.json`, text);
    };
    await write(folder, JSON.stringify({ run: own.run, plan: own.plan }));
    assert.equal(await runFolder(own, at("2026-02-01T00:00:00Z")), folder, "a plan keeps its folder");
    const other = await runFolder({ ...own, run: "other_splice" }, rows);
    assert.equal(other, `${folder}_2`);
    assert.equal(await runFolder({ ...own, plan: "p2" }, rows), other);
    await write(folder, `{"run": "pocket_spl`);
    assert.equal(await runFolder(own, rows), folder, "a torn file is written anew");
    assert.equal(await runFolder(own, rows, "_pocket"), `${folder}_pocket`);
  });
});
