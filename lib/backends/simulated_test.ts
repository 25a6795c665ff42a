import assert from "node:assert/strict";
import { wilson } from "../stats/wilson.ts";
import { BackendError, type GenerateRequest } from "./backend.ts";
import { openSimulated, SIMULATED_FAILURES, SIMULATED_REFUSAL, simulatedAccuracy } from "./simulated.ts";
import { createFakeClock } from "./testing/fake_clock.ts";
import { parseVariants, pickVariant, type SimulatedVariant } from "./variants.ts";

function variant(fields: object): SimulatedVariant {
  const spec = { backend: "simulated", description: "d", contextWindow: 1_000_000, ...fields };
  return pickVariant(
    parseVariants(JSON.stringify({ variants: { s: spec } }), "m.json"),
    "s",
  ) as SimulatedVariant;
}

function request(i: number, fields: Partial<GenerateRequest> = {}): GenerateRequest {
  return {
    messages: [{
      role: "user",
      content: `Question ${i}: where is the needle? The needle is in the haystack.`,
    }],
    maxTokens: 64,
    oracle: { answer: "in the haystack", distractors: ["in the sewing box"], length: 10_000, depth: 0.5 },
    ...fields,
  };
}

Deno.test("openSimulated() gives the same answer to the same request", async () => {
  const one = openSimulated(variant({ mode: "decay" }));
  const two = openSimulated(variant({ mode: "decay" }));
  for (let i = 0; i < 50; i++) {
    assert.deepEqual(await one.generate(request(i)), await two.generate(request(i)));
  }
});

Deno.test("openSimulated() decays as simulatedAccuracy() says, at every length and depth", async () => {
  const decay = variant({ mode: "decay" });
  const backend = openSimulated(decay);
  for (const length of [500, 20_000, 200_000]) {
    for (const depth of [0, 0.5]) {
      let right = 0;
      const n = 2000;
      for (let i = 0; i < n; i++) {
        const answer = await backend.generate(request(i, {
          messages: [{ role: "user", content: `${length}/${depth}/${i}` }],
          oracle: { answer: "seven", length, depth },
        }));
        if (answer.text === "seven") right++;
      }
      const { low, high } = wilson(right, n, { confidence: 0.999 });
      const truth = simulatedAccuracy(length, depth, decay.curve);
      assert.ok(low <= truth && truth <= high, `${length} ${depth}: ${right}/${n}, truth ${truth}`);
    }
  }
});

Deno.test("openSimulated() cuts the prompt silently in mode truncate and is right while the evidence is left", async () => {
  const backend = openSimulated(variant({ mode: "truncate", window: 100 }));
  const oracle = { answer: "blue", evidence: "The door is blue.", length: 400 };
  const filler = "word ".repeat(240);
  const ask = (content: string) =>
    backend.generate(request(0, { messages: [{ role: "user", content }], oracle }));
  const early = await ask(`The door is blue. ${filler}`);
  const late = await ask(`${filler} The door is blue.`);
  const short = await ask("The door is blue.");
  assert.notEqual(early.text, "blue");
  assert.equal(late.text, "blue");
  assert.equal(early.usage.promptTokens, 100);
  assert.equal(short.usage.promptTokens, 6);
});

Deno.test("openSimulated() loops to the cap, refuses, and pads in its modes", async () => {
  const loop = await openSimulated(variant({ mode: "loop" })).generate(request(0));
  assert.equal(loop.finishReason, "length");
  assert.equal(loop.usage.completionTokens, 64);
  assert.equal(loop.text.length, 192);
  assert.equal(
    (await openSimulated(variant({ mode: "refuse" })).generate(request(0))).text,
    SIMULATED_REFUSAL,
  );
  const pads = openSimulated(variant({ mode: "pad" }));
  const texts = new Set<string>();
  for (let i = 0; i < 20; i++) {
    const { text, usage } = await pads.generate(request(i));
    assert.match(text, /^(<pad>)*(<(p(ad?)?)?)?$/);
    if (text === "") assert.equal(usage.promptTokens, 0);
    texts.add(text === "" ? "empty" : "run");
  }
  assert.equal(texts.size, 2);
});

Deno.test("openSimulated() fails a share of tries with every kind of error, and another try may do", async () => {
  const backend = openSimulated(variant({ mode: "err", errorRate: 0.5 }));
  const kinds = new Map<string, number>();
  let recovered = 0;
  for (let i = 0; i < 400; i++) {
    try {
      await backend.generate(request(i));
    } catch (error) {
      assert.ok(error instanceof BackendError);
      kinds.set(error.kind, (kinds.get(error.kind) ?? 0) + 1);
      if (await backend.generate(request(i)).then(() => true, () => false)) recovered++;
    }
  }
  const failed = [...kinds.values()].reduce((a, b) => a + b);
  assert.ok(failed > 150 && failed < 250);
  assert.deepEqual([...kinds.keys()].sort(), [...SIMULATED_FAILURES].sort());
  assert.ok(recovered > failed / 4);
});

Deno.test("openSimulated() marks every answer as simulated and never holds the right answer in a wrong one", async () => {
  const never = { top: 0, floor: 0 };
  const backend = openSimulated(variant({ mode: "decay", curve: never }));
  for (let i = 0; i < 50; i++) {
    const { text, model } = await backend.generate(
      request(i, { oracle: { answer: "A purple teapot", length: 1 } }),
    );
    assert.equal(model, "simulated:decay");
    assert.doesNotMatch(text, /purple teapot/i);
  }
});

Deno.test("openSimulated() makes the task's own mistakes, each as often as another, and loops on its own words", async () => {
  const mistakes = ["apple apple", "apples apple apple", ""];
  const oracle = { answer: "apple apples", mistakes, loop: "apple ", length: 10_000, depth: 0.5 };
  const never = { top: 0, floor: 0 };
  const backend = openSimulated(variant({ mode: "decay", curve: never }));
  const counts = new Map(mistakes.map((text) => [text, 0]));
  for (let i = 0; i < 900; i++) {
    const { text } = await backend.generate(request(i, { oracle }));
    assert.ok(counts.has(text), text);
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  for (const [text, n] of counts) assert.ok(n > 240 && n < 360, `${n} times ${JSON.stringify(text)}`);
  const looped = await openSimulated(variant({ mode: "loop" })).generate(request(0, { oracle }));
  assert.equal(looped.text, "apple ".repeat(32));
  assert.equal(looped.finishReason, "length");
});

Deno.test("openSimulated() takes its latency from the clock", async () => {
  const clock = createFakeClock(0);
  await clock.run(openSimulated(variant({ mode: "decay", latencyMs: 250 }), { clock }).generate(request(0)));
  assert.equal(clock.now(), 250);
});

Deno.test("openSimulated() answers 20,000 requests in a few seconds", async () => {
  const backend = openSimulated(variant({ mode: "decay" }));
  const started = performance.now();
  for (let i = 0; i < 20_000; i++) await backend.generate(request(i));
  assert.ok(performance.now() - started < 5000);
});
