import assert from "node:assert/strict";
import fc from "fast-check";
import { InputError } from "../base/errors.ts";
import { readRecords, type SourceRecord } from "./import_records.ts";
import { csvText, inImportFolder } from "./testing/import_files.ts";

async function read(path: string) {
  const records: SourceRecord[] = [];
  const file = await readRecords(path, (record) => records.push(record));
  return { file, records, values: records.map((record) => record.values) };
}

const refused = (work: Promise<unknown>, message: RegExp) =>
  assert.rejects(work, (error) => {
    assert.ok(error instanceof InputError, String(error));
    assert.match(error.message, message);
    return true;
  });

Deno.test("readRecords() reads CSV with a byte order mark, CRLF, and commas, quotes and line breaks in fields", () =>
  inImportFolder(async ({ text }) => {
    const path = await text("a.csv", '\uFEFFid,output\r\n1,"a, ""b""\r\nc"\r\n\r\n2,d\r\n');
    const { values, records, file } = await read(path);
    assert.deepEqual(values, [{ id: "1", output: 'a, "b"\r\nc' }, { id: "2", output: "d" }]);
    assert.deepEqual([records[0]?.line, file.records, file.sha256.length], [2, 2, 64]);
  }));

Deno.test("readRecords() tells semicolons, tabs, JSON lines, a JSON list and a folder of JSON apart", () =>
  inImportFolder(async ({ text, path }) => {
    const wanted = [{ a: "1", b: "x,y" }];
    assert.deepEqual((await read(await text("s.csv", "a;b\n1;x,y\n"))).values, wanted);
    assert.deepEqual((await read(await text("t.tsv", "a\tb\n1\tx,y\n"))).values, wanted);
    assert.deepEqual(
      (await read(await text("u.csv", new Uint8Array([0xff, 0xfe, ...utf16("a,b\n1,2\n")])))).values,
      [
        { a: "1", b: "2" },
      ],
    );
    const nested = { a: 1, e: { ok: true, deep: { er: null } }, list: [1] };
    const flat = { a: 1, "e.ok": true, "e.deep.er": null, list: [1] };
    const line = JSON.stringify(nested);
    assert.deepEqual((await read(await text("l.jsonl", `${line}\n\n${line}`))).values, [flat, flat]);
    assert.deepEqual((await read(await text("l.json", `[${line},${line}]`))).values, [flat, flat]);
    assert.deepEqual((await read(await text("o.json", JSON.stringify(nested, null, 2)))).values, [flat]);
    const wrapped = JSON.stringify({ model: "m", results: [nested, nested] }, null, 1);
    assert.deepEqual((await read(await text("w.json", wrapped))).values, [flat, flat]);
    await Deno.mkdir(`${path}/folder`);
    await text("folder/2.json", JSON.stringify({ b: 2 }));
    await text("folder/1.json", JSON.stringify({ b: 1 }, null, 2));
    await text("folder/notes.txt", "not this");
    assert.deepEqual((await read(`${path}/folder`)).values, [{ b: 1 }, { b: 2 }]);
  }));

function utf16(text: string): number[] {
  return [...text].flatMap((char) => [char.charCodeAt(0) & 255, char.charCodeAt(0) >> 8]);
}

Deno.test("readRecords() leaves a torn last line out and says so, and stops at damage before it", () =>
  inImportFolder(async ({ text }) => {
    const torn = await read(await text("torn.jsonl", '{"a":1}\n{"a":2}\n{"a":'));
    assert.equal(torn.records.length, 2);
    assert.match(torn.file.notes.join(), /torn.jsonl: line 3, the last, is cut off/);
    await refused(
      read(await text("bad.jsonl", '{"a":1}\n{"a":\n{"a":3}\n')),
      /bad.jsonl, record or line 2 .*not JSON/,
    );
    await refused(read(await text("list.jsonl", '{"a":1}\n[1]\n')), /line 2 .*no object/);
    await refused(read(await text("one.json", '{"a":\n')), /one.json, record or line 1/);
  }));

Deno.test("readRecords() refuses what holds no rows, and says what it is", () =>
  inImportFolder(async ({ text, path }) => {
    await refused(read(`${path}/none.csv`), /Cannot read .*none.csv/);
    await refused(read(await text("empty.csv", "")), /empty.csv is empty/);
    await refused(read(await text("blank.csv", "\uFEFF \r\n\n")), /is empty/);
    await refused(read(await text("header.csv", "a,b\n")), /a header and no rows/);
    await refused(read(await text("list.json", "[]")), /no rows/);
    await Deno.mkdir(`${path}/empty`);
    await refused(read(`${path}/empty`), /empty holds no .json file/);
    await refused(
      read(await text("p.csv", "version https://git-lfs.github.com/spec/v1\n")),
      /Git LFS pointer/,
    );
    await refused(read(await text("b.csv", new Uint8Array([0x89, 0x50, 0xff, 0, 1, 2]))), /not a text file/);
    await refused(read(await text("twice.csv", "a,b,a\n1,2,3\n")), /column "a" twice/);
    await refused(read(await text("ragged.csv", "a,b\n1,2\n1,2,3\n")), /cannot be read as CSV .*line 3/i);
    await refused(read(await text("quote.csv", 'a,b\n"1,2\n3,4\n')), /cannot be read as CSV/);
  }));

Deno.test("readRecords() gives back any texts, whatever the size of the pieces they are read in", () =>
  inImportFolder(async ({ text }) => {
    const cell = fc.string({ unit: "grapheme", maxLength: 12 }).filter((value) => !value.includes("\0"));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ a: cell, b: cell }), { minLength: 1, maxLength: 20 }),
        async (rows) => {
          const filled = rows.map((row) => ({ id: "x", ...row }));
          const { values } = await read(await text("p.csv", csvText(filled)));
          assert.deepEqual(values, filled);
        },
      ),
      { numRuns: 60 },
    );
  }));

Deno.test("readRecords() hands over the first rows of a large file before it has read the last", () =>
  inImportFolder(async ({ path }) => {
    const file = `${path}/large.csv`;
    const row = `1,"${"word ".repeat(12_800)}",yes\n`;
    await Deno.writeTextFile(file, "id,prompt,output\n" + row.repeat(256) + '1,"torn');
    let records = 0, longest = 0;
    const work = readRecords(file, ({ values }) => {
      records++;
      longest = Math.max(longest, String(values["prompt"]).length);
    });
    await refused(work, /cannot be read as CSV/);
    assert.ok(records > 128 && records <= 256, `${records}`); // what was on its way at the end may be lost
    assert.equal(longest, 64_000);
  }));
