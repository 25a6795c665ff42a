import assert from "node:assert/strict";
import { InputError } from "../base/errors.ts";
import {
  getVariant,
  limitsOf,
  loadVariants,
  missingEnvironment,
  parseVariants,
  pickVariant,
  snakeName,
  type Variant,
} from "./variants.ts";

const env = (values: Record<string, string> = {}) => ({ get: (name: string) => values[name] });
const shipped = await loadVariants(
  decodeURIComponent(new URL("../../models/models.json", import.meta.url).pathname),
);
const parse = (variant: object) =>
  pickVariant(parseVariants(JSON.stringify({ variants: { v: variant } }), "/m/models.json"), "v");
const simulated = { backend: "simulated", description: "d", mode: "decay", contextWindow: 100 };

Deno.test("loadVariants() reads what ships", () => {
  for (
    const name of [
      "pocket",
      "simulated",
      "gpt-oss-20b",
      "gpt-oss-120b",
      "gpt-4o-mini",
      "r1-distill-14b",
      "checkpoint",
    ]
  ) assert.ok(shipped.has(name), name);
  const pocket = shipped.get("pocket");
  assert.ok(pocket?.backend === "local" && pocket.folder?.endsWith("/models/pocket"));
});

Deno.test("getVariant() lists what exists and the nearest name when there is none of that name", async () => {
  await assert.rejects(getVariant("gpt-oss-20"), (error: Error) => {
    assert.ok(error instanceof InputError);
    assert.match(error.message, /Did you mean "gpt-oss-20b"\?/);
    assert.match(error.message, /pocket, simulated/);
    return true;
  });
  assert.throws(
    () => pickVariant(shipped, "zzzzzzzz"),
    (error: Error) => !error.message.includes("Did you mean"),
  );
});

Deno.test("loadVariants() says where the file should be when it is missing", async () => {
  await assert.rejects(
    loadVariants("/nowhere/models.json"),
    /no variants file at \/nowhere\/models\.json.*PROBEBOOK_MODELS/s,
  );
});

Deno.test("parseVariants() names every wrong field", () => {
  assert.throws(() => parseVariants("{", "m.json"), /m\.json is not JSON/);
  assert.throws(() => parse({ ...simulated, mode: "fly" }), /variants\.v\.mode/);
  assert.throws(
    () => parse({ ...simulated, contextWindow: -1, typo: 1 }),
    /contextWindow[\s\S]*typo|typo[\s\S]*contextWindow/,
  );
  assert.throws(() => parse({ backend: "api", description: "d", contextWindow: 9, model: "m" }), /baseUrl/);
  assert.throws(
    () => parseVariants(JSON.stringify({ variants: { "Bad Name": simulated } }), "m.json"),
    /kebab-case/,
  );
});

Deno.test("parseVariants() resolves folders against models.json and leaves hub ids", () => {
  const local = { backend: "local", description: "d", contextWindow: 9 };
  const folder = (model: string) => {
    const variant = parse({ ...local, model });
    return variant.backend === "local" ? variant.folder : undefined;
  };
  assert.equal(folder("./pocket"), "/m/pocket");
  assert.equal(folder("/abs/x"), "/abs/x");
  assert.equal(folder("owner/name"), null);
});

Deno.test("snakeName() turns a variant's name into a file name's", () => {
  assert.equal(snakeName("gpt-oss-20b"), "gpt_oss_20b");
  assert.equal(snakeName("qwen2.5-7b"), "qwen2_5_7b");
});

Deno.test("missingEnvironment() names what is not set, and a default base URL needs no variable", () => {
  const of = (name: string, values = {}) => missingEnvironment(shipped.get(name) as Variant, env(values));
  assert.deepEqual(of("gpt-oss-20b"), ["GPT_OSS_BASE_URL", "GPT_OSS_API_KEY"]);
  assert.deepEqual(of("gpt-oss-20b", { GPT_OSS_BASE_URL: "http://x/v1", GPT_OSS_API_KEY: "k" }), []);
  assert.deepEqual(of("gpt-oss-120b"), ["OPENROUTER_API_KEY"]);
  assert.deepEqual(of("pocket"), []);
});

Deno.test("limitsOf() takes the environment, then the variant, then its deployment", () => {
  const tpm = (name: string, values = {}) =>
    limitsOf(shipped.get(name) as Variant, env(values)).tokensPerMinute;
  assert.equal(tpm("gpt-oss-20b"), 50_000);
  assert.equal(tpm("gpt-oss-120b"), 200_000);
  assert.equal(tpm("pocket", { MAX_TOKENS_PER_MINUTE: "7" }), null);
  assert.equal(tpm("gpt-oss-120b", { MAX_TOKENS_PER_MINUTE: "100000" }), 100_000);
  assert.equal(tpm("gpt-oss-120b", { MAX_TOKENS_PER_MINUTE: "" }), 200_000);
  assert.throws(() => tpm("gpt-oss-120b", { MAX_TOKENS_PER_MINUTE: "many" }), InputError);
  assert.equal(limitsOf(parse({ ...simulated, limits: { tokensPerMinute: 5 } }), env()).tokensPerMinute, 5);
});
