import assert from "node:assert/strict";
import { createRandom } from "../base/random.ts";
import { specificAgreement } from "./specific_agreement.ts";

Deno.test("specificAgreement() gives Cicchetti and Feinstein's paradox: 0.91 and 0.40 in one table", () => {
  // Cicchetti and Feinstein 1990: table a = 80, b = 10, c = 5, d = 5.
  assert.equal(specificAgreement(80, 15).estimate?.toFixed(4), (160 / 175).toFixed(4));
  assert.equal(specificAgreement(5, 15).estimate?.toFixed(2), "0.40");
  assert.equal(specificAgreement(23, 62).estimate?.toFixed(6), "0.425926");
});

Deno.test("specificAgreement() covers the true value in about 95 of 100 studies", () => {
  const random = createRandom("specific");
  const s = 0.6, truth = 2 * s / (1 + s);
  let covered = 0;
  for (let study = 0; study < 500; study++) {
    let both = 0;
    for (let i = 0; i < 60; i++) if (random.next() < s) both++;
    const { low, high } = specificAgreement(both, 60 - both);
    if (low <= truth && truth <= high) covered++;
  }
  assert.ok(covered > 460 && covered < 492, `${covered} of 500`);
});

Deno.test("specificAgreement() of a category nobody gave is not known", () => {
  assert.deepEqual(specificAgreement(0, 0), { estimate: null, low: 0, high: 1, confidence: 0.95 });
});
