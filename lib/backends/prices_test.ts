import assert from "node:assert/strict";
import { costOfUsage, dollars, estimateCost, priceOf } from "./prices.ts";
import { loadVariants, parseVariants, pickVariant, type Variant } from "./variants.ts";

const env = { get: () => undefined };
const shipped = await loadVariants();
const api = (fields: object): Variant =>
  pickVariant(
    parseVariants(
      JSON.stringify({
        variants: {
          v: {
            backend: "api",
            description: "d",
            contextWindow: 9,
            baseUrl: "http://127.0.0.1/v1",
            ...fields,
          },
        },
      }),
      "m.json",
    ),
    "v",
  );
const near = (a: number | undefined, b: number) =>
  assert.ok(a !== undefined && Math.abs(a - b) < 1e-12, `${a} ${b}`);

Deno.test("priceOf() reads the table for a provider's model, with its discount for cached tokens", () => {
  const price = priceOf(shipped.get("gpt-4o-mini") as Variant, env);
  assert.equal(price?.source, "genai-prices: openai/gpt-4o-mini");
  assert.equal(price?.inputPerMTok, 0.15);
  near(price?.cost({ prompt: 1e6, completion: 1000 }), 0.1506);
  near(price?.cost({ prompt: 1e6, cached: 9e5, completion: 1000 }), 0.0831);
});

Deno.test("priceOf() finds the provider by its address", () => {
  const variant = api({ model: "openai/gpt-oss-120b", baseUrl: "https://openrouter.ai/api/v1" });
  assert.match(priceOf(variant, env)?.source ?? "", /openrouter\/openai\/gpt-oss-120b/);
});

Deno.test("priceOf() counts tiers", () => {
  const price = priceOf(api({ model: "gemini-2.5-pro", provider: "google" }), env);
  near(price?.cost({ prompt: 100_000, completion: 0 }), 0.125);
  near(price?.cost({ prompt: 300_000, completion: 0 }), 0.75);
});

Deno.test("priceOf() is nothing for one's own hardware, the variant's own price when it has one, else unknown", () => {
  assert.equal(priceOf(shipped.get("pocket") as Variant, env)?.cost({ prompt: 1e9, completion: 1e9 }), 0);
  assert.equal(priceOf(shipped.get("gpt-oss-20b") as Variant, env)?.cost({ prompt: 1e9, completion: 1 }), 0);
  assert.equal(priceOf(api({ model: "nobody/knows" }), env), null);
  const own = priceOf(
    api({ model: "x", price: { inputPerMTok: 2, outputPerMTok: 4, cachedPerMTok: 1 } }),
    env,
  );
  near(own?.cost({ prompt: 1e6, cached: 5e5, completion: 1e6 }), 5.5);
});

Deno.test("costOfUsage() is unknown without a price and takes estimates for what was not reported", () => {
  const usage = { promptTokens: null, completionTokens: 5, cachedTokens: null, reasoningTokens: null };
  const estimate = { prompt: 100, completion: 50 };
  assert.equal(costOfUsage(null, usage, estimate), null);
  const price = priceOf(api({ model: "x", price: { inputPerMTok: 1, outputPerMTok: 10 } }), env);
  near(costOfUsage(price, usage, estimate) as number, 150 / 1e6);
});

Deno.test("estimateCost() brackets a plan", () => {
  const price = priceOf(api({ model: "x", price: { inputPerMTok: 1, outputPerMTok: 10 } }), env);
  const rows = [{ tokens: 1000, maxTokens: 100 }, { tokens: 2000, maxTokens: 10 }];
  const plan = estimateCost(price, rows, { exact: true });
  near(plan?.low, (3000 + 300) / 1e6);
  near(plan?.high, (3032 + 1100) / 1e6);
  assert.equal(estimateCost(null, rows), null);
});

Deno.test("dollars() says unknown aloud", () => {
  assert.deepEqual([dollars(null), dollars(0), dollars(1.5), dollars(0.000123)], [
    "unknown",
    "$0.0000",
    "$1.5000",
    "$0.000123",
  ]);
});
