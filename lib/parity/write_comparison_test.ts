import assert from "node:assert/strict";
import { compareAnswers } from "./compare.ts";
import { readLabelTable } from "./label_table.ts";
import { compareTable } from "./compare.ts";
import { readParquet } from "./parquet.ts";
import { faithful, flips, world } from "./testing/worlds.ts";
import { writeComparison } from "./write_comparison.ts";

Deno.test("writeComparison() writes rows that give the same statistics when they are read back, in CSV and parquet", async () => {
  const results = await Deno.makeTempDir();
  try {
    const comparison = compareAnswers(world("written", { n: 90, first: faithful, second: flips(0.1) }), {
      permutations: 99,
      resamples: 50,
    });
    const { files, text, json, figures } = await writeComparison(comparison, {
      results,
      name: "x",
      title: "a and b",
      simulated: true,
      details: (item) => ({ user_input: `text of ${item}\n"quoted"` }),
      about: { settings: { seed: 1 } },
    });
    assert.deepEqual(Object.keys(files).sort(), [
      "agreement",
      "confusion",
      "parquet",
      "report",
      "rows",
      "similarity",
      "statistics",
    ]);
    assert.match(text, /^Simulated/);
    assert.deepEqual(json["settings"], { seed: 1 });
    assert.ok(figures["agreement"]?.svg.includes("SIMULATED"));
    const again = compareTable(await readLabelTable(files["rows"] ?? ""));
    assert.deepEqual(again.statistics.both_parsed, comparison.statistics.both_parsed);
    assert.deepEqual(again.statistics.three_way, comparison.statistics.three_way);
    const records = await readParquet(files["parquet"] ?? "");
    assert.equal(records.length, 90);
    assert.deepEqual(
      records.map((record) => [record["item"], record["a_label"], record["b_label"], record["truth"]]),
      comparison.rows.map((row) => [row.item, row.first.label, row.second.label, row.truth]),
    );
    assert.equal(records[0]?.["user_input"], `text of ${comparison.rows[0]?.item}\n"quoted"`);
  } finally {
    await Deno.remove(results, { recursive: true });
  }
});
