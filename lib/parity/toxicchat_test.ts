import assert from "node:assert/strict";
import { InputError } from "../base/errors.ts";
import { paritySample, paritySampleCsv } from "./parity_sample.ts";
import { toParquet } from "./parquet.ts";
import { readToxicChat, SAMPLE_PATH } from "./toxicchat.ts";

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const HEADER = "conv_id,user_input,model_output,human_annotation,toxicity,jailbreaking,openai_moderation";

Deno.test("the sample that ships is the one that is made, with 100 polite and 60 rude messages of its own", async () => {
  assert.equal(await Deno.readTextFile(SAMPLE_PATH), paritySampleCsv());
  const { items, empty } = await readToxicChat(SAMPLE_PATH);
  assert.deepEqual([items.length, items.filter(({ toxicity }) => toxicity === 1).length, empty], [
    160,
    60,
    0,
  ]);
  assert.equal(new Set(items.map(({ text }) => text)).size, 160);
  assert.ok(items.every(({ text }) => text.length < 120));
});

Deno.test("readToxicChat() reads the same from CSV and parquet, line breaks and quotes included", () =>
  inFolder(async (folder) => {
    const rows = [...paritySample(), {
      conv_id: "odd",
      user_input: 'two\nlines, a "quote" and ünïcode 🙂',
      model_output: "",
      human_annotation: "False",
      toxicity: 1,
      jailbreaking: 1,
      openai_moderation: '[["hate", 0.5]]',
    }];
    const text =
      `${paritySampleCsv()}odd,"two\nlines, a ""quote"" and ünïcode 🙂",,False,1,1,"[[""hate"", 0.5]]"\r\n`;
    await Deno.writeTextFile(`${folder}/a.csv`, text);
    await Deno.writeFile(`${folder}/a.parquet`, await toParquet(rows));
    const [csv, parquet] = [
      await readToxicChat(`${folder}/a.csv`),
      await readToxicChat(`${folder}/a.parquet`),
    ];
    assert.deepEqual(csv.items, parquet.items);
    assert.equal(csv.fingerprint, parquet.fingerprint);
    assert.deepEqual(csv.items.at(-1), {
      item: "odd",
      text: 'two\nlines, a "quote" and ünïcode 🙂',
      toxicity: 1,
      jailbreaking: 1,
      humanAnnotation: false,
    });
  }));

Deno.test("readToxicChat() leaves out messages without a text, and tells equal ids apart", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(
      `${folder}/a.csv`,
      `${HEADER}\nx,hello,,True,0,0,[]\nx,there,,True,True,0,[]\ny, ,,True,0,0,[]\n`,
    );
    const { items, empty } = await readToxicChat(`${folder}/a.csv`);
    assert.deepEqual([items.map(({ item }) => item), items.map(({ toxicity }) => toxicity), empty], [
      ["x", "x#2"],
      [0, 1],
      1,
    ]);
  }));

Deno.test("readToxicChat() names the column, the row and the file of what is wrong", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/columns.csv`, "conv_id,text\n1,hello\n");
    await Deno.writeTextFile(`${folder}/label.csv`, `${HEADER}\n1,hello,,True,yes,0,[]\n`);
    await Deno.writeTextFile(`${folder}/none.csv`, `${HEADER}\n`);
    await Deno.writeTextFile(`${folder}/torn.csv`, `${HEADER}\n1,"hello\n`);
    await Deno.writeTextFile(`${folder}/broken.parquet`, "no parquet at all");
    await Deno.writeTextFile(`${folder}/a.json`, "[]");
    for (
      const [name, message] of [
        ["columns.csv", /has no column user_input, toxicity: .*It has conv_id, text/],
        ["label.csv", /row 1: toxicity is "yes": 0 or 1 was expected/],
        ["none.csv", /holds no rows/],
        ["torn.csv", /Cannot read .* as a CSV/],
        ["broken.parquet", /Cannot read .* as a parquet file/],
        ["missing.parquet", /Cannot read .* as a parquet file/],
        ["missing.csv", /Cannot read .* as a CSV/],
        ["a.json", /neither a \.csv nor a \.parquet file/],
      ] as const
    ) {
      await assert.rejects(readToxicChat(`${folder}/${name}`), (error) => {
        assert.ok(error instanceof InputError, String(error));
        assert.match(error.message, message, name);
        return true;
      });
    }
  }));
