/** Whole LongMemEval runs on models whose behaviour is known. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { startFaultServer } from "../backends/testing/fault_server.ts";
import { finishedResults } from "../runs/sequence.ts";
import type { LongMemEvalStatistics } from "./longmemeval_report.ts";
import { planLongMemEval, startLongMemEval } from "./start_longmemeval.ts";
import { FAULT, faultModels, writeModels } from "./testing/fault_models.ts";
import { writeMemoryFiles } from "./testing/memory_files.ts";
import { inFolder } from "../base/testing/in_folder.ts";

async function run(settings: Record<string, unknown>) {
  const [finished] = finishedResults(await (await startLongMemEval(settings, { log: () => {} })).done);
  assert.ok(finished?.report);
  return { ...finished, statistics: finished.report.statistics as unknown as LongMemEvalStatistics };
}

const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
const csv = async (path: string): Promise<Record<string, string>[]> =>
  parse(await Deno.readTextFile(path), { columns: true });

Deno.test("startLongMemEval() leaves CSVs by condition, a figure with the run's name, and a report", async () => {
  await inFolder(async (results) => {
    const [planned] = await planLongMemEval({ model: "simulated", data: "sample", results });
    assert.match(planned?.text ?? "", /rows +104 planned\n[^]*our own sample of 52 questions/);
    assert.deepEqual(names(results), [], "planning writes nothing");
    const { statistics, rows, report } = await run({ model: "simulated", data: "sample", results });
    assert.equal(rows.length, 104);
    assert.ok(
      statistics.conditions.focused.raw.correct >= 48,
      "short prompts are answered by the simulated model",
    );
    assert.deepEqual(statistics.paired.raw.n, 52);
    assert.equal(statistics.types.length, 6);
    assert.match(report?.summary ?? "", /^Simulated/);
    assert.deepEqual(names(results).filter((name) => /csv|png|svg/.test(name)), [
      "simulated_longmemeval.png",
      "simulated_longmemeval.svg",
      ...["evaluated", "results"].map((kind) => `simulated_longmemeval_focused_${kind}.csv`),
      ...["evaluated", "results"].map((kind) => `simulated_longmemeval_full_${kind}.csv`),
    ]);
    for (const condition of ["focused", "full"]) {
      const written = await csv(join(results, `simulated_longmemeval_${condition}_evaluated.csv`));
      assert.equal(written.length, 52);
      assert.ok(written.every((row) => row["condition"] === condition && row["correct"] !== ""));
      assert.deepEqual(Object.keys(written[0] ?? {}).slice(0, 7), [
        ...["id", "custom_id", "condition", "question_type", "question", "answer", "token_count"],
      ]);
    }
    const again = await run({ model: "simulated", data: "sample", results });
    assert.deepEqual(again.statistics, statistics, "a finished run is read back");
  });
});

Deno.test("startLongMemEval() gives a known decay back, and classes cut prompts as truncated", async () => {
  await inFolder(async (folder) => {
    await writeMemoryFiles(folder, { questions: 200, chars: { focused: 900, full: 59_000 } });
    const settings = { data: folder, results: join(folder, "results") };
    const { statistics } = await run({ ...settings, model: "simulated" });
    // 0.98 and 0.55 are where the simulated model's curve stands at 330 and 19,700 tokens.
    const { focused, full } = statistics.conditions;
    assert.ok(focused.raw.low <= 0.98 && (focused.raw.estimate ?? 0) > 0.93, JSON.stringify(focused.raw));
    assert.ok(full.raw.low < 0.5 && full.raw.high > 0.48, JSON.stringify(full.raw));
    assert.ok(statistics.paired.raw.mcnemarP < 1e-10);
    assert.ok((statistics.paired.raw.difference?.low ?? 0) > 0.35);

    const cut = (await run({ ...settings, model: "simulated-truncates" })).statistics;
    assert.equal(cut.conditions.focused.counts.truncated, 0);
    assert.equal(cut.conditions.full.counts.truncated, 200);
    assert.equal(cut.paired.valid.n, 0);
    assert.match(cut.warnings.join(), /50\.0% of the rows sent are invalid \(200 truncated\)/);
  });
});

Deno.test("startLongMemEval() runs the test questions alone, in files of their own", async () => {
  await inFolder(async (folder) => {
    await writeMemoryFiles(folder, { questions: 306, chars: { focused: 500, full: 5000 } });
    const results = join(folder, "results");
    const { rows } = await run({ model: "simulated", data: folder, test: true, results });
    assert.equal(rows.length, 40);
    assert.ok(
      names(results).filter((name) => !name.startsWith(".")).every((name) => name.startsWith("test_")),
    );
    const [first] = await csv(join(results, "test_simulated_longmemeval_full_results.csv"));
    assert.deepEqual([first?.["_test_mode"], first?.["_original_dataset_size"]], ["true", "612"]);
  });
});

Deno.test("startLongMemEval() asks a judge what matching leaves open, by the rules of the type, once", async () => {
  await using server = await startFaultServer({
    answer(prompt) {
      if (prompt.startsWith("You check")) {
        return String(prompt.includes("one off") || prompt.includes("never mentioned"));
      }
      return prompt.includes("q0000") ? "word0" : "It can be told from the chats.";
    },
  });
  await inFolder(async (folder) => {
    await writeMemoryFiles(folder, { questions: 26, chars: { focused: 300, full: 900 } });
    const models = JSON.parse(faultModels(server.url)) as { variants: Record<string, unknown> };
    models.variants["judge"] = { ...models.variants[FAULT] as object, model: "judge" };
    Deno.env.set("PROBEBOOK_MODELS", await writeModels(folder, JSON.stringify(models)));
    try {
      const settings = { model: FAULT, judge: "judge", data: folder, results: join(folder, "results") };
      const { rows } = await run(settings);
      const judged = rows.filter(({ grade }) => grade?.judge === "match+judge");
      assert.equal(judged.length, 50, "all but the first question under both conditions");
      for (const { row, grade } of judged) {
        const type = row.params["question_type"];
        assert.equal(grade?.correct, type === "temporal-reasoning" || type === "abstention", `${type}`);
      }
      assert.equal(server.requests.length, 102);
      await run(settings);
      assert.equal(server.requests.length, 102, "nothing is sent twice");
    } finally {
      Deno.env.delete("PROBEBOOK_MODELS");
    }
  });
});

Deno.test("startLongMemEval() refuses wrong settings in words and writes nothing", async () => {
  await inFolder(async (results) => {
    const refused = (over: Record<string, unknown>, message: RegExp) =>
      assert.rejects(planLongMemEval({ model: "simulated", results, ...over }), message);
    await refused(
      { data: "/no/such/folder" },
      /InputError: There is no \/no\/such\/folder\/cleaned_longmemeval/,
    );
    await refused({ dat: "x" }, /InputError: Wrong LongMemEval settings: there is no setting dat/);
    await refused({ temperature: -1 }, /InputError: Wrong LongMemEval settings: temperature/);
    await refused({ questionTypes: "/no.json" }, /InputError: There is no \/no\.json/);
    assert.deepEqual(names(results), []);
  });
});
