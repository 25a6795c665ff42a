import assert from "node:assert/strict";
import fc from "fast-check";
import { openLocal } from "../backends/local.ts";
import { openedTurn, reasoningMarks } from "../backends/reasoning.ts";
import { getVariant, type LocalVariant } from "../backends/variants.ts";
import { type Decoder, loadDecoder } from "../engine/mod.ts";
import { type OwnProblem, ownProblems, writtenChain } from "./own_problems.ts";
import { splitSentences } from "./sentences.ts";
import { distinctTokens } from "./work_saved.ts";

Deno.test("distinctTokens() counts what sequences share once", () => {
  assert.equal(distinctTokens([[1, 2, 3], [1, 2, 3], [1, 2], [1, 4], []]), 4);
  const ids = fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 6 });
  fc.assert(fc.property(fc.array(ids, { maxLength: 8 }), (sequences) => {
    const beginnings = new Set(sequences.flatMap((s) => s.map((_, i) => s.slice(0, i + 1).join())));
    assert.equal(distinctTokens(sequences), beginnings.size);
  }));
});

Deno.test("continueFrom() computes 10 growing prefixes of 8 samples each once, whatever the order of the samples", async () => {
  const variant = await getVariant("pocket") as LocalVariant;
  let decoder: Decoder | undefined;
  await using backend = await openLocal(variant, {
    load: async (...given) => decoder = await loadDecoder(...given),
  });
  const [problem] = ownProblems(1, 2) as [OwnProblem];
  const reasoning = Array.from({ length: 4 }, () => writtenChain(problem).reasoning).join(" ");
  const ends = splitSentences(reasoning).map(({ end }) => end).slice(0, 10);
  assert.equal(ends.length, 10);
  const marks = reasoningMarks(variant);
  const messages = [{ role: "user", content: problem.basePrompt }] as const;
  const before = (await decoder?.stats())?.prefilledTokens as number;
  let counted = 0, longest = 0;
  for (const end of ends) {
    const prefix = openedTurn(marks, reasoning.slice(0, end));
    const samples = await Promise.all(
      Array.from(
        { length: 8 },
        (_, seed) =>
          backend.continueFrom({ messages, prefix, maxTokens: 4, temperature: 0.7, topP: 0.95, seed }),
      ),
    );
    for (const { usage } of samples) {
      counted += (usage.promptTokens as number) - (usage.cachedTokens as number);
    }
    longest = Math.max(longest, samples[0]?.usage.promptTokens ?? 0);
  }
  const computed = (await decoder?.stats())?.prefilledTokens as number - before;
  assert.equal(counted, computed, "usage adds up to what the engine says");
  assert.ok(computed <= 1.1 * longest, `${computed} tokens computed for a longest prefix of ${longest}`);
});
