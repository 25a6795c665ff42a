import assert from "node:assert/strict";
import { learnMarkers, markerScorer } from "./markers.ts";

Deno.test("markerScorer() counts whole words of both sides, whatever their case", () => {
  const { score, count } = markerScorer({ positive: ["perhaps", "it may be"], negative: ["certainly"] });
  assert.deepEqual(count("Perhaps. It may  be so, perhapsly; certainly not uncertainly."), {
    positive: 2,
    negative: 1,
  });
  assert.equal(score("perhaps perhaps certainly"), 100 * 2.5 / 4);
  assert.equal(score("nothing of it"), 50);
});

Deno.test("markerScorer() takes regular expressions and signs", () => {
  const { count } = markerScorer({ positive: ["/^\\d+\\./", "?"], negative: ["C++"] });
  assert.equal(count("1. Is C++ old? So it is").positive, 2);
  assert.equal(count("1. Is C++ old?").negative, 1);
  assert.throws(() => markerScorer({ positive: ["/(/"], negative: [] }), { name: "InputError" });
  assert.throws(() => markerScorer({ positive: [" "], negative: [] }), { name: "InputError" });
});

Deno.test("learnMarkers() finds the words that tell two sets of texts apart, and none in equal ones", () => {
  const of = (word: string) =>
    ["ferry", "market", "river", "coin", "pear"].map((thing) => `the ${thing} ${word} waits`);
  const markers = learnMarkers([...of("perhaps"), ...of("maybe perhaps")], [
    ...of("surely"),
    ...of("surely"),
  ]);
  assert.deepEqual(markers, { positive: ["perhaps"], negative: ["surely"] });
  assert.deepEqual(learnMarkers(of("x"), of("x")), { positive: [], negative: [] });
});
