import assert from "node:assert/strict";
import fc from "fast-check";
import { loadO200k, simulatedTokenizer } from "../backends/tokenizers.ts";
import { InputError } from "../base/errors.ts";
import { openHaystack } from "./haystack.ts";
import { makeNeedle, needleSchema } from "./needles.ts";
import { createDocumentBuilder, type DocumentSpec } from "./niah_document.ts";
import { sentenceStarts } from "./niah_prompt.ts";

const needle = makeNeedle("low-overlap");
const spec = (over: Partial<DocumentSpec>): DocumentSpec => ({
  length: 1000,
  depth: 50,
  trial: 0,
  seed: 0,
  needle,
  distractors: 0,
  ...over,
});
const documentOf = (content: string) => /<document>\n([\s\S]*)\n<\/document>/.exec(content)?.[1] ?? "";

for (const tokenizer of [simulatedTokenizer, await loadO200k()]) {
  Deno.test(`build() claims at most its length and within 1% of it with ${tokenizer.name}`, async () => {
    const builder = createDocumentBuilder(await openHaystack(null, { seed: 3 }), tokenizer);
    fc.assert(
      fc.property(
        fc.integer({ min: 320, max: 6000 }),
        fc.integer({ min: 0, max: 100 }),
        fc.integer({ min: 0, max: 5 }),
        fc.integer({ min: 0, max: 4 }),
        (length, depth, trial, distractors) => {
          const { messages, tokens } = builder.build(spec({ length, depth, trial, distractors }));
          assert.equal(tokens, tokenizer.countMessages(messages));
          assert.ok(tokens <= length && tokens >= length * 0.99, `${tokens} for ${length}`);
          const text = documentOf(messages[0]?.content ?? "");
          assert.equal(text.split(needle.needle).length, 2, "the needle stands there once");
          for (const d of needle.distractors.slice(0, distractors)) assert.ok(text.includes(d.text));
        },
      ),
      { numRuns: 60 },
    );
  });
}

Deno.test("build() puts the needle first at depth 0, last at 100, and never inside a sentence", async () => {
  const builder = createDocumentBuilder(await openHaystack(null, { seed: 1 }), await loadO200k());
  const at = (depth: number) => {
    const text = documentOf(builder.build(spec({ depth })).messages[0]?.content ?? "");
    const index = text.indexOf(needle.needle);
    assert.ok(depth === 100 || sentenceStarts(text).includes(index), `depth ${depth} begins a sentence`);
    return { share: index / (text.length - needle.needle.length), text };
  };
  assert.equal(at(0).share, 0);
  assert.ok(at(100).text.endsWith(needle.needle));
  for (const depth of [10, 30, 50, 90]) {
    assert.ok(Math.abs(at(depth).share - depth / 100) < 0.06, `depth ${depth}`);
  }
});

Deno.test("build() shares everything before the needle between the depths of a length", async () => {
  const builder = createDocumentBuilder(await openHaystack(null, { seed: 1 }), simulatedTokenizer);
  const text = (depth: number) => builder.build(spec({ depth, distractors: 3 })).messages[0]?.content ?? "";
  const [deep, shallow] = [text(90), text(40)];
  const before = shallow.slice(0, shallow.indexOf(needle.needle));
  assert.ok(before.length > 500);
  assert.ok(deep.startsWith(before));
});

Deno.test("build() gives the same bytes again, and others for another trial", async () => {
  const make = async () => createDocumentBuilder(await openHaystack(null, { seed: 1 }), simulatedTokenizer);
  const [a, b] = [await make(), await make()];
  a.build(spec({ trial: 4, length: 3000 }));
  assert.deepEqual(a.build(spec({ trial: 2 })), b.build(spec({ trial: 2 })));
  assert.notDeepEqual(a.build(spec({ trial: 3 })), b.build(spec({ trial: 2 })));
});

Deno.test("build() refuses a needle longer than its length, naming both", async () => {
  const builder = createDocumentBuilder(await openHaystack(null, { seed: 1 }), simulatedTokenizer);
  const long = needleSchema.parse({ needle: "Long story. ".repeat(500), question: "What?", answer: "x" });
  assert.throws(() => builder.build(spec({ needle: long })), (error: unknown) => {
    assert.ok(error instanceof InputError);
    assert.match(error.message, /1000 tokens has no room for the needle.*take \d{4} tokens/);
    return true;
  });
});
