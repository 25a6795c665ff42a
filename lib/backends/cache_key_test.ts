import assert from "node:assert/strict";
import type { ContinueRequest, GenerateRequest } from "./backend.ts";
import { backendIdentity, cacheKey } from "./cache_key.ts";
import { parseVariants, pickVariant, type Variant } from "./variants.ts";

const env = { get: (name: string) => ({ URL_A: "http://a/v1", URL_B: "http://b/v1" })[name] };

function variant(spec: object): Variant {
  return pickVariant(parseVariants(JSON.stringify({ variants: { v: spec } }), "/m/models.json"), "v");
}
const api = (fields: object) =>
  variant({ backend: "api", description: "d", model: "m", contextWindow: 9, baseUrlEnv: "URL_A", ...fields });

async function inFolder(work: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("cacheKey() differs in everything that determines an answer", () => {
  const request: GenerateRequest = { messages: [{ role: "user", content: "a" }], maxTokens: 9 };
  const continued: ContinueRequest = { ...request, prefix: "x" };
  const requests: GenerateRequest[] = [
    request,
    { ...request, maxTokens: 8 },
    { ...request, seed: 1 },
    { ...request, temperature: 0.5 },
    { ...request, topP: 0.5 },
    { ...request, topK: 5 },
    { ...request, stop: ["x"] },
    { ...request, logprobs: true },
    { ...request, messages: [{ role: "system", content: "a" }] },
    continued,
    { ...continued, prefix: "y" },
  ];
  const identities = [
    api({}),
    api({ baseUrlEnv: "URL_B" }),
    api({ model: "n" }),
    api({ revision: "r" }),
    api({ lora: "l" }),
    api({ dtype: "bf16" }),
    api({ provider: "p" }),
    api({ protocol: "completions" }),
    api({ extraBody: { effort: "high" } }),
    api({ format: "harmony" }),
    api({ protocol: "completions", format: "harmony" }),
    api({ protocol: "completions", format: "harmony", harmony: { reasoningEffort: "high" } }),
    api({ protocol: "completions", format: "harmony", harmony: { currentDate: "2026-01-31" } }),
    variant({ backend: "local", description: "d", model: "m", contextWindow: 9, format: "harmony" }),
    variant({ backend: "local", description: "d", model: "m", contextWindow: 9 }),
    variant({ backend: "local", description: "d", model: "m", contextWindow: 9, dtype: "q8" }),
    variant({ backend: "simulated", description: "d", mode: "decay", contextWindow: 9 }),
    variant({ backend: "simulated", description: "d", mode: "loop", contextWindow: 9 }),
  ].map((v) => backendIdentity(v, env));
  const keys = [
    ...requests.map((r) => cacheKey(identities[0] as never, r)),
    ...identities.slice(1).map((identity) => cacheKey(identity, request)),
    cacheKey(identities[0] as never, request, 1),
  ];
  assert.equal(new Set(keys).size, keys.length);
  assert.equal(cacheKey(identities[0] as never, { ...request }), keys[0]);
});

Deno.test("backendIdentity() changes when a local checkpoint is written again", () =>
  inFolder(async (folder) => {
    const local = pickVariant(
      parseVariants(
        JSON.stringify({
          variants: { v: { backend: "local", description: "d", model: "./ckpt", contextWindow: 9 } },
        }),
        `${folder}/models.json`,
      ),
      "v",
    );
    await Deno.mkdir(`${folder}/ckpt`);
    await Deno.writeTextFile(`${folder}/ckpt/model.safetensors`, "one");
    const before = JSON.stringify(backendIdentity(local));
    assert.equal(JSON.stringify(backendIdentity(local)), before);
    await Deno.writeTextFile(`${folder}/ckpt/model.safetensors`, "three");
    assert.notEqual(JSON.stringify(backendIdentity(local)), before);
    assert.ok(!before.includes(folder));
  }));
