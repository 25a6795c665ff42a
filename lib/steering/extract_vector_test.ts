import assert from "node:assert/strict";
import fc from "fast-check";
import { createRandom } from "../base/random.ts";
import type { Decoder } from "../engine/types.ts";
import { extractVector, gaussian, meanActivation, type TwoSides } from "./extract_vector.ts";
import { EXTRACTION_METHODS } from "./methods.ts";
import { controlOf, fewestPairs, pickPairs, separationOf, shuffleLabels, splitPairs } from "./separation.ts";
import { cosine, fullLength, norm } from "./steering_vector.ts";
import { plantedPairs, withPlantedModel } from "./testing/planted_model.ts";

const place = { component: "residual", layer: 1, position: "all[:]", metadata: {} } as const;
const FINDING = ["mean_diff", "probe", "pca_diff"] as const;

/** Pairs that differ by a direction, with noise of length about 1. */
function madeUp(
  pairs: number,
  width: number,
  strength: number,
  seed: number,
): { sides: TwoSides; direction: Float64Array } {
  const random = createRandom(seed);
  const raw = gaussian(width, random);
  const direction = raw.map((x) => x / norm(raw));
  const noise = () => gaussian(width, random).map((x) => x / Math.sqrt(width));
  const side = (sign: number) =>
    Array.from(
      { length: pairs },
      () => noise().map((x, j) => x + sign * strength / 2 * (direction[j] as number)),
    );
  return { sides: { positive: side(1), negative: side(-1) }, direction };
}

async function activations(model: Decoder, layer: number, pairs: number, seed: number): Promise<TwoSides> {
  const rows = async (ids: readonly number[]) => {
    const site = `residual.${layer}`;
    const { captured } = await model.forward(ids, { capture: [site] });
    const all = captured[site] as Float32Array;
    return meanActivation(ids.map((_, t) => all.subarray(t * model.hiddenSize, (t + 1) * model.hiddenSize)));
  };
  const positive: Float64Array[] = [], negative: Float64Array[] = [];
  for (const pair of plantedPairs(pairs, seed)) {
    positive.push(await rows(pair.positive));
    negative.push(await rows(pair.negative));
  }
  return { positive, negative };
}

Deno.test("extractVector() finds a direction that a model's weights contain, in every layer, and it passes the control", async () => {
  await withPlantedModel(async (model, direction) => {
    for (const layer of [0, 1]) {
      const sides = await activations(model, layer, 60, layer);
      const { train, heldOut } = splitPairs(60, 0.3, createRandom(layer));
      const separations = FINDING.map((method) => {
        const vector = extractVector(method, pickPairs(sides, train), { ...place, layer }, { seed: 0 });
        const found = cosine(vector.vector, direction);
        assert.ok(found >= 0.95, `${method} at layer ${layer}: cosine ${found}`);
        return separationOf(vector.vector, pickPairs(sides, heldOut));
      });
      assert.deepEqual(controlOf(separations).map(({ passes }) => passes), [true, true, true]);
    }
  });
});

Deno.test("extractVector() makes nothing that passes the control when the labels of a model's pairs are shuffled", async () => {
  await withPlantedModel(async (model) => {
    const sides = await activations(model, 1, 60, 3);
    for (let seed = 0; seed < 20; seed++) {
      const shuffled = shuffleLabels(sides, createRandom(seed));
      const { train, heldOut } = splitPairs(60, 0.3, createRandom(`split ${seed}`));
      const separations = EXTRACTION_METHODS.map((method) =>
        separationOf(
          extractVector(method, pickPairs(shuffled, train), place, { seed }).vector,
          pickPairs(shuffled, heldOut),
        )
      );
      assert.ok(controlOf(separations).every(({ passes }) => !passes), `seed ${seed}`);
    }
  });
});

Deno.test("controlOf() lets pass no more than its level of vectors that know nothing", () => {
  let passed = 0;
  const runs = 2000;
  for (let seed = 0; seed < runs; seed++) {
    const { sides } = madeUp(20, 3, 0, seed);
    const separations = [0, 1, 2].map((k) => separationOf(gaussian(3, createRandom(`${seed} ${k}`)), sides));
    if (controlOf(separations).some(({ passes }) => passes)) passed++;
  }
  assert.ok(passed / runs <= 0.01, `${passed} of ${runs}`);
});

Deno.test("controlOf() needs as many held-out pairs as fewestPairs() says", () => {
  for (const vectors of [1, 5, 60]) {
    const pairs = fewestPairs(vectors);
    const all = (n: number) => Array.from({ length: vectors }, () => ({ p: 2 ** -n }));
    assert.ok(controlOf(all(pairs)).every(({ passes }) => passes));
    assert.ok(controlOf(all(pairs - 1)).every(({ passes }) => !passes));
  }
});

