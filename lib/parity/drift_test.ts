import assert from "node:assert/strict";
import type { TokenLogprob } from "../backends/backend.ts";
import type { Answer } from "./answer.ts";
import { compareRendered, type DriftInput, findDrift } from "./drift.ts";

const answer = (item: number, changes: Partial<Answer> = {}): Answer => ({
  item: String(item),
  label: 0,
  unparsed: null,
  category: null,
  strict: true,
  refused: false,
  response: "0",
  reasoning: null,
  finishReason: "stop",
  promptTokens: 100 + item,
  completionTokens: 1,
  reasoningTokens: null,
  logprobs: null,
  ...changes,
});

const pairs = (
  n: number,
  second: (item: number) => Partial<Answer>,
  first: (item: number) => Partial<Answer> = () => ({}),
) => Array.from({ length: n }, (_, i): [Answer, Answer] => [answer(i, first(i)), answer(i, second(i))]);

const causes = (input: Partial<DriftInput>) =>
  findDrift({ pairs: [], floor: null, ...input }).causes.map(({ cause, certainty }) =>
    `${cause} ${certainty}`
  );

Deno.test("findDrift() finds nothing where nothing differs", () => {
  const drift = findDrift({
    pairs: pairs(50, () => ({})),
    floor: null,
    parameters: [{ temperature: 0 }, { temperature: 0 }],
  });
  assert.deepEqual([drift.causes, drift.prompt_tokens.equal, drift.divergence.rows], [[], 50, 0]);
});

Deno.test("findDrift() tells a template by prompt tokens, and leaves one or two on every row open", () => {
  assert.deepEqual(causes({ pairs: pairs(50, (i) => ({ promptTokens: 109 + i })) }), ["template certain"]);
  assert.deepEqual(causes({ pairs: pairs(50, (i) => ({ promptTokens: 100 + i + (i % 7) })) }), [
    "template certain",
  ]);
  assert.deepEqual(causes({ pairs: pairs(50, (i) => ({ promptTokens: 101 + i })) }), ["template possible"]);
  assert.deepEqual(
    causes({ pairs: pairs(100, (i) => ({ promptTokens: i === 3 ? 0 : 100 + i })) }),
    [],
    "one odd count",
  );
  assert.deepEqual(causes({ pairs: pairs(50, () => ({ promptTokens: null })) }), [], "counts are not given");
});

Deno.test("findDrift() tells a cut prompt from a template: counts stop at a window", () => {
  const cut = (window: number) => pairs(60, (i) => ({ promptTokens: Math.min(window, 100 + i) }));
  assert.deepEqual(causes({ pairs: cut(130) }), ["truncation certain"]);
  assert.deepEqual(causes({ pairs: cut(90) }), ["truncation certain"], "every prompt is cut");
  assert.deepEqual(
    causes({ pairs: cut(130).map(([a, b]) => [b, a]) }),
    ["truncation certain"],
    "the first backend may be the one",
  );
});

Deno.test("findDrift() tells answers cut at the output cap", () => {
  const found = causes({
    pairs: pairs(40, (i) => i < 12 ? { finishReason: "length", response: "0 be" } : {}),
  });
  assert.equal(found[0], "truncation likely");
});

Deno.test("findDrift() shows parameters that are sent otherwise", () => {
  const drift = findDrift({
    pairs: pairs(10, () => ({})),
    floor: null,
    parameters: [{ temperature: 0, max_tokens: 8 }, { temperature: 0.7, max_tokens: 8, top_k: 40 }],
  });
  assert.deepEqual(drift.parameters?.differ, [
    "temperature (0 against 0.7)",
    "top_k (not sent against 40)",
  ]);
  assert.equal(drift.causes[0]?.cause, "sampling");
});

Deno.test("findDrift() shows where rendered prompts part", () => {
  const same: [string, string] = ["<s>user: hi", "<s>user: hi"];
  assert.equal(compareRendered([same])?.first_difference, null);
  assert.equal(compareRendered([]), null);
  const drift = findDrift({
    pairs: [],
    floor: null,
    rendered: [same, ["<s>user: hi", "<s>[INST] hi"], ["a", "ab"]],
  });
  assert.deepEqual([drift.rendered_prompt?.compared, drift.rendered_prompt?.equal], [3, 1]);
  assert.deepEqual(drift.rendered_prompt?.first_difference, {
    at: 3,
    first: "<s>user: hi",
    second: "<s>[INST] hi",
  });
  assert.equal(drift.causes[0]?.cause, "template");
  assert.equal(compareRendered([["a", "ab"]])?.first_difference?.at, 1);
});

Deno.test("findDrift() tells near ties from another model by log-probabilities at the first token that differs", () => {
  const tokens = (...given: [string, number][]): TokenLogprob[] =>
    given.map(([token, logprob]) => ({ token, logprob }));
  const diverging = (a: number, b: number) =>
    pairs(
      20,
      (i) => ({ response: "x y", label: null, logprobs: tokens(["x", -0.01], [i < 10 ? "y" : "z", b]) }),
      (i) =>
        i < 10 ? { response: "x y", label: null, logprobs: tokens(["x", -0.01], ["y", a]) } : {
          response: "x w",
          label: null,
          logprobs: tokens(["x", -0.01], ["w", a]),
        },
    );
  const tie = findDrift({ pairs: diverging(-0.69, -0.71), floor: null });
  assert.deepEqual(tie.causes.map(({ cause }) => cause), ["numerics"]);
  assert.deepEqual(
    [
      tie.divergence.rows,
      tie.divergence.with_logprobs,
      tie.divergence.median_token,
      tie.divergence.near_ties,
    ],
    [10, 10, 1, 10],
  );
  assert.ok(Math.abs((tie.divergence.median_logprob_gap ?? 0) - 0.02) < 1e-9);
  assert.deepEqual(causes({ pairs: diverging(-0.01, -0.02) }), ["model likely"]);
});
