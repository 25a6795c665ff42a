import assert from "node:assert/strict";
import { hostname } from "node:os";
import { basename, join } from "node:path";
import { InputError } from "../base/errors.ts";
import { inFolder } from "../base/testing/in_folder.ts";
import { ATTEMPTS_FORMAT } from "./attempt_records.ts";
import { findRuns, readRunConfig } from "./find_runs.ts";
import { lockRun } from "./lock.ts";
import { lockHolder } from "./lock_holder.ts";
import { testIdentity } from "./testing.ts";

const header = (more = {}) =>
  `${
    JSON.stringify({ format: ATTEMPTS_FORMAT, ...testIdentity, created: "2026-01-31T10:15:00.000Z", ...more })
  }\n`;

Deno.test("findRuns() tells runs from the files around them, and gives each its own", () =>
  inFolder(async (folder) => {
    const write = (name: string, text: string) => Deno.writeTextFile(join(folder, name), text);
    await write("pocket_niah_attempts.jsonl", header());
    await write("pocket_niah_judge_attempts.jsonl", header());
    await write("pocket_niah_evaluated.csv", "");
    await write("pocket_niah_heatmap.svg", "<svg/>");
    await write("pocket_niah_plan.json", '{"config": {"seed": 3}}');
    await write("pocket_niah_shard_1_of_2_attempts.jsonl", header({ shard: "1/2" }));
    await write("pocket_niah_shard_1_of_2_evaluated.csv", "");
    await write(
      "imported_x_niah_report.json",
      JSON.stringify({ experiment: "niah", variant: "x", imported: { as: "chroma-niah" } }),
    );
    await write("other_report.json", '{"hello": 1}');
    await write("broken_attempts.jsonl", "not json\n");
    await write("empty_attempts.jsonl", "");
    await Deno.mkdir(join(folder, "pocket_niah_evaluated"));
    await write("pocket_niah_evaluated/more.svg", "<svg/>");
    const problems: string[] = [];
    const runs = await findRuns(folder, { onProblem: (problem) => problems.push(problem) });
    assert.deepEqual(runs.map(({ name, shard, imported }) => [name, shard, imported]), [
      ["imported_x_niah", null, true],
      ["pocket_niah", null, false],
      ["pocket_niah_shard_1_of_2", "1/2", false],
    ]);
    assert.match(problems.join(), /^broken cannot be read/);
    const files = runs[1]?.files;
    assert.deepEqual(files?.evaluated.map((path) => basename(path)), ["pocket_niah_evaluated.csv"]);
    assert.deepEqual(files?.figures.map((path) => basename(path)), ["pocket_niah_heatmap.svg", "more.svg"]);
    assert.deepEqual(files && await readRunConfig(files), { seed: 3 });
    await assert.rejects(findRuns(join(folder, "nowhere")), InputError);
  }));

Deno.test("lockHolder() names a living process alone, and leaves the lock as it is", () =>
  inFolder(async (folder) => {
    const [lock, attempts] = [join(folder, ".run.lock"), join(folder, "run_attempts.jsonl")];
    assert.equal(await lockHolder(lock, attempts), null);
    {
      using _held = await lockRun(lock);
      assert.equal((await lockHolder(lock, attempts))?.pid, Deno.pid);
    }
    assert.equal(await lockHolder(lock, attempts), null);
    const holder = (more: Record<string, unknown>) =>
      Deno.writeTextFile(
        lock,
        JSON.stringify({ pid: 2 ** 22 + 1, host: hostname(), since: new Date(0).toISOString(), ...more }),
      );
    if (Deno.build.os === "linux") {
      await holder({});
      assert.equal(await lockHolder(lock, attempts), null, "its process was killed");
    }
    await holder({ host: "another-machine" });
    assert.equal(await lockHolder(lock, attempts), null, "nothing was written for long");
    await Deno.writeTextFile(attempts, header());
    assert.equal((await lockHolder(lock, attempts))?.host, "another-machine");
    await Deno.writeTextFile(lock, '{"pid":');
    assert.equal(await lockHolder(lock, attempts), null, "it has not written its name yet");
  }));