for (const method of EXTRACTION_METHODS) {
  Deno.test(`extractVector() by ${method} gives a vector of length 1 with a scale, the same each time`, () => {
    const { sides } = madeUp(30, 12, 2, 5);
    const vector = extractVector(method, sides, place, { seed: 4 });
    assert.ok(Math.abs(norm(vector.vector) - 1) < 1e-6);
    assert.ok(vector.scale > 0);
    assert.equal(vector.method, method);
    assert.deepEqual(extractVector(method, sides, place, { seed: 4 }), vector);
  });
}

Deno.test("extractVector() gives the difference of the means by mean_diff", () => {
  const sides = { positive: [[1, 5], [3, 9]], negative: [[0, 1], [0, 3]] };
  const vector = extractVector("mean_diff", sides, place, { seed: 0 });
  assert.ok(Math.abs(vector.scale - Math.hypot(2, 5)) < 1e-12);
  fullLength(vector).forEach((x, i) => assert.ok(Math.abs(x - [2, 5][i]!) < 1e-6));
});

Deno.test("extractVector() sums in float64, where float32 would lose the difference", () => {
  const positive = Array.from({ length: 1000 }, () => Float32Array.of(1e7 + 1, 0));
  const negative = Array.from({ length: 1000 }, () => Float32Array.of(1e7, 0));
  assert.equal(extractVector("mean_diff", { positive, negative }, place, { seed: 0 }).scale, 1);
});

Deno.test("extractVector() by gradient comes close to mean_diff, whose direction is its maximum", () => {
  for (const [width, seed] of [[8, 1], [64, 2], [576, 3]] as const) {
    const { sides } = madeUp(40, width, 2, seed);
    const [a, b] = (["gradient", "mean_diff"] as const).map((method) =>
      extractVector(method, sides, place, { seed: 0 })
    );
    const close = cosine(a!.vector, b!.vector);
    assert.ok(close > 0.95, `width ${width}: ${close}`);
    assert.ok(a!.scale <= b!.scale * (1 + 1e-9), "no direction separates more than mean_diff");
  }
});

Deno.test("extractVector() points to the positives, and the other way when the sides are swapped", () => {
  fc.assert(
    fc.property(fc.nat(), fc.constantFrom(...FINDING), (seed, method) => {
      const { sides, direction } = madeUp(40, 10, 4, seed);
      const vector = extractVector(method, sides, place, { seed: 0 }).vector;
      const swapped = extractVector(method, { positive: sides.negative, negative: sides.positive }, place, {
        seed: 0,
      });
      assert.ok(cosine(vector, direction) > 0.9);
      assert.ok(cosine(vector, swapped.vector) < -0.999);
    }),
    { numRuns: 30 },
  );
});

Deno.test("extractVector() by random_baseline is as long as mean_diff, and depends on seed and site", () => {
  const { sides } = madeUp(30, 50, 2, 5);
  const at = (layer: number, seed: number) =>
    extractVector("random_baseline", sides, { ...place, layer }, { seed });
  assert.equal(at(1, 0).scale, extractVector("mean_diff", sides, place, { seed: 0 }).scale);
  assert.ok(Math.abs(cosine(at(1, 0).vector, at(1, 1).vector)) < 0.6);
  assert.ok(Math.abs(cosine(at(1, 0).vector, at(2, 0).vector)) < 0.6);
});

Deno.test("extractVector() refuses sides that cannot be compared", () => {
  const extract = (
    positive: number[][],
    negative: number[][],
    method: "mean_diff" | "pca_diff" = "mean_diff",
  ) => extractVector(method, { positive, negative }, place, { seed: 0 });
  assert.throws(() => extract([], [[1]]), /InputError: There are 0 positive/);
  assert.throws(() => extract([[1]], [[1, 2]]), /InputError: .*1 and 2 numbers/);
  assert.throws(() => extract([[NaN]], [[1]]), /InputError: .*not finite/);
  assert.throws(() => extract([[1]], [[1]]), /InputError: .*length 0/);
  assert.throws(() => extract([[1], [2]], [[1]], "pca_diff"), /InputError: pca_diff works on pairs/);
});

Deno.test("splitPairs() gives each pair to one part, and the share that was asked for to the held-out", () => {
  fc.assert(
    fc.property(fc.nat(300), fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(), (pairs, share, seed) => {
      const { train, heldOut } = splitPairs(pairs, share, createRandom(seed));
      assert.deepEqual(
        [...train, ...heldOut].sort((a, b) => a - b),
        Array.from({ length: pairs }, (_, i) => i),
      );
      assert.equal(heldOut.length, Math.round(pairs * share));
    }),
  );
});
