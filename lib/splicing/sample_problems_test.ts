import assert from "node:assert/strict";
import fc from "fast-check";
import { createRandom } from "../base/random.ts";
import { parseAnswer } from "./answers.ts";
import { type OwnProblem, ownProblems, writtenChain } from "./own_problems.ts";
import { writtenEffects } from "./planted.ts";
import { chainTurn, NOTICED, sampleChain, sampleProblem, spaceOf, SWAYED } from "./sample_problems.ts";
import { splitSentences } from "./sentences.ts";

const seeds = fc.integer({ min: 0, max: 2 ** 31 });

Deno.test("sampleProblem() gives a sum with one right choice, and a hint towards a wrong one", () => {
  fc.assert(fc.property(seeds, fc.constantFrom("shipped" as const, "training" as const), (seed, space) => {
    const problem = sampleProblem(createRandom(seed), space);
    assert.equal(spaceOf(problem.id), space);
    let value: number | null = null;
    for (const { from, operation, by, result } of problem.steps) {
      assert.ok(value === null || value === from);
      value = operation === "times" ? from * by : operation === "plus" ? from + by : from - by;
      assert.equal(value, result);
    }
    assert.equal(problem.choices[problem.correct], String(value));
    assert.equal(new Set(Object.values(problem.choices).map((number) => Number(number) % 10)).size, 4);
    for (const { told } of problem.steps) assert.ok(problem.question.includes(`${told}.`));
    assert.notEqual(problem.hinted, problem.correct);
    assert.ok(!/professor/i.test(problem.basePrompt));
    assert.match(
      problem.hintedPrompt,
      new RegExp(`professor.* ${problem.choices[problem.hinted]} \\(${problem.hinted}\\)`, "i"),
    );
    assert.deepEqual(problem, sampleProblem(createRandom(seed), space));
  }));
});

Deno.test("sampleProblem() has room for two spaces, which share no sum", () => {
  const ids = (space: "shipped" | "training") => {
    const random = createRandom(space);
    return Array.from({ length: 400 }, () => sampleProblem(random, space).id);
  };
  const [shipped, training] = [new Set(ids("shipped")), ids("training")];
  assert.ok(shipped.size > 380, `${shipped.size} different problems of 400`);
  assert.ok(training.every((id) => !shipped.has(id)));
});

Deno.test("sampleChain() splits into its sentences, and its turn states its answer", () => {
  fc.assert(fc.property(seeds, fc.constantFrom("base" as const, "hinted" as const), (seed, arm) => {
    const random = createRandom(seed);
    const problem = sampleProblem(random, "shipped");
    const chain = sampleChain(problem, random, { arm });
    assert.ok(chain.sentences.length <= 10);
    assert.deepEqual(
      splitSentences(chain.reasoning).map(({ text }) => text),
      chain.sentences.map(({ text }) => text),
    );
    assert.deepEqual(parseAnswer(chainTurn(chain)), {
      answer: chain.answer,
      pattern: "best_answer",
      reason: null,
    });
    assert.ok(chain.answer === problem.correct || chain.answer === problem.hinted);
  }));
});

Deno.test("sampleChain() goes wrong in the slip alone, and ends at the hint unless that is noticed", () => {
  fc.assert(
    fc.property(seeds, fc.constantFrom("base" as const, "hinted" as const), (seed, arm) => {
      const random = createRandom(seed);
      const problem = sampleProblem(random, "training");
      const { sentences, answer } = sampleChain(problem, random, { arm, wrong: "sum" });
      const isWrong = ({ text }: { readonly text: string }) => {
        const sum = /(\d+) (times|plus|minus) (\d+) is (-?\d+)\.$/.exec(text);
        if (sum === null) return false;
        const [from, by, result] = [1, 3, 4].map((i) => Number(sum[i])) as [number, number, number];
        const right = sum[2] === "times" ? from * by : sum[2] === "plus" ? from + by : from - by;
        assert.ok(result >= 0 && result <= 99);
        return result !== right;
      };
      assert.deepEqual(sentences.map(isWrong), sentences.map(({ slip }) => slip));
      const at = sentences.findIndex(({ slip }) => slip);
      const noticed = sentences[at + 1]?.text.startsWith("Let me do that again") ?? false;
      assert.equal(answer, noticed ? problem.correct : problem.hinted);
    }),
    { numRuns: 200 },
  );
});

Deno.test("sampleChain() comes to believe the hint as often as it says, and a base chain never does", () => {
  const random = createRandom("swayed");
  const n = 2000;
  let swayed = 0;
  for (let i = 0; i < n; i++) {
    const problem = sampleProblem(random, "training");
    assert.equal(sampleChain(problem, random, { arm: "base" }).answer, problem.correct);
    const { sentences, answer } = sampleChain(problem, random, { arm: "hinted" });
    const believes = sentences.at(-2)?.slip === true;
    assert.deepEqual(
      sentences.map(({ slip }) => slip),
      sentences.map((_, i) => believes && i === sentences.length - 2),
    );
    assert.equal(answer, believes ? problem.hinted : problem.correct);
    if (!believes) continue;
    swayed++;
    const believed = `it is ${problem.choices[problem.hinted]} (${problem.hinted}).`;
    assert.ok(sentences.at(-2)?.text.endsWith(believed) && problem.hintedPrompt.includes(believed));
  }
  assert.ok(Math.abs(swayed / n - SWAYED) < 4 * Math.sqrt(SWAYED * (1 - SWAYED) / n), `${swayed / n}`);
});

Deno.test("sampleChain() notices slips as often as it says", () => {
  const random = createRandom("noticed");
  const n = 4000;
  let noticed = 0;
  for (let i = 0; i < n; i++) {
    const problem = sampleProblem(random, "training");
    const { answer } = sampleChain(problem, random, { arm: "base", wrong: "sum" });
    if (answer === problem.correct) noticed++;
  }
  const expected = 0.7 * NOTICED.base.plain + 0.3 * NOTICED.base.unsure;
  assert.ok(
    Math.abs(noticed / n - expected) < 4 * Math.sqrt(expected * (1 - expected) / n),
    `${noticed / n}`,
  );
});

Deno.test("writtenChain() ends with the hinted answer, the same for the same problem", () => {
  for (const [i, problem] of ownProblems(30, 4).entries()) {
    const chain = writtenChain(problem as OwnProblem);
    assert.equal(chain.answer, problem.hinted);
    assert.deepEqual(chain, writtenChain(ownProblems(30, 4)[i] as OwnProblem));
    const effects = writtenEffects(problem.id, chain).filter(({ delta }) => (delta ?? 0) > 0.3);
    assert.equal(effects.length, 1, "one sentence of it is the slip");
  }
});
