import assert from "node:assert/strict";
import fc from "fast-check";
import { argmax, logProbability, sampleToken } from "./sampling.ts";

const logits = Float32Array.from([2, 0.5, 1, -1, 1.5].map((x) => x));
const softmax = (values: readonly number[]) => {
  const weights = values.map(Math.exp);
  const sum = weights.reduce((a, b) => a + b);
  return weights.map((x) => x / sum);
};
/** The share of each token over evenly spread uniform numbers. */
function shares(options: { temperature?: number; topP?: number; topK?: number }): number[] {
  const draws = 20000;
  const counts = new Array<number>(logits.length).fill(0);
  for (let i = 0; i < draws; i++) {
    const token = sampleToken(logits, { temperature: 1, topP: 1, topK: 0, ...options }, (i + 0.5) / draws);
    counts[token] = (counts[token] as number) + 1 / draws;
  }
  return counts;
}
const close = (actual: number[], expected: number[]) => {
  for (const [i, x] of expected.entries()) {
    assert.ok(Math.abs(x - (actual[i] as number)) < 2e-4, `${actual}: ${expected}`);
  }
};

Deno.test("sampleToken() draws each token with its probability", () => {
  close(shares({}), softmax([...logits]));
  close(shares({ temperature: 0.5 }), softmax([...logits].map((x) => x / 0.5)));
});

Deno.test("sampleToken() keeps the likeliest tokens when topK or topP is given", () => {
  const [a, , c, , e] = softmax([...logits]) as [number, number, number, number, number];
  close(shares({ topK: 2 }), [a / (a + e), 0, 0, 0, e / (a + e)]);
  close(shares({ topP: a + e / 2 }), [a / (a + e), 0, 0, 0, e / (a + e)]);
  close(shares({ topP: a + e + c / 2 }), [a, 0, c, 0, e].map((x) => x / (a + c + e)));
  close(shares({ topK: 1, temperature: 5 }), [1, 0, 0, 0, 0]);
  assert.equal(sampleToken(logits, { temperature: 0, topP: 0.1, topK: 3 }, 0.99), 0);
});

Deno.test("sampleToken() with topP gives the smallest set of likeliest tokens that reaches it", () => {
  const list = fc.array(fc.float({ min: -30, max: 30, noNaN: true }), { minLength: 1, maxLength: 60 });
  fc.assert(fc.property(list, fc.double({ min: 0.01, max: 0.999, noNaN: true }), (values, topP) => {
    const row = Float32Array.from(values);
    const probabilities = softmax([...row].map((x) => x - Math.max(...row)));
    const sorted = [...probabilities.keys()].sort((a, b) =>
      (probabilities[b] as number) - (probabilities[a] as number)
    );
    const token = sampleToken(row, { temperature: 1, topP, topK: 0 }, 0.999999);
    const likelier = (probabilities[token] as number) * (1 + 1e-6); // probabilities are computed in float32
    const before = sorted.filter((i) => (probabilities[i] as number) > likelier);
    const mass = before.reduce((sum, i) => sum + (probabilities[i] as number), 0);
    assert.ok(mass <= topP + 1e-6, `likelier tokens reach ${mass} already`);
  }));
});

Deno.test("logProbability() is the natural-log softmax", () => {
  for (const [i, p] of softmax([...logits]).entries()) {
    assert.ok(Math.abs(logProbability(logits, i) - Math.log(p)) < 1e-12);
  }
  assert.equal(argmax(Float32Array.of(1, 3, 3)), 1);
});
