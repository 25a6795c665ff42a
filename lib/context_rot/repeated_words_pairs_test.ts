import assert from "node:assert/strict";
import { InputError } from "../base/errors.ts";
import { pairName, pairSlug, parsePairs, WORD_PAIRS } from "./repeated_words_pairs.ts";

const names = (text: string) => parsePairs(text).map(pairName);

Deno.test("parsePairs() reads one pair, several, and all that ship", () => {
  assert.deepEqual(parsePairs("apple/apples"), [{ base: "apple", modified: "apples" }]);
  assert.deepEqual(names(" San  Francisco / sf , x/y,x/y "), ["San Francisco/sf", "x/y"]);
  assert.deepEqual(names("all"), WORD_PAIRS.map(pairName));
  for (const pair of WORD_PAIRS) assert.deepEqual(parsePairs(pairName(pair)), [pair]);
  assert.equal(WORD_PAIRS.length, 7);
  assert.deepEqual(names("x/y, all ,apple/apples").length, 8);
});

Deno.test("parsePairs() refuses what is no pair, in words", () => {
  const refused = (text: string, message: RegExp) =>
    assert.throws(
      () => parsePairs(text),
      (error) => error instanceof InputError && message.test(error.message),
      text,
    );
  for (const text of ["", "apple", "apple/", "/apples", "a/b/c", "apple/apples,", "ALL"]) {
    refused(text, /is not a pair of words such as apple\/apples\. Give --pair/);
  }
  refused("apple/apple", /are the same/);
  refused("apple / apple ", /are the same/);
  refused(`${"x".repeat(201)}/y`, /more than 200 characters/);
  refused("a/a a", /can be read in two ways/);
  refused("a a/a", /can be read in two ways/);
  refused("\ud800/y", /lone surrogate/);
});

Deno.test("pairSlug() names files, another for every pair", () => {
  assert.deepEqual(WORD_PAIRS.map(pairSlug), [
    "apple-apples",
    "apples-apple",
    "golden-golden",
    "orange-run",
    "orange-san-francisco",
    "san-francisco-sf",
    "golden-gate-bridge-golden-gate-park",
  ]);
  assert.equal(pairSlug({ base: "kiwi", modified: "lime2" }), "kiwi-lime2");
  const others = parsePairs(
    "Golden/golden,Apple/apples,san/francisco-sf,äpfel/apfel,日本/中国,a b/c,a/b c,A/b,a!/b",
  );
  const slugs = others.map(pairSlug);
  assert.equal(new Set([...slugs, ...WORD_PAIRS.map(pairSlug)].map((slug) => slug.toLowerCase())).size, 16);
  for (const slug of slugs) assert.match(slug, /^[a-z0-9]+(-[a-z0-9]+)*$/);
  const long = pairSlug({ base: "many words ".repeat(18).trim(), modified: "x" });
  assert.ok(long.length < 60, long);
});
