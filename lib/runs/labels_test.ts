import assert from "node:assert/strict";
import { InputError } from "../base/errors.ts";
import { readLabels } from "./labels.ts";

async function withFiles(
  texts: { readonly relabel?: string; readonly queue?: string },
  test: (read: () => ReturnType<typeof readLabels>) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const files = {
    relabel: `${folder}/m_niah_relabel.csv`,
    disagreements: `${folder}/m_niah_disagreements.csv`,
  };
  try {
    if (texts.relabel !== undefined) await Deno.writeTextFile(files.relabel, texts.relabel);
    if (texts.queue !== undefined) await Deno.writeTextFile(files.disagreements, texts.queue);
    await test(() => readLabels(files, new Set(["a", "b", "c"])));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("readLabels() reads both files, any spelling, and passes over rows without a label", () =>
  withFiles({
    relabel: '\uFEFFid,label,note\r\na, TRUE ,"said ""it"", in other words"\r\n\r\nb,,later\r\n',
    queue: 'id,question,output,label,note\nc,why?,no,wrong,\nb,why?,"x\ny",,\n',
  }, async (read) => {
    assert.deepEqual([...await read()], [
      ["c", { correct: false, note: "", queued: true }],
      ["a", { correct: true, note: 'said "it", in other words', queued: false }],
    ]);
  }));

Deno.test("readLabels() finds nothing where there is no file, or a header alone", async () => {
  await withFiles({}, async (read) => assert.equal((await read()).size, 0));
  await withFiles({ relabel: "id,label\n", queue: "" }, async (read) => assert.equal((await read()).size, 0));
});

Deno.test("readLabels() takes the same label twice", () =>
  withFiles({ relabel: "label,id\nyes,a\n1,a\n", queue: "id,label\na,true\n" }, async (read) => {
    assert.deepEqual([...(await read()).values()].map(({ correct }) => correct), [true]);
  }));

for (
  const [what, texts, message] of [
    [
      "an unknown id",
      { relabel: "id,label\na,true\nz,true\n" },
      /m_niah_relabel.csv, line 3: there is no row "z"/,
    ],
    [
      "an unknown label",
      { queue: "id,label\na,maybe\n" },
      /m_niah_disagreements.csv, line 2: the label is "maybe": write true or false/,
    ],
    [
      "labels that differ",
      { relabel: "id,label\na,true\na,false\n" },
      /line 3 labels the row a false, but .*line 2 labels it true/,
    ],
    [
      "files that differ",
      { relabel: "id,label\na,true\n", queue: "id,label\na,no\n" },
      /relabel.csv, line 2 labels the row a true, but m_niah_disagreements/,
    ],
    ["a missing column", { relabel: "row,label\na,true\n" }, /has no column id/],
    ["a file without labels", { relabel: "id,verdict\na,true\n" }, /has no column label/],
    ["what is no CSV", { relabel: 'id,label\n"a,true\n' }, /cannot be read as CSV/],
  ] as const
) {
  Deno.test(`readLabels() refuses ${what}`, () =>
    withFiles(texts, (read) =>
      assert.rejects(read(), (error) => {
        assert.ok(error instanceof InputError, String(error));
        assert.match(error.message, message);
        return true;
      })));
}
