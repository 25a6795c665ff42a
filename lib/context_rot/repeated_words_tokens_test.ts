import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { Tokenizer } from "../backends/backend.ts";
import { loadO200k, simulatedTokenizer } from "../backends/tokenizers.ts";
import { openBackend } from "../backends/open_backend.ts";
import { loadVariants, pickVariant } from "../backends/variants.ts";
import { createRandom } from "../base/random.ts";
import { WORD_COUNTS } from "./repeated_words_grid.ts";
import { pairName, parsePairs, WORD_PAIRS } from "./repeated_words_pairs.ts";
import { copyMessages, goldText } from "./repeated_words_prompt.ts";
import { copyTokens } from "./repeated_words_tokens.ts";

async function tokenizers(): Promise<Tokenizer[]> {
  const variants = await loadVariants(fileURLToPath(new URL("../../models/models.json", import.meta.url)));
  await using pocket = await openBackend(pickVariant(variants, "pocket"));
  return [await loadO200k(), await pocket.tokenizer(), simulatedTokenizer];
}

Deno.test("copyTokens() is within 1% of what every prompt counts, and exact where words are split at spaces", async () => {
  const pairs = [...WORD_PAIRS, ...parsePairs("日本/東京,naïve/naïve!,don't/do n't")];
  const random = createRandom("copy tokens");
  for (const tokenizer of await tokenizers()) {
    for (const pair of pairs) {
      const tokens = copyTokens(tokenizer, pair);
      for (const count of [1, 2, 33, 34, ...WORD_COUNTS.full.slice(0, 8)]) {
        for (const position of new Set([0, 1, count >> 1, count - 2, count - 1, random.int(count)])) {
          if (position < 0 || position >= count) continue;
          const real = tokenizer.countMessages(copyMessages(goldText({ pair, count, position })));
          const said = tokens.count(count, position);
          const where = `${tokenizer.name}, ${
            pairName(pair)
          }, ${position} of ${count}: ${said}, really ${real}`;
          if (tokenizer === simulatedTokenizer) assert.ok(Math.abs(said - real) <= 0.01 * real, where);
          else assert.equal(said, real, where);
        }
      }
    }
  }
});

Deno.test("copyTokens() is exact at 10,000 words and counts 1,090 prompts of them without encoding each", async () => {
  const o200k = await loadO200k();
  let encoded = 0;
  const watched: Tokenizer = {
    ...o200k,
    countMessages(messages) {
      encoded += messages[0]?.content.length ?? 0;
      return o200k.countMessages(messages);
    },
  };
  for (const pair of WORD_PAIRS) {
    encoded = 0;
    const tokens = copyTokens(watched, pair);
    for (let i = 0; i < 1090; i++) tokens.count(10_000, i * 9);
    const real = o200k.countMessages(copyMessages(goldText({ pair, count: 10_000, position: 5000 })));
    assert.equal(tokens.count(10_000, 5000), real);
    assert.ok(
      encoded < 3 * goldText({ pair, count: 10_000, position: 0 }).length,
      `${encoded} characters were encoded`,
    );
  }
});
