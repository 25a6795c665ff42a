import assert from "node:assert/strict";
import fc from "fast-check";
import { loadO200k, simulatedTokenizer } from "./tokenizers.ts";

const o200k = await loadO200k();

Deno.test("loadO200k() encodes known text to known ids", () => {
  assert.deepEqual(o200k.encode("hello world"), [24912, 2375]);
});

Deno.test("loadO200k() never makes a special token of a text that looks like one", () => {
  for (const text of ["<|endoftext|>", "a <|endoftext|> b", "<|start|>system<|im_start|>"]) {
    const ids = o200k.encode(text);
    assert.ok(ids.every((id) => id < 199_998), text);
    assert.equal(o200k.decode(ids), text);
  }
});

Deno.test("loadO200k() counts a lone surrogate as the replacement character that is sent", () => {
  assert.deepEqual(o200k.encode("a\ud800b"), o200k.encode("a\ufffdb"));
});

Deno.test("loadO200k() gives the ids of gpt-tokenizer on any text, and the text back", async () => {
  const { encode } = await import("gpt-tokenizer/encoding/o200k_base");
  const plain = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() };
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.string({ unit: "grapheme", maxLength: 200 }),
    fc.string({ unit: fc.constantFrom(..."abcdeéñ漢字'sS019 \n\r\t!?😀"), maxLength: 300 }),
    fc.string({ unit: fc.constantFrom(..."abcdeéñ漢字"), minLength: 100, maxLength: 900 }),
  );
  fc.assert(
    fc.property(text, (text) => {
      const ids = o200k.encode(text);
      assert.deepEqual(ids, encode(text.toWellFormed(), plain));
      assert.equal(o200k.decode(ids), text.toWellFormed());
    }),
    { seed: 1, numRuns: 500 },
  );
});

Deno.test("loadO200k() gives gpt-tokenizer's ids when short and long pieces are mixed", async () => {
  const { encode } = await import("gpt-tokenizer/encoding/o200k_base");
  const long = "abcdefghij".repeat(120);
  const text = `One ${long}'s 1234567 ${"!".repeat(700)}\n\n${" ".repeat(600)}end ${long}`;
  assert.deepEqual(o200k.encode(text), encode(text));
});

Deno.test("loadO200k() refuses to decode an id that is no plain token", () => {
  for (const id of [199_998, -1, 0.5, NaN]) assert.throws(() => o200k.decode([id]), RangeError);
});

Deno.test("loadO200k() stays fast on 100,000 letters without a space", () => {
  let x = 1;
  let text = "";
  for (let i = 0; i < 100_000; i++) {
    x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff;
    text += String.fromCharCode(97 + (x >> 16) % 26);
  }
  const started = performance.now();
  const ids = o200k.encode(text);
  assert.ok(performance.now() - started < 5000);
  assert.equal(o200k.decode(ids), text);
});

Deno.test("simulatedTokenizer gives back every text and counts without encoding", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const ids = simulatedTokenizer.encode(text);
      assert.equal(simulatedTokenizer.decode(ids), text);
      assert.equal(simulatedTokenizer.count(text), ids.length);
      assert.ok(ids.every(Number.isSafeInteger));
    }),
    { seed: 1 },
  );
});
