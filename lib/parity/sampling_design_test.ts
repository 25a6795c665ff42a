import assert from "node:assert/strict";
import fc from "fast-check";
import { InputError } from "../base/errors.ts";
import { createRandom } from "../base/random.ts";
import { stratifiedShare } from "../stats/stratified_share.ts";
import { type Design, DESIGNS, drawSample } from "./sampling_design.ts";
import type { ChatItem } from "./toxicchat.ts";

const messages = (others: number, toxic: number): ChatItem[] =>
  Array.from({ length: others + toxic }, (_, i) => ({
    item: `m${i}`,
    text: `message ${i}`,
    toxicity: i < toxic ? 1 : 0,
    jailbreaking: null,
    humanAnnotation: null,
  }));

const draw = (items: readonly ChatItem[], size: number, design: Design, seed = 1) =>
  drawSample(items, { size, design, seed });

Deno.test("drawSample() balances, keeps the data set's share, or follows Neyman's allocation", () => {
  const items = messages(9000, 1000);
  const toxic = (design: Design) =>
    draw(items, 100, design).items.filter(({ toxicity }) => toxicity === 1).length;
  assert.equal(toxic("balanced"), 50);
  assert.ok(toxic("natural") < 22);
  // 9000 * sqrt(0.03 * 0.97) = 1535 to 1000 * sqrt(0.2 * 0.8) = 400: 21 of 100.
  assert.equal(toxic("neyman"), 21);
});

Deno.test("drawSample() draws the same messages for the same seed, and others for another", () => {
  const items = messages(500, 500);
  for (const design of DESIGNS) {
    const [a, b, c] = [draw(items, 60, design), draw(items, 60, design), draw(items, 60, design, 2)];
    assert.deepEqual(a, b);
    assert.notDeepEqual(a.items.map(({ item }) => item), c.items.map(({ item }) => item));
  }
});

Deno.test("drawSample() draws as many as asked for, each once, with weights that sum to the data set", () => {
  fc.assert(fc.property(
    fc.integer({ min: 0, max: 60 }),
    fc.integer({ min: 0, max: 60 }),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.constantFrom(...DESIGNS),
    (others, toxic, part, design) => {
      const total = others + toxic;
      if (total === 0) return;
      const size = Math.max(1, Math.round(part * total));
      const { items, strata } = draw(messages(others, toxic), size, design);
      assert.equal(items.length, size);
      assert.equal(new Set(items.map(({ item }) => item)).size, size);
      assert.equal(strata[0].drawn + strata[1].drawn, size);
      assert.ok(strata.every(({ drawn, population }) => drawn <= population));
      if (strata.every(({ drawn, population }) => drawn > 0 || population === 0)) {
        const sum = items.reduce((weight, item) => weight + item.weight, 0);
        assert.ok(Math.abs(sum - total) < 1e-6 * total, `${sum} of ${total}`);
      }
    },
  ));
});

Deno.test("drawSample() says when there are not enough toxic messages, and refuses more than there are", () => {
  const found = draw(messages(90, 10), 60, "balanced");
  assert.deepEqual(found.strata.map(({ drawn }) => drawn), [50, 10]);
  assert.match(found.notes[0] ?? "", /not balanced: the data set holds 10 toxic/);
  assert.throws(() => draw(messages(3, 3), 7, "natural"), InputError);
});

Deno.test("samples of every design give the data set's share when they are reweighted", () => {
  const random = createRandom("disagreeing");
  const items = messages(1800, 200);
  const differs = new Set(
    items.filter(({ toxicity }) => random.next() < (toxicity === 1 ? 0.3 : 0.02)).map((m) => m.item),
  );
  const truth = 1 - differs.size / items.length;
  for (const design of DESIGNS) {
    let sum = 0;
    for (let seed = 0; seed < 60; seed++) {
      const sample = draw(items, 120, design, seed);
      sum += stratifiedShare([
        ...Map.groupBy(sample.items, ({ toxicity }) => design === "natural" ? 0 : toxicity).values(),
      ]
        .map((members) => ({
          correct: members.filter(({ item }) => !differs.has(item)).length,
          n: members.length,
          population: members.reduce((weight, member) => weight + member.weight, 0),
        }))).estimate;
    }
    assert.ok(Math.abs(sum / 60 - truth) < 0.008, `${design}: ${sum / 60} instead of ${truth}`);
  }
});
