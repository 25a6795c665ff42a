import assert from "node:assert/strict";
import { ensembleVector, steersOf } from "./ensemble.ts";
import { norm, unitVector } from "./steering_vector.ts";

const at = (layer: number, direction: number[], component: "residual" | "k" = "residual") =>
  unitVector(
    { component, layer, position: "response[:5]", method: "mean_diff", metadata: { trait: "a" } },
    direction,
  );

Deno.test("ensembleVector() is the mean of its members at length 1, and says how far they agree", () => {
  const both = ensembleVector([{ vector: at(1, [2, 0]) }, { vector: at(1, [0, 5]) }]);
  both.vector.forEach((x) => assert.ok(Math.abs(x - Math.SQRT1_2) < 1e-6));
  assert.ok(Math.abs(both.scale - Math.SQRT1_2) < 1e-6);
  assert.equal(both.method, "ensemble");
  assert.equal(both.metadata["members"], "1 mean_diff response[:5] a; 1 mean_diff response[:5] a");
  const alone = ensembleVector([{ vector: at(1, [3, 4]), weight: 0.5 }]);
  assert.deepEqual(alone.vector, at(1, [3, 4]).vector);
  assert.ok(Math.abs(norm(alone.vector) - 1) < 1e-6);
});

Deno.test("ensembleVector() refuses members of several sites, and members that cancel out", () => {
  assert.throws(
    () => ensembleVector([{ vector: at(1, [1]) }, { vector: at(2, [1]) }]),
    /InputError: .*one site/,
  );
  assert.throws(
    () => ensembleVector([{ vector: at(1, [1]) }, { vector: at(1, [-1]) }]),
    /InputError: .*length 0/,
  );
  assert.throws(() => ensembleVector([]), { name: "InputError" });
});

Deno.test("steersOf() steers each layer with its own vector and its weight of the coefficient", () => {
  const steers = steersOf([{ vector: at(1, [1, 0]), weight: 0.5 }, { vector: at(2, [0, 1]), weight: 0.25 }], {
    coef: 4,
    mode: "add",
    phase: "response",
  });
  assert.deepEqual(steers.map(({ layer, coef, phase }) => [layer, coef, phase]), [[1, 2, "response"], [
    2,
    1,
    "response",
  ]]);
  assert.deepEqual(steers.map(({ vector }) => [...vector.values]), [[1, 0], [0, 1]]);
  assert.throws(() => steersOf([{ vector: at(1, [1], "k") }], { coef: 1, mode: "add", phase: "all" }), {
    name: "InputError",
  });
});
