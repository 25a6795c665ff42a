import assert from "node:assert/strict";
import type { Completion } from "./backend.ts";
import { openCache } from "./cache.ts";

const completion: Completion = {
  text: "hi ☂",
  reasoning: null,
  finishReason: "stop",
  usage: { promptTokens: 4, completionTokens: 1, cachedTokens: null, reasoningTokens: 0 },
  requestId: null,
  model: "m",
  logprobs: [{ token: "hi", logprob: -1 }],
  recoveries: ["stop_in_header"],
};
async function inFolder(work: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

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
