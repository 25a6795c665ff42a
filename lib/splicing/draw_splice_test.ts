import assert from "node:assert/strict";
import fc from "fast-check";
import { decode, encode } from "gpt-tokenizer/encoding/o200k_base";
import { analyseSplice } from "./analyse_splice.ts";
import { armLabel, drawSplice } from "./draw_splice.ts";
import { spliceWorld } from "./testing/worlds.ts";
import { ARM_NAMES } from "./types.ts";
import { viewTokens } from "./view_tokens.ts";

const tokenizer = {
  encode: (text: string) => encode(text),
  decode: (ids: readonly number[]) => decode([...ids]),
};

Deno.test("drawSplice() draws what there is: effects, arms, a view of tokens, and nothing from nothing", async () => {
  const world = spliceWorld("draw", { problems: 6, samples: 20, effect: 0.5 });
  const analysis = analyseSplice(world.rows, world.points, {
    problems: world.problems,
    seed: 1,
    resamples: 100,
  });
  const data = { placement: null, clusters: [] };
  const tokens = [{ text: "one", kind: "prompt" as const }];
  const figures = await drawSplice({
    analysis,
    data,
    view: { tokens, notes: ["Sample 0."] },
    variant: "pocket",
    simulated: true,
  });
  assert.deepEqual(Object.keys(figures), ["effect", "arms", "view"]);
  for (const figure of Object.values(figures)) assert.match(figure.svg, /SIMULATED/);
  assert.match(figures.effect?.svg ?? "", /r of delta and effect.*95% interval/);
  assert.match(figures.arms?.alt ?? "", /Un-hinted prompt, with sentence: \d+ of \d+ answers/);
  const none = analyseSplice([], [], { problems: [], seed: 1 });
  assert.deepEqual(await drawSplice({ analysis: none, data, variant: "pocket" }), {});
  assert.equal(new Set(ARM_NAMES.map(armLabel)).size, ARM_NAMES.length);
});

Deno.test("viewTokens() gives the whole text back, each token with what it belongs to", () => {
  const word = fc.constantFrom("Two", " and", " two", " is", "\n\n", " 5", ".", " 😀", "é", "字", " <think>");
  const text = fc.array(word, { minLength: 1, maxLength: 12 }).map((parts) => parts.join(""));
  fc.assert(fc.property(text, text, text, text, (asked, chain, sentence, continuation) => {
    const prompt = asked + chain + sentence;
    const tokens = viewTokens({
      promptIds: encode(prompt),
      chainLength: (chain + sentence).length,
      sentenceLength: sentence.length,
      continuation,
    }, tokenizer);
    const of = (...kinds: string[]) =>
      tokens.filter(({ kind }) => kinds.includes(kind)).map((token) => token.text).join("");
    assert.equal(of("prompt", "prefix", "sentence"), prompt);
    assert.equal(of("continuation"), continuation);
    assert.ok(of("sentence").endsWith(sentence) && of("prompt").length <= asked.length);
    const order = ["prompt", "prefix", "sentence", "continuation"];
    const places = tokens.map(({ kind }) => order.indexOf(kind));
    assert.deepEqual(places, places.toSorted((a, b) => a - b));
  }));
});
