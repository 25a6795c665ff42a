import assert from "node:assert/strict";
import fc from "fast-check";
import { distance } from "fastest-levenshtein";
import { levenshtein, levenshteinPrefixes } from "./levenshtein.ts";
import { blockDistances } from "./levenshtein_blocks.ts";
import { diagonalDistance } from "./levenshtein_diagonals.ts";
import { createRandom, type Random } from "./random.ts";

const units = (text: string) => Uint16Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
const drawn = (random: Random, length: number, alphabet: string) =>
  Array.from({ length }, () => alphabet.charAt(random.int(alphabet.length))).join("");
const repeated = (word: string, n: number) => new Array(n).fill(word).join(" ");

/** A text with some of its words changed, dropped, doubled or moved. */
function disturbed(random: Random, text: string, edits: number): string {
  const words = text.split(" ");
  for (let i = 0; i < edits; i++) {
    const at = random.int(words.length);
    words.splice(at, random.int(2), ...random.pick([["apples"], [], ["apple", "appl"], ["\u{1F34E}e"]]));
  }
  return words.join(" ");
}

const text = fc.oneof(
  fc.string({ maxLength: 80, unit: fc.constantFrom("a", "b", " ") }),
  fc.string({ maxLength: 80, unit: "binary" }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 }).map((codes) =>
    String.fromCharCode(...codes)
  ),
);

Deno.test("levenshtein() equals fastest-levenshtein on any two texts, lone surrogates included", () => {
  fc.assert(fc.property(text, text, (a, b) => assert.equal(levenshtein(a, b), distance(a, b))), {
    numRuns: 2000,
  });
});

Deno.test("levenshtein() equals fastest-levenshtein on disturbed copies of repeated words", () => {
  const random = createRandom("disturbed copies");
  for (let i = 0; i < 200; i++) {
    const gold = repeated("apple", 1 + random.int(250));
    const copy = disturbed(random, repeated("apple", 1 + random.int(400)), random.int(60));
    assert.equal(levenshtein(gold, copy), distance(gold, copy));
  }
});

Deno.test("blockDistances() equals fastest-levenshtein below, at and above the kernel's rows", () => {
  const random = createRandom("blocks");
  for (const rows of [0, 1, 31, 32, 33, 64, 255, 256, 257, 288, 511, 512, 513, 900]) {
    for (const columns of [0, 1, 2, 3, 4, 5, 100, 700]) {
      const alphabet = random.pick(["ab", "aple s", "abcdefghijklmnop"]);
      const [a, b] = [drawn(random, rows, alphabet), drawn(random, columns, alphabet + "#")];
      assert.deepEqual(
        blockDistances(units(a), units(b), [columns]),
        [distance(a, b)],
        `${rows} x ${columns}`,
      );
    }
  }
});

Deno.test("blockDistances() holds where the pattern has every code unit there is", () => {
  const all = Uint16Array.from({ length: 65_536 }, (_, i) => i);
  const text = Uint16Array.from([5, 6, 7, 9, 65_535]);
  assert.deepEqual(blockDistances(all, text, [0, 3, 5]), [65_536, 65_533, 65_531]);
});

Deno.test("diagonalDistance() equals fastest-levenshtein wherever it answers, and gives up on texts that are far apart", () => {
  const random = createRandom("diagonals");
  let answers = 0;
  for (let i = 0; i < 300; i++) {
    const a = drawn(random, random.int(120), "ab ");
    const b = random.int(2) === 0 ? drawn(random, random.int(120), "ab ") : disturbed(random, a, 3);
    const found = diagonalDistance(units(a), units(b));
    if (found === null) continue;
    answers++;
    assert.equal(found, distance(a, b));
  }
  assert.ok(answers > 250, `${answers} answers`);
  const far = [drawn(random, 5000, "abc"), drawn(random, 5000, "abc")] as const;
  assert.equal(diagonalDistance(units(far[0]), units(far[1])), null);
});

Deno.test("levenshteinPrefixes() gives the distance to every beginning", () => {
  const random = createRandom("prefixes");
  for (const kind of ["loop", "other"] as const) {
    const gold = repeated("apple", 300);
    const out = kind === "loop" ? repeated("apple", 700) : drawn(random, 4000, "aple s");
    const ends = [0, 1, gold.length, 3000, out.length];
    assert.deepEqual(
      levenshteinPrefixes(gold, out, ends),
      ends.map((end) => distance(gold, out.slice(0, end))),
    );
  }
});

Deno.test("levenshtein() keeps what every distance keeps, on long texts", () => {
  const random = createRandom("long");
  const [a, b, c] = [
    repeated("apple", 2000),
    drawn(random, 11_000, "aple s"),
    disturbed(random, repeated("apple", 2600), 900),
  ];
  const [ab, bc, ac] = [levenshtein(a, b), levenshtein(b, c), levenshtein(a, c)];
  assert.equal(ab, levenshtein(b, a));
  assert.ok(ac <= ab + bc && ab <= ac + bc && bc <= ab + ac);
  assert.ok(ab >= Math.abs(a.length - b.length) && ab <= Math.max(a.length, b.length));
  assert.equal(levenshtein(a + b, a + c), bc);
  assert.equal(levenshtein(a, a), 0);
});
