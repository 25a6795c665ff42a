import assert from "node:assert/strict";
import { removeLeftovers } from "./leftovers.ts";

Deno.test("removeLeftovers() removes what a killed process of the run was writing, and nothing else", async () => {
  const results = await Deno.makeTempDir();
  const kept = [
    "fault_niah.ipynb.12.0123abcd.tmp", // the task writes it, outside the lock
    "fault_niah_results.csv",
    "fault_niah_notes.tmp",
    "fault_niah_evaluated/score.png",
    ".fault_niah_shard_1_of_2.lock",
    "fault_niah_shard_1_of_2_results.csv.12.0123abcd.tmp",
    ".fault_niah_more.lock",
    "fault_niah_more_results.csv.12.0123abcd.tmp",
    "fault_niah_more.png.12.0123abcd.tmp",
    "test_fault_niah_results.csv.12.0123abcd.tmp",
  ];
  const left = [
    "fault_niah_results.csv.12.0123abcd.tmp",
    "fault_niah_plan.json.4194304.89abcdef.tmp",
    "fault_niah.png.12.0123abcd.tmp",
    "fault_niah_evaluated/score.svg.12.0123abcd.tmp",
  ];
  await Deno.mkdir(`${results}/fault_niah_evaluated`);
  for (const name of [...kept, ...left]) await Deno.writeTextFile(`${results}/${name}`, "");
  await removeLeftovers({ name: "fault_niah", results });
  const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name);
  const there = [
    ...names(results).filter((name) => name !== "fault_niah_evaluated"),
    ...names(`${results}/fault_niah_evaluated`).map((name) => `fault_niah_evaluated/${name}`),
  ];
  assert.deepEqual(there.sort(), kept.sort());
  await Deno.remove(results, { recursive: true });
});
