import assert from "node:assert/strict";
import fc from "fast-check";
import { decode, encode } from "gpt-tokenizer/encoding/o200k_base";
import { viewTokens } from "./view_tokens.ts";

const tokenizer = {
  encode: (text: string) => encode(text),
  decode: (ids: readonly number[]) => decode([...ids]),
};

Deno.test("viewTokens() gives the whole text back, each token with what it belongs to", () => {
  const word = fc.constantFrom("Two", " and", " two", " is", "\n\n", " 5", ".", " 😀", "é", "字", " <think>");
  const text = fc.array(word, { minLength: 1, maxLength: 12 }).map((parts) => parts.join(""));
  fc.assert(fc.property(text, text, text, text, (asked, chain, sentence, continuation) => {
    const prompt = asked + chain + sentence;
    const tokens = viewTokens({
      promptIds: encode(prompt),
      chainLength: (chain + sentence).length,
      sentenceLength: sentence.length,
      continuation,
    }, tokenizer);
    const of = (...kinds: string[]) =>
      tokens.filter(({ kind }) => kinds.includes(kind)).map((token) => token.text).join("");
    assert.equal(of("prompt", "prefix", "sentence"), prompt);
    assert.equal(of("continuation"), continuation);
    assert.ok(of("sentence").endsWith(sentence) && of("prompt").length <= asked.length);
    const order = ["prompt", "prefix", "sentence", "continuation"];
    const places = tokens.map(({ kind }) => order.indexOf(kind));
    assert.deepEqual(places, places.toSorted((a, b) => a - b));
  }));
});
