import assert from "node:assert/strict";
import { stringify } from "csv-stringify/sync";
import fc from "fast-check";
import { InputError } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";
import { openMemoryFile } from "./longmemeval_file.ts";

async function withFile(content: string | Uint8Array, use: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".csv" });
  try {
    await Deno.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
    await use(path);
  } finally {
    await Deno.remove(path);
  }
}

const HEADER = "custom_id,question,answer,full_prompt,token_count";

Deno.test("openMemoryFile() finds every text again, byte for byte, in any CSV dress", async () => {
  const cell = fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 })
    .map((text) => text.replaceAll("\uFEFF", "").toWellFormed() + "x");
  const rows = fc.uniqueArray(fc.tuple(fc.uuid(), cell, cell, cell, fc.nat(9999)), {
    selector: ([id]) => id,
    minLength: 1,
    maxLength: 12,
  });
  const dress = fc.record({
    bom: fc.boolean(),
    crlf: fc.boolean(),
    quoted: fc.boolean(),
    lastEnd: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(rows, dress, async (records, { bom, crlf, quoted, lastEnd }) => {
      const csv = stringify([HEADER.split(","), ...records], {
        bom,
        quoted,
        record_delimiter: crlf ? "\r\n" : "\n",
        quoted_match: /[\r\n]/,
        eof: lastEnd,
      });
      await withFile(csv, async (path) => {
        const file = await openMemoryFile(path, "full");
        assert.deepEqual(
          file.entries.map((e) => [e.id, e.question, e.answer, e.fileTokens]),
          records.map(([id, question, answer, , tokens]) => [id, question, answer, tokens]),
        );
        for (const [i, entry] of [...file.entries.entries()].reverse()) {
          const text = records[i]?.[3] ?? "";
          assert.equal(await file.text(entry), text);
          assert.deepEqual([entry.sha256, entry.chars], [sha256(text), text.length]);
        }
      });
    }),
    { numRuns: 60 },
  );
});

Deno.test("openMemoryFile() takes both spellings of the columns, and the one file of both conditions", async () => {
  const combined =
    "answer,custom_id,question,focused_input,focused_input_tokens,full_input,full_input_tokens\n" +
    "yes,a,q?,short q?,2,long,9\n";
  await withFile(combined, async (path) => {
    const [focused, full] = [await openMemoryFile(path, "focused"), await openMemoryFile(path, "full")];
    assert.deepEqual(
      await Promise.all([focused, full].map((file) => file.text(file.entries[0] ?? assert.fail()))),
      ["short q?", "long"],
    );
    assert.deepEqual([focused, full].map(({ entries: [entry] }) => [entry?.fileTokens, entry?.asks]), [
      [2, true],
      [9, false],
    ]);
  });
  await withFile("custom_id,question,answer,full_input\na,q,b,t\n", async (path) => {
    assert.equal((await openMemoryFile(path, "full")).entries[0]?.fileTokens, null);
  });
});

const ROW = 'a,q,b,"a text\nof two lines",5\n';
const DAMAGED: readonly [what: string, content: string, message: RegExp][] = [
  [
    "has no answers",
    "custom_id,question,full_prompt,token_count\na,q,t,1\n",
    /line 1: there is no column answer \(there are: custom_id, question, full_prompt/,
  ],
  [
    "is of the other condition",
    "custom_id,question,answer,focused_prompt,token_count\na,q,b,t,1\n",
    /line 1: there is no column full_prompt or full_input/,
  ],
  ["has a column twice", HEADER + ",answer\na,q,b,t,1,b\n", /line 1: the column answer stands there twice/],
  [
    "has an id twice",
    `${HEADER}\n${ROW}b,q,b,t,1\na,q,b,t,1\n`,
    /line 5: the id "a" is that of line 2 again/,
  ],
  [
    "is torn inside a text",
    `${HEADER}\n${ROW}b,q,b,"a text that does`,
    /ends inside the row that begins on line 4: the file is torn/,
  ],
  [
    "is torn inside a row",
    `${HEADER}\n${ROW}b,q,b`,
    /line 4: the row has 3 fields and the header 5: the file is torn/,
  ],
  ["has too many fields", `${HEADER}\n${ROW}b,q,b,t,1,1\n`, /line 4: the row has 6 fields and the header 5/],
  ["has a stray quote", `${HEADER}\na,q,b,"t"x,1\n`, /line 2: this is no CSV that can be read/],
  ["has an empty question", `${HEADER}\n${ROW}b, ,b,t,1\n`, /line 4: the question is empty/],
  ["has an empty text", `${HEADER}\n${ROW}b,q,b,,1\n`, /line 4: the text is empty/],
  [
    "has a count that is none",
    `${HEADER}\n${ROW}b,q,b,t,many\n`,
    /line 4: the token count is "many", not a whole number/,
  ],
  ["has no rows", `${HEADER}\n`, /holds no rows/],
  ["is empty", "", /holds no header/],
  ["is a web page", "<!doctype html>\n<p>Sign in, please</p>\n", /there is no column custom_id/],
];

for (const [what, content, message] of DAMAGED) {
  Deno.test(`openMemoryFile() refuses a file that ${what}, with file, line and remedy`, async () => {
    await withFile(content, async (path) => {
      await assert.rejects(openMemoryFile(path, "full"), (error) => {
        assert.ok(error instanceof InputError, String(error));
        assert.ok(error.message.startsWith(path), error.message);
        assert.match(error.message, message);
        assert.match(error.message, /deno task data longmemeval/);
        return true;
      });
    });
  });
}

Deno.test("openMemoryFile() says that a file is missing or a folder", async () => {
  await assert.rejects(
    openMemoryFile("/no/such.csv", "full"),
    /InputError: There is no \/no\/such\.csv\. Put a whole/,
  );
  const folder = await Deno.makeTempDir();
  await assert.rejects(openMemoryFile(folder, "full"), /InputError: (?:.* is no file|Cannot read)/);
  await Deno.remove(folder);
});

Deno.test("text() notices a file that has changed since it was opened", async () => {
  await withFile(`${HEADER}\n${ROW}b,q,b,t,1\n`, async (path) => {
    const file = await openMemoryFile(path, "full");
    const [first, second] = file.entries;
    assert.ok(first && second);
    for (
      const changed of [`${HEADER}\na,q,b,"a text\nof two LINES",5\nb,q,b,t,1\n`, HEADER, `${HEADER}\n"""`]
    ) {
      await Deno.writeTextFile(path, changed);
      await assert.rejects(
        file.text(first),
        /InputError: .* has changed since this run was planned: the text of a /,
      );
    }
    await Deno.writeTextFile(path, `${HEADER}\n${ROW}b,q,b,t,1\n`);
    assert.equal(await file.text(second), "t");
    await Deno.remove(path);
    await assert.rejects(file.text(second), /InputError: There is no/);
    await Deno.writeTextFile(path, "");
  });
});
