import assert from "node:assert/strict";
import { parse } from "csv-parse/sync";
import { writeEvaluatedCsv, writeResultsCsv } from "./csv.ts";
import type { Attempt, GradedRow, Row } from "./experiment.ts";
import { attemptFor, rowNamed } from "./testing.ts";

const rows: Row[] = [
  {
    ...rowNamed("a"),
    params: { approximate_input_length: 500, needle_depth: 0, question: 'What, "exactly"?' },
  },
  {
    ...rowNamed("b"),
    params: { approximate_input_length: 500, needle_depth: 50.5, question: "line\nbreak" },
  },
  { ...rowNamed("c"), params: { approximate_input_length: 500, needle_depth: 100, question: "é" } },
  {
    ...rowNamed("d"),
    params: { approximate_input_length: 900, needle_depth: 0, question: "" },
    skip: "window",
  },
];
const attempts: Record<string, Attempt> = {
  a: { ...attemptFor("a"), output: 'He said "yes",\r\nthen no', cost_usd: 0.25, attempt: 2 },
  b: {
    ...attemptFor("b"),
    status: "error",
    output: "",
    finish_reason: null,
    error: { kind: "server", message: "x" },
  },
};
const result = (row: Row) => ({
  attempt: attempts[row.id] ?? null,
  attempts: attempts[row.id]?.attempt ?? 0,
});

Deno.test("writeResultsCsv() writes every row in plan order with the columns of the spec", async () => {
  const path = await Deno.makeTempFile({ suffix: ".csv" });
  await writeResultsCsv(path, rows, result);
  assert.equal(
    await Deno.readTextFile(path),
    "id,approximate_input_length,needle_depth,question,token_count,output,status,finish_reason," +
      "prompt_tokens_reported,completion_tokens,cached_tokens,reasoning_tokens,latency_ms,cost_usd,attempts\n" +
      'a,500,0,"What, ""exactly""?",100,"He said ""yes"",\r\nthen no",done,stop,101,5,0,0,12,0.25,2\n' +
      'b,500,50.5,"line\nbreak",100,,error,,101,5,0,0,12,0,1\n' +
      "c,500,100,é,100,,pending,,,,,,,,0\n" +
      "d,900,0,,100,,skipped: window,,,,,,,,0\n",
  );
  await Deno.remove(path);
});

Deno.test("writeEvaluatedCsv() adds the grade's columns and the marks of a test run", async () => {
  const path = await Deno.makeTempFile({ suffix: ".csv" });
  const graded: GradedRow[] = rows.map((row) => ({
    row,
    ...result(row),
    grade: row.id === "a"
      ? { validity: "correct", correct: true, judge: "match", judge_output: "", extra: { distractor: -1 } }
      : row.id === "b"
      ? { validity: "error", correct: null, judge: "match", judge_output: "" }
      : null,
  }));
  await writeEvaluatedCsv(path, graded, {
    test: { timestamp: "2026-01-31T10:15:00.000Z", originalSize: 88 },
  });
  const [first, second, third] = parse(await Deno.readTextFile(path), { columns: true }) as Record<
    string,
    string
  >[];
  assert.deepEqual(Object.keys(first ?? {}).slice(-8), [
    "validity",
    "correct",
    "judge",
    "judge_output",
    "distractor",
    "_test_mode",
    "_test_timestamp",
    "_original_dataset_size",
  ]);
  assert.equal(first?.correct, "true");
  assert.equal(first?.distractor, "-1");
  assert.equal(first?._test_mode, "true");
  assert.equal(first?._original_dataset_size, "88");
  assert.equal(second?.validity, "error");
  assert.equal(second?.correct, "");
  assert.equal(third?.validity, "");
  await Deno.remove(path);
});

Deno.test("writeResultsCsv() quotes a lone carriage return, so that every reader sees one row", async () => {
  const path = await Deno.makeTempFile({ suffix: ".csv" });
  await writeResultsCsv(
    path,
    rows.slice(0, 1),
    () => ({ attempt: { ...attemptFor("a"), output: "x\ry" }, attempts: 1 }),
  );
  assert.match(await Deno.readTextFile(path), /,"x\ry",/);
  await Deno.remove(path);
});

Deno.test("writeResultsCsv() leaves the old file whole and no rest when a row cannot be read", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/r.csv`;
  await Deno.writeTextFile(path, "old");
  await assert.rejects(
    writeResultsCsv(path, rows, () => {
      throw new Error("boom");
    }),
    /boom/,
  );
  assert.equal(await Deno.readTextFile(path), "old");
  assert.deepEqual([...Deno.readDirSync(folder)].map((entry) => entry.name), ["r.csv"]);
  await Deno.remove(folder, { recursive: true });
});
