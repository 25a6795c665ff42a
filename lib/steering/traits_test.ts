import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { inFolder } from "../base/testing/in_folder.ts";
import { listTraits, readTrait } from "./traits.ts";

async function withTraits(
  files: Readonly<Record<string, string>>,
  use: (traits: string) => Promise<void>,
): Promise<void> {
  await inFolder(async (traits) => {
    for (const [name, text] of Object.entries(files)) {
      await Deno.mkdir(dirname(join(traits, name)), { recursive: true });
      await Deno.writeTextFile(join(traits, name), text);
    }
    await use(traits);
  });
}

Deno.test("readTrait() reads texts to go on from, and chats with or without a system prompt", async () => {
  await withTraits({
    "a/b/definition.txt": "What it is.\n",
    "a/b/positive.txt": "\uFEFFone \r\n\ntwo\n",
    "a/b/negative.txt": "three\nfour",
    "a/b/steering.json": '{"questions": ["why?"], "eval_prompt": "{question} {answer}", "mine": [1]}',
    "c/positive.jsonl": '{"prompt": "p", "system_prompt": "s"}\n\n',
    "c/negative.jsonl": '{"prompt": "p", "system_prompt": null}\n',
  }, async (traits) => {
    const text = await readTrait("a/b", { traits });
    assert.equal(text.definition, "What it is.");
    assert.deepEqual(text.positive, [{ messages: [], text: "one" }, { messages: [], text: "two" }]);
    assert.deepEqual(text.steering, { questions: ["why?"], eval_prompt: "{question} {answer}", mine: [1] });
    const chat = await readTrait("c", { traits });
    assert.deepEqual(chat.positive[0]?.messages, [
      { role: "system", content: "s" },
      { role: "user", content: "p" },
    ]);
    assert.deepEqual(chat.negative[0]?.messages, [{ role: "user", content: "p" }]);
    assert.equal(chat.steering, null);
    assert.deepEqual(await listTraits({ traits }), ["a/b", "c"]);
  });
});

const sound = { "t/positive.txt": "a\nb\n", "t/negative.txt": "c\nd\n" };
for (
  const [what, files, message] of [
    ["a side has fewer lines", { ...sound, "t/negative.txt": "c\n" }, /2 positive and 1 negative/],
    ["a side is missing", { "t/positive.txt": "a\n" }, /neither negative\.txt nor negative\.jsonl/],
    ["a side is there twice", { ...sound, "t/positive.jsonl": "{}" }, /both positive\.txt/],
    ["a side is empty", { ...sound, "t/positive.txt": "\n \n" }, /no lines/],
    [
      "a line is not JSON",
      { "t/positive.jsonl": "{", "t/negative.jsonl": '{"prompt":"a"}' },
      /positive\.jsonl, line 1 is not JSON/,
    ],
    [
      "a line has no prompt",
      { "t/positive.jsonl": '{"prompt":1}', "t/negative.jsonl": "{}" },
      /line 1 has wrong fields/,
    ],
    [
      "steering.json has no questions",
      { ...sound, "t/steering.json": "{}" },
      /steering\.json has wrong fields/,
    ],
    ["there is none of the name", {}, /There is no trait t .* Traits: none/],
  ] as const
) {
  Deno.test(`readTrait() refuses a trait when ${what}`, async () => {
    await withTraits(files, async (traits) => {
      await assert.rejects(readTrait("t", { traits }), (error: Error) => {
        assert.equal(error.name, "InputError");
        assert.match(error.message, message);
        return true;
      });
    });
  });
}

Deno.test("readTrait() refuses a name that leaves the folder", async () => {
  await withTraits(sound, async (traits) => {
    await assert.rejects(readTrait("../t", { traits }), { name: "InputError" });
  });
});
