import assert from "node:assert/strict";
import fc from "fast-check";
import { readQuestionTypes } from "./longmemeval_types.ts";

async function read(text: string): Promise<Map<string, string>> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, text);
    return await readQuestionTypes(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("readQuestionTypes() reads what JSON.parse() reads, of arrays and of lines", async () => {
  // Chats hold anything, also objects with the same keys further down.
  const anything = fc.oneof(
    fc.json().map((text) => JSON.parse(text)),
    fc.constant([{ question_id: "no", question_type: "no" }, 'a "quoted\\" text }]', { "]": "{" }]),
  );
  const record = fc.tuple(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), anything, fc.boolean())
    .map((
      [id, type, other, first],
    ) =>
      first
        ? { question_id: id, question_type: type, haystack_sessions: other, answer: 3 }
        : { haystack_sessions: other, question: 'of "it"', question_type: type, question_id: id }
    );
  const records = fc.uniqueArray(record, { selector: (r) => r.question_id, minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(records, fc.constantFrom("array", "pretty", "lines"), async (given, form) => {
      const text = form === "array"
        ? JSON.stringify(given)
        : form === "pretty"
        ? JSON.stringify(given, null, 2)
        : given.map((r) => JSON.stringify(r)).join("\n");
      assert.deepEqual([...await read(text)], given.map((r) => [r.question_id, r.question_type]));
    }),
    { numRuns: 120 },
  );
});

Deno.test("readQuestionTypes() refuses files that are torn, missing or something else", async () => {
  const whole = JSON.stringify([{ question_id: "a", question_type: "b", chats: [["x"]] }]);
  for (let end = 1; end < whole.length; end++) {
    await assert.rejects(
      read(whole.slice(0, end)),
      /InputError: .*(?:torn|no object with question_id)/,
      `${end}`,
    );
  }
  await assert.rejects(read("[]"), /no object with question_id and question_type/);
  await assert.rejects(
    readQuestionTypes("/no/such.json"),
    /InputError: Cannot read the question types of \/no\/such/,
  );
});
