import assert from "node:assert/strict";
import { InputError } from "./errors.ts";
import { readTextIfExists, writeAtomic } from "./files.ts";
import { inFolder } from "./testing/in_folder.ts";

Deno.test("writeAtomic() writes texts, bytes and pieces whole, and leaves nothing beside them", () =>
  inFolder(async (folder) => {
    await writeAtomic(`${folder}/new/text`, "é");
    await writeAtomic(`${folder}/new/bytes`, new Uint8Array([104, 105]));
    await writeAtomic(`${folder}/new/pieces`, ["a", "é", ""]);
    const read = (name: string) => readTextIfExists(`${folder}/new/${name}`);
    assert.deepEqual([await read("text"), await read("bytes"), await read("pieces")], ["é", "hi", "aé"]);
    assert.equal([...Deno.readDirSync(`${folder}/new`)].length, 3);
  }));

Deno.test("writeAtomic() keeps the old content when the pieces fail", () =>
  inFolder(async (folder) => {
    await writeAtomic(`${folder}/x`, "old");
    const pieces = function* () {
      yield "new";
      throw new RangeError("no more");
    };
    await assert.rejects(writeAtomic(`${folder}/x`, pieces()), /no more/);
    assert.equal(await readTextIfExists(`${folder}/x`), "old");
    assert.equal([...Deno.readDirSync(folder)].length, 1);
  }));

Deno.test("writeAtomic() says so when a file or a folder is in the way", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/taken/full`, { recursive: true });
    await Deno.writeTextFile(`${folder}/file`, "");
    for (const path of [`${folder}/taken`, `${folder}/file/x`]) {
      await assert.rejects(writeAtomic(path, "x"), (error) => {
        assert.ok(error instanceof InputError, String(error));
        assert.match(error.message, /^Cannot write .*: a file stands where a folder should be/);
        return true;
      });
    }
  }));
