import assert from "node:assert/strict";
import { InputError } from "../base/errors.ts";
import { openHaystack } from "./haystack.ts";
import { sentenceStarts } from "./niah_prompt.ts";
import { prose } from "./prose.ts";

async function folderWith(files: Record<string, string>): Promise<string> {
  const folder = await Deno.makeTempDir();
  for (const [name, text] of Object.entries(files)) {
    if (name.includes("/")) await Deno.mkdir(`${folder}/${name.split("/")[0]}`, { recursive: true });
    await Deno.writeTextFile(`${folder}/${name}`, text);
  }
  return folder;
}

Deno.test("prose() never says a sentence twice in 400,000 characters", () => {
  const text = prose(400_000, { seed: 5 });
  const starts = sentenceStarts(text);
  const paragraphs = text.split("\n\n");
  assert.equal(new Set(paragraphs).size, paragraphs.length);
  // Quoted speech holds sentences of its own, so compare what stands between two starts of whole paragraphs.
  assert.ok(starts.length > 4000);
  assert.ok(text.length >= 400_000);
});

Deno.test("prose() of more characters begins with prose() of fewer", () => {
  assert.ok(prose(9000, { seed: 1 }).startsWith(prose(3000, { seed: 1 })));
  assert.notEqual(prose(3000, { seed: 1 }), prose(3000, { seed: 2 }));
});

Deno.test("openHaystack() reads .txt and .md files of subfolders in order and begins again when they run out", async () => {
  const folder = await folderWith({ "b.txt": "Second file.", "a/x.md": "First file.", "c.csv": "no,text" });
  const haystack = await openHaystack(folder, { seed: 1 });
  assert.equal(haystack.uniqueChars, "Second file.First file.".length);
  assert.ok(haystack.text(0, 10).startsWith("First file.\n\nSecond file."));
  assert.ok(haystack.text(0, 1000).length >= 1000);
  assert.ok(haystack.text(0, 1000).startsWith(haystack.text(0, 100)));
});

Deno.test("openHaystack() shuffles sentences by seed and keeps every one", async () => {
  const sentences = Array.from({ length: 30 }, (_, i) => `Sentence number ${i} stands here.`);
  const folder = await folderWith({ "a.txt": sentences.join(" ") });
  const text = async (seed: number, trial: number) =>
    (await openHaystack(folder, { seed, order: "shuffled" })).text(trial, 10);
  const one = await text(1, 0);
  assert.equal(one, await text(1, 0));
  assert.notEqual(one, await text(1, 1));
  assert.notEqual(one, await text(2, 0));
  assert.deepEqual(one.match(/Sentence number \d+ stands here\./g)?.toSorted(), sentences.toSorted());
});

Deno.test("openHaystack() refuses a folder that is missing or holds no text", async () => {
  await assert.rejects(openHaystack("/no/such/folder", { seed: 1 }), (e: unknown) => {
    return e instanceof InputError && /\/no\/such\/folder does not exist/.test(e.message);
  });
  const empty = await folderWith({ "a.txt": " \n", "b.csv": "x" });
  await assert.rejects(openHaystack(empty, { seed: 1 }), /holds no text: put \.txt or \.md files/);
});

Deno.test("openHaystack() names a file that it cannot read", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.symlink(`${folder}/nowhere`, `${folder}/a.txt`);
  await assert.rejects(
    openHaystack(folder, { seed: 0 }),
    /^InputError: The haystack file .*a\.txt cannot be read \(/,
  );
  await Deno.remove(folder, { recursive: true });
});
