import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { inFolder } from "../base/testing/in_folder.ts";
import { learnMarkers, markerScorer } from "./markers.ts";
import { markersOfExtraction } from "./sweep_vectors.ts";

Deno.test("markerScorer() scores sentences that hold whole words, whatever their case", () => {
  const hedges = markerScorer({ positive: ["perhaps", "it may be"], negative: [] });
  const text = "PERHAPS it rains. It may  be so, perhaps. Perhapsly not. No.";
  assert.deepEqual(hedges.count(text), { positive: 2, negative: 0, sentences: 4 });
  assert.equal(hedges.score(text), 50);
  assert.equal(hedges.score(""), 0);
});

Deno.test("markerScorer() sets sentences of the opposite against those of the trait", () => {
  const { score } = markerScorer({ positive: ["perhaps"], negative: ["certainly"] });
  assert.equal(score("Perhaps. Certainly."), 50);
  assert.equal(score("Certainly. Certainly so."), 0);
  assert.equal(score("Perhaps. It rains."), 75);
  assert.equal(score(""), 50);
});

Deno.test("markerScorer() takes regular expressions and signs, and refuses what is none", () => {
  const { count } = markerScorer({ positive: ["/^step \\d/", "?"], negative: ["C++"] });
  assert.deepEqual(count("Step 1: Take C++. Is it old? So it is."), {
    positive: 2,
    negative: 1,
    sentences: 3,
  });
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

Deno.test("markersOfExtraction() learns from the responses of a trait's extraction, or says what to do", () =>
  inFolder(async (results) => {
    const place = {
      experiment: "mine",
      experiments: null,
      traitsFolder: null,
      vectorsFrom: null,
      position: "response[:]",
      component: "residual",
      trait: "style/hedges",
      results,
      test: false,
    } as const;
    await assert.rejects(markersOfExtraction(place), { name: "InputError", message: /no word tells/ });
    const folder = join(results, "mine/extraction/style/hedges/pocket/responses");
    for (const [side, word] of [["positive", "perhaps"], ["negative", "surely"]]) {
      const path = join(folder, `${side}.jsonl`);
      await Deno.mkdir(dirname(path), { recursive: true });
      const lines = ["ferry", "river", "pear", "coin"].map((thing) => ({
        response: `the ${thing} ${word} waits`,
      }));
      await Deno.writeTextFile(path, lines.map((line) => JSON.stringify(line) + "\n").join(""));
    }
    assert.deepEqual(await markersOfExtraction(place), { positive: ["perhaps"], negative: ["surely"] });
  }));
