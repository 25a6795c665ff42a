import assert from "node:assert/strict";
import fc from "fast-check";
import { createRandom } from "../base/random.ts";
import { dequantizeBlocks, formatFor, quantizeBlocks } from "./block_quantization.ts";

function relativeError(weights: Float32Array, bits: 4 | 8, blockSize: number, rows: number): number {
  const columns = weights.length / rows;
  const format = { bits, blockSize };
  const back = dequantizeBlocks(quantizeBlocks(weights, rows, columns, format), rows, columns, format);
  let [error, total] = [0, 0];
  weights.forEach((x, i) => {
    error += (x - (back[i] as number)) ** 2;
    total += x ** 2;
  });
  return Math.sqrt(error / total);
}

Deno.test("quantizeBlocks() keeps weights near a normal distribution within the stated error", () => {
  const random = createRandom(3);
  const weights = Float32Array.from({ length: 64 * 256 }, () => {
    let sum = 0;
    for (let i = 0; i < 12; i++) sum += random.next();
    return (sum - 6) * 0.02;
  });
  const four = relativeError(weights, 4, 32, 64);
  const eight = relativeError(weights, 8, 32, 64);
  assert.ok(four < 0.08, String(four));
  assert.ok(eight < 0.005, String(eight));
  assert.ok(four > 10 * eight);
});

Deno.test("quantizeBlocks() errs at most one step a weight and keeps zeros", () => {
  const weight = fc.oneof(
    fc.constant(0),
    fc.float({ min: -1000, max: 1000, noNaN: true }),
    fc.float({ min: Math.fround(-1e-3), max: Math.fround(1e-3), noNaN: true }),
  );
  fc.assert(
    fc.property(
      fc.array(weight, { minLength: 96, maxLength: 96 }),
      fc.constantFrom(4 as const, 8 as const),
      (numbers, bits) => {
        const weights = Float32Array.from(numbers);
        const format = { bits, blockSize: 16 };
        const back = dequantizeBlocks(quantizeBlocks(weights, 2, 48, format), 2, 48, format);
        for (let block = 0; block < 6; block++) {
          const part = weights.subarray(16 * block, 16 * block + 16);
          const range = Math.max(0, ...part) - Math.min(0, ...part);
          // Half a step of rounding and half of the zero point; at most a fifth of the range may be cut off.
          const bound = range * (bits === 4 ? 0.25 : 1.01 / 255) + 1e-36;
          part.forEach((x, i) => {
            const y = back[16 * block + i] as number;
            assert.ok(Math.abs(x - y) <= bound, `${x} became ${y} in a range of ${range}`);
            if (x === 0) assert.equal(y, 0);
          });
        }
      },
    ),
    { numRuns: 200 },
  );
});

Deno.test("formatFor() takes the largest block that divides the columns", () => {
  assert.deepEqual(formatFor(4, 32, 96), { bits: 4, blockSize: 32 });
  assert.deepEqual(formatFor(8, 64, 96), { bits: 8, blockSize: 32 });
  assert.deepEqual(formatFor(4, 32, 48), { bits: 4, blockSize: 16 });
  assert.equal(formatFor(4, 32, 100), undefined);
});
