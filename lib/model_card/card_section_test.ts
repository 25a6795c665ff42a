import assert from "node:assert/strict";
import { pairedDifference } from "../stats/difference.ts";
import { wilson } from "../stats/wilson.ts";
import {
  cardProblems,
  type CardSection,
  differenceText,
  sectionText,
  shareMeasure,
  withSections,
} from "./card_section.ts";

const section = (correct: number, holds = true): CardSection => ({
  name: "niah",
  columns: ["setting", "256", "4032"],
  rows: [{ label: "prose", measures: [wilson(correct, 40), wilson(2, 40)].map(shareMeasure) }],
  claims: [{ claim: "It finds needles.", measured: `${correct}/40`, holds }],
});
const CARD = "before\n<!-- niah: begin -->\nold\n<!-- niah: end -->\nafter\n";

Deno.test("withSections() replaces a section's tables and nothing else", () => {
  const card = withSections(CARD, [section(39)]);
  assert.match(card, /^before\n<!-- niah: begin -->\n\| setting \| 256 \| 4032 \|\n\|---\|---\|---\|\n/);
  assert.match(card, /\| prose \| 39\/40 \(87-100%\) \| 2\/40 \(1-17%\) \|\n\n\| what it is to show/);
  assert.match(card, /\| It finds needles\. \| 39\/40 \| yes \|\n<!-- niah: end -->\nafter\n$/);
  assert.equal(withSections(card, [section(39)]), card);
});

Deno.test("withSections() throws when the card has no place for a section", () => {
  assert.throws(() => withSections("no place", [section(39)]), /no <!-- niah: begin -->/);
});

Deno.test("cardProblems() names measures outside the card's intervals", () => {
  const card = withSections(CARD, [section(39)]);
  assert.deepEqual(cardProblems(card, [section(40)]), []);
  assert.deepEqual(cardProblems(card, [section(20)]), [
    "prose, 256: 20/40 (35-65%) now, outside the card's interval",
  ]);
});

Deno.test("cardProblems() names claims that no longer hold, but not those the card never made", () => {
  const shown = withSections(CARD, [section(39)]);
  assert.deepEqual(cardProblems(shown, [section(39, false)]), [
    "no longer shown: It finds needles. Measured now: 39/40",
  ]);
  const notShown = withSections(CARD, [section(39, false)]);
  assert.deepEqual(cardProblems(notShown, [section(39, true)]), []);
});

Deno.test("cardProblems() names measures and claims that the card lacks", () => {
  assert.deepEqual(cardProblems(CARD, [section(39)]), [
    "prose, 256: not on the card",
    "prose, 4032: not on the card",
    "the card does not say whether this is shown: It finds needles.",
  ]);
});

Deno.test("differenceText() says a difference in points with its interval", () => {
  const difference = pairedDifference({ both: 3, firstOnly: 6, secondOnly: 0, neither: 11 });
  assert.equal(differenceText(difference), "+30 points (7 to 50)");
});

Deno.test("sectionText() marks claims that do not hold", () => {
  assert.match(sectionText(section(3, false)), /^NO {2}It finds needles\. 3\/40$/m);
});
