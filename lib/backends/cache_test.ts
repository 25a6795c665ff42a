import assert from "node:assert/strict";
import type { Completion, ContinueRequest, GenerateRequest } from "./backend.ts";
import { backendIdentity, cacheKey, openCache } from "./cache.ts";
import { parseVariants, pickVariant, type Variant } from "./variants.ts";

const completion: Completion = {
  text: "hi ☂",
  reasoning: null,
  finishReason: "stop",
  usage: { promptTokens: 4, completionTokens: 1, cachedTokens: null, reasoningTokens: 0 },
  requestId: null,
  model: "m",
  logprobs: [{ token: "hi", logprob: -1 }],
};
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

Deno.test("openCache() gives back what was stored, also after it is opened again", () =>
  inFolder((folder) => {
    {
      using cache = openCache(`${folder}/deep/cache.sqlite`);
      cache.set("k", { ...completion, fromCache: true });
      assert.equal(cache.get("other"), undefined);
    }
    using cache = openCache(`${folder}/deep/cache.sqlite`);
    assert.deepEqual(cache.get("k"), completion);
    assert.equal(cache.stats().entries, 1);
    cache.clear();
    assert.deepEqual(cache.stats(), { entries: 0, bytes: 0 });
  }));

Deno.test("openCache() keeps every finished write of a process that was killed", () =>
  inFolder(async (folder) => {
    const module = new URL("./cache.ts", import.meta.url).href;
    const code = `
      const { openCache } = await import(${JSON.stringify(module)});
      const cache = openCache(${JSON.stringify(`${folder}/cache.sqlite`)});
      for (let i = 0; i < 50; i++) cache.set("k" + i, ${JSON.stringify(completion)});
      console.log("ready");
      for (;;) cache.set("more", ${JSON.stringify(completion)});`;
    const child = new Deno.Command(Deno.execPath(), { args: ["eval", code], stdout: "piped", stderr: "null" })
      .spawn();
    await child.stdout.getReader().read();
    child.kill("SIGKILL");
    await child.status;
    using cache = openCache(`${folder}/cache.sqlite`);
    for (let i = 0; i < 50; i++) assert.deepEqual(cache.get(`k${i}`), completion);
  }));

Deno.test("openCache() puts a file that is no database aside and begins anew", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(
      `${folder}/cache.sqlite`,
      "this is not a database at all, not even a little".repeat(99),
    );
    using cache = openCache(`${folder}/cache.sqlite`);
    cache.set("k", completion);
    assert.deepEqual(cache.get("k"), completion);
    const names = [...Deno.readDirSync(folder)].map((entry) => entry.name);
    assert.ok(names.some((name) => name.startsWith("cache.sqlite.damaged-")), names.join());
  }));

Deno.test("openCache() says what to do when the file cannot be made", () => {
  assert.throws(() => openCache("/proc/nothing/cache.sqlite"), /cache|write/i);
});
