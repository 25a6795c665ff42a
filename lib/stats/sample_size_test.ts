import assert from "node:assert/strict";
import { InputError } from "../base/errors.ts";
import { createRandom } from "../base/random.ts";
import { sampleSizeFor, sampleSizeForPower } from "./sample_size.ts";
import { scoreInterval, wilson } from "./wilson.ts";
import { criticalZ } from "./normal.ts";

const C = { criterion: 0.95 };

Deno.test("sampleSizeFor() gives the first number of items at which Wilson's lower end reaches the criterion", () => {
  assert.equal(wilson(99, 100).low.toFixed(3), "0.946", "99 of 100 do not show 95%");
  assert.deepEqual([1, 0.99, 0.98, 0.96].map((share) => sampleSizeFor(share, C)), [73, 115, 203, 1825]);
  const z = criticalZ(0.95);
  for (const share of [1, 0.995, 0.99, 0.97]) {
    const n = sampleSizeFor(share, C) as number;
    assert.ok(scoreInterval(share, n, z).low >= 0.95 && scoreInterval(share, n - 1, z).low < 0.95);
  }
});

Deno.test("sampleSizeFor() says that no number is enough for a share at the criterion or below", () => {
  assert.deepEqual([0.95, 0.9, 0].map((share) => sampleSizeFor(share, C)), [null, null, null]);
  assert.equal(sampleSizeForPower(0.95, C), null);
});

Deno.test("sampleSizeForPower() gives a number with which 80 of 100 studies show the criterion, and few less do not", () => {
  const n = sampleSizeForPower(0.99, C) as number;
  const random = createRandom("power");
  const rate = (items: number) => {
    let shown = 0;
    for (let study = 0; study < 1000; study++) {
      let same = 0;
      for (let i = 0; i < items; i++) if (random.next() < 0.99) same++;
      if (wilson(same, items).low >= 0.95) shown++;
    }
    return shown / 1000;
  };
  assert.ok(rate(n) > 0.76, `${n}: ${rate(n)}`);
  assert.ok(rate(Math.floor(n * 0.8)) < 0.8);
  assert.equal(sampleSizeForPower(1, C), 73);
  // Across the change to the approximation there is no jump to speak of.
  const [exact, rough] = [0.9645, 0.963].map((share) => sampleSizeForPower(share, C)) as [number, number];
  assert.ok(exact < 2000 && rough > 2000 && rough < 1.5 * exact, `${exact} ${rough}`);
  assert.ok((sampleSizeForPower(0.9501, C) as number) > 1e6);
});

Deno.test("sampleSizeFor() refuses criteria and shares out of range", () => {
  assert.throws(() => sampleSizeFor(0.9, { criterion: 1 }), InputError);
  assert.throws(() => sampleSizeFor(1.1, C), InputError);
  assert.throws(() => sampleSizeForPower(0.99, { ...C, power: 1 }), InputError);
});
