import assert from "node:assert/strict";
import { openBackend } from "./open_backend.ts";
import { parseVariants, pickVariant } from "./variants.ts";

const fixtures = new URL("../../../shared/fixtures/hf/llama-tied/", import.meta.url);
const folder = decodeURIComponent(fixtures.pathname);
const present = await Deno.stat(folder).then(() => true, () => false);
if (!present) console.log("local_shared_test: skipped, the shared fixtures are not beside this repository");

Deno.test({
  name: "openBackend() runs a checkpoint in process, reuses a shared beginning, and repeats itself by seed",
  ignore: !present,
  async fn() {
    const spec = { backend: "local", description: "d", model: folder, contextWindow: 64 };
    const variant = pickVariant(
      parseVariants(JSON.stringify({ variants: { tied: spec } }), "m.json"),
      "tied",
    );
    await using backend = await openBackend(variant);
    const ask = (content: string, fields = {}) =>
      backend.generate({ messages: [{ role: "user", content }], maxTokens: 6, ...fields });
    const first = await ask("one two three");
    const again = await ask("one two three");
    assert.equal(again.text, first.text);
    assert.ok((again.usage.cachedTokens as number) > 0);
    const { countMessages } = await backend.tokenizer();
    assert.equal(first.usage.promptTokens, countMessages([{ role: "user", content: "one two three" }]));
    const warm = { temperature: 1, seed: 3 };
    assert.equal((await ask("one two", warm)).text, (await ask("one two", warm)).text);
  },
});
