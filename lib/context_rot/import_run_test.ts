import assert from "node:assert/strict";
import { parse } from "csv-parse/sync";
import { InputError } from "../base/errors.ts";
import { importRuns } from "./import_run.ts";
import { chromaNiah, inImportFolder, niahV2 } from "./testing/import_files.ts";

const names = (folder: string) => [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();

const refused = (work: Promise<unknown>, message: RegExp) =>
  assert.rejects(work, (error) => {
    assert.ok(error instanceof InputError, String(error));
    assert.match(error.message, message);
    return true;
  });

const run = () => chromaNiah([500, 10_000], (length, depth) => length === 500 || depth >= 90);

Deno.test("importRuns() writes CSVs, report and figure under a name of their own, and the same again", () =>
  inImportFolder(async (folder) => {
    const from = [await folder.csv("gpt_x_niah_evaluated.csv", run().evaluated)];
    const [first] = await importRuns({ from, as: "chroma-niah", results: folder.results });
    const written = [
      "imported_gpt_x_niah_evaluated.csv",
      "imported_gpt_x_niah_heatmap.png",
      "imported_gpt_x_niah_heatmap.svg",
      "imported_gpt_x_niah_report.json",
      "imported_gpt_x_niah_report.txt",
      "imported_gpt_x_niah_results.csv",
    ];
    const there = () => names(folder.results).filter((name) => !name.startsWith("."));
    assert.deepEqual(there(), written);
    const report = JSON.parse(await Deno.readTextFile(first?.written.reportJson ?? ""));
    assert.deepEqual(
      [report.variant, report.imported.as, report.imported.files[0].file, report.imported.files[0].records],
      ["gpt_x", "chroma-niah", "gpt_x_niah_evaluated.csv", 22],
    );
    assert.deepEqual(report.statistics.published.by_length["10000"], {
      correct: 2,
      n: 11,
      wilson95: [0.051368, 0.476981],
    });
    assert.doesNotMatch(JSON.stringify(report), new RegExp(folder.path), "no path of this machine");
    const rows: Record<string, string>[] = parse(
      await Deno.readTextFile(first?.written.csvs[0]?.evaluated ?? ""),
      { columns: true },
    );
    assert.equal(rows.length, 22);
    assert.equal(new Set(rows.map((row) => row["id"])).size, 22);
    assert.deepEqual([rows[21]?.["validity"], rows[21]?.["correct"], rows[21]?.["judge"]], [
      "correct",
      "true",
      "published",
    ]);
    const before = await Deno.readTextFile(first?.written.csvs[0]?.evaluated ?? "");
    const [second] = await importRuns({ from, as: "chroma-niah", results: folder.results });
    assert.equal(await Deno.readTextFile(second?.written.csvs[0]?.evaluated ?? ""), before);
    assert.deepEqual(there(), written);
  }));

Deno.test("importRuns() reads its own evaluated file back with the same counts", () =>
  inImportFolder(async (folder) => {
    const from = [await folder.csv("x_niah_evaluated.csv", run().evaluated)];
    const [first] = await importRuns({ from, as: "chroma-niah", results: folder.results });
    const again = {
      from: [first?.written.csvs[0]?.evaluated ?? ""],
      as: "chroma-niah",
      results: folder.results,
      name: "again",
    } as const;
    const [second] = await importRuns(again);
    assert.match(second?.text ?? "", /Accuracy: 13\/22/);
  }));

Deno.test("importRuns() overwrites no run of our own and not its source, and writes nothing when it refuses", () =>
  inImportFolder(async (folder) => {
    await Deno.mkdir(folder.results);
    const source = await folder.csv("results/x_niah_evaluated.csv", run().evaluated);
    const base = { from: [source], as: "chroma-niah", results: folder.results } as const;
    await refused(
      importRuns({ ...base, name: "x" }),
      /x_niah_evaluated.csv would be overwritten by its own import.*--name/,
    );
    await Deno.writeTextFile(`${folder.results}/mine_niah_attempts.jsonl`, "");
    await refused(importRuns({ ...base, name: "mine" }), /belongs to a run of our own called mine_niah/);
    await refused(
      importRuns({ ...base, as: "chroma-longmemeval" }),
      /looks like NIAH results.*--as chroma-niah/,
    );
    assert.deepEqual(names(folder.results), ["mine_niah_attempts.jsonl", "x_niah_evaluated.csv"]);
  }));

Deno.test("importRuns() gives the runs of one file names that any system can write", () =>
  inImportFolder(async (folder) => {
    const rows = niahV2([1000]);
    const from = [
      await folder.lines("a.jsonl", [
        ...rows,
        ...rows.map((row) => ({ ...row, model: "hf.co/x:7b", variant: "a b" })),
      ]),
    ];
    const runs = await importRuns({ from, as: "niah-v2", results: folder.results });
    assert.deepEqual(runs.map(({ written }) => written.name), [
      "imported_test_8b_traditional_niah",
      "imported_hf_co_x_7b_a_b_niah",
    ]);
  }));
