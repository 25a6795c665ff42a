import assert from "node:assert/strict";
import { wilson } from "../stats/wilson.ts";
import {
  type CardRow,
  measureNiahCard,
  niahCardProblems,
  niahCardTable,
  withNiahTable,
} from "./niah_card.ts";

const rows = (correct: number): CardRow[] => [{
  setting: "prose",
  lengths: [{ length: 256, share: wilson(correct, 40) }, { length: 4032, share: wilson(2, 40) }],
}];
const CARD = "before\n<!-- niah: begin -->\nold\n<!-- niah: end -->\nafter\n";

Deno.test("withNiahTable() replaces the table and nothing else", () => {
  const card = withNiahTable(CARD, niahCardTable(rows(39)));
  assert.match(card, /^before\n<!-- niah: begin -->\n\| setting \| 256 \| 4032 \|/);
  assert.match(card, /\| prose \| 39\/40 \(87-100%\) \| 2\/40 \(1-17%\) \|\n<!-- niah: end -->\nafter\n$/);
  assert.equal(withNiahTable(card, niahCardTable(rows(39))), card);
  assert.throws(() => withNiahTable("no place", "table"), /no <!-- niah: begin -->/);
});

Deno.test("niahCardProblems() names what lies outside the card's intervals", () => {
  const card = withNiahTable(CARD, niahCardTable(rows(39)));
  assert.deepEqual(niahCardProblems(card, rows(40)), []);
  assert.deepEqual(niahCardProblems(card, rows(20)), [
    "prose at 256 tokens: 20/40 now, outside the card's interval",
  ]);
  assert.deepEqual(niahCardProblems(CARD, rows(20)).length, 2);
});

Deno.test("measureNiahCard() measures every setting at every length", async () => {
  const results = await Deno.makeTempDir();
  const measured = await measureNiahCard({ model: "simulated", results, trials: 1 });
  assert.equal(measured.length, 5);
  for (const { lengths } of measured) {
    assert.deepEqual(lengths.map(({ share }) => share.n), Array(8).fill(5));
  }
  await Deno.remove(results, { recursive: true });
});
