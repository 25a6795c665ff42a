/** `deno task cache` as a person runs it. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import type { Completion } from "../lib/backends/backend.ts";
import { openCache } from "../lib/backends/cache.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const DAY = 86_400_000;

const completion: Completion = {
  text: "hi",
  reasoning: null,
  finishReason: "stop",
  usage: { promptTokens: 4, completionTokens: 1, cachedTokens: null, reasoningTokens: 0 },
  requestId: null,
  model: "m",
  logprobs: null,
};

async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-P=files", "--no-check", "--quiet", "tasks/cache.ts", ...args],
    cwd: root,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Three answers of two variants, one of them sixty days old and given twice, and one of nobody knows whom. */
function fill(folder: string): void {
  const at = (now: number) =>
    openCache(`${folder}/.cache.sqlite`, { clock: { now: () => now, sleep: () => Promise.resolve() } });
  const origin = { variant: "small", backend: "api", model: "s-1" };
  using before = at(Date.now() - 60 * DAY);
  before.set("a", completion, origin);
  using today = at(Date.now());
  today.get("a");
  today.get("a");
  today.set("b", completion, origin);
  today.set("c", completion, { variant: "large", backend: "local", model: "l-1" });
  today.set("d", completion);
}

function keys(folder: string): string {
  using cache = openCache(`${folder}/.cache.sqlite`);
  return ["a", "b", "c", "d"].filter((key) => cache.get(key)).join("");
}

Deno.test("cache stats tells entries, size, age and hits by variant", () =>
  inFolder(async (folder) => {
    fill(folder);
    const { code, stdout } = await run("stats", "--results", folder);
    assert.equal(code, 0);
    const row = stdout.split("\n").find((line) => line.startsWith("small")) ?? "";
    const day = (time: number) => new Date(time).toISOString().slice(0, 10);
    assert.match(row, /small +api +s-1 +2 +\d+ B +2 +/);
    assert.ok(row.includes(day(Date.now() - 60 * DAY)), row);
    assert.match(stdout, /large +local +l-1 +1 /);
    assert.match(stdout, /\(not recorded\) +1 /);
    assert.match(stdout, /\n4 answers, \d+ B; .*\.cache\.sqlite takes /);
    const json = JSON.parse((await run("stats", "--results", folder, "--json")).stdout);
    assert.deepEqual(json[0].origin, { variant: "small", backend: "api", model: "s-1" });
    assert.deepEqual([json[0].entries, json[0].hits, json.length], [2, 2, 3]);
  }));

Deno.test("cache clear removes what is selected, and nothing on a dry run", () =>
  inFolder(async (folder) => {
    fill(folder);
    const clear = async (...args: string[]) => {
      const { code, stderr } = await run("clear", "--results", folder, ...args);
      assert.equal(code, 0, stderr);
      return /: (\d+) answers? .* (would be|were) removed/.exec(stderr)?.slice(1).join(" ");
    };
    assert.equal(await clear("--all", "--dry-run"), "4 would be");
    assert.equal(await clear("--variant", "small", "--older-than", "30d", "--dry-run"), "1 would be");
    assert.equal(keys(folder), "abcd");
    assert.equal(await clear("--variant", "small", "--older-than", "30d"), "1 were");
    assert.equal(keys(folder), "bcd");
    assert.equal(await clear("--variant", "nobody"), "0 were");
    assert.equal(await clear("--older-than", "1h"), "0 were");
    assert.equal(await clear("--variant", "large"), "1 were");
    assert.equal(keys(folder), "bd");
    assert.equal(await clear("--all"), "2 were");
    assert.equal(keys(folder), "");
  }));

Deno.test("cache clear gives the disk back what it takes", () =>
  inFolder(async (folder) => {
    {
      using cache = openCache(`${folder}/.cache.sqlite`);
      for (let i = 0; i < 200; i++) cache.set(`k${i}`, { ...completion, text: "x".repeat(5000) });
    }
    const before = (await Deno.stat(`${folder}/.cache.sqlite`)).size;
    await run("clear", "--all", "--results", folder);
    const after = (await Deno.stat(`${folder}/.cache.sqlite`)).size;
    assert.ok(before > 1_000_000 && after < 100_000, `${before} bytes before, ${after} after`);
  }));

Deno.test("cache says what is wrong, and leaves broken files as they are", () =>
  inFolder(async (folder) => {
    const wrong = async (message: RegExp, ...args: string[]) => {
      const { code, stderr } = await run(...args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, / at .*\.ts/);
    };
    await wrong(/Say stats or clear/, "show");
    await wrong(/clear needs --all, or else/, "clear");
    await wrong(/clear needs --all, or else/, "clear", "--all", "--variant", "x");
    await wrong(/--older-than is "soon"/, "clear", "--older-than", "soon");
    await wrong(/stats takes/, "stats", "--all");
    const none = await run("stats", "--results", `${folder}/nowhere`);
    assert.equal(none.code, 0);
    assert.match(none.stderr, /There is no response cache/);
    assert.ok(!await Deno.stat(`${folder}/nowhere`).then(() => true, () => false));
    const path = `${folder}/.cache.sqlite`;
    const junk = "not a database ".repeat(999);
    await Deno.writeTextFile(path, junk);
    await wrong(/damaged inside: remove it/, "stats", "--results", folder);
    await wrong(/damaged inside: remove it/, "clear", "--all", "--results", folder);
    assert.equal(await Deno.readTextFile(path), junk);
  }));

Deno.test("cache reads and clears files from before origins were recorded", () =>
  inFolder(async (folder) => {
    {
      const db = new DatabaseSync(`${folder}/.cache.sqlite`);
      db.exec("CREATE TABLE responses (key TEXT PRIMARY KEY, completion TEXT NOT NULL) WITHOUT ROWID");
      db.prepare("INSERT INTO responses VALUES (?, ?)").run("a", JSON.stringify(completion));
      db.close();
    }
    assert.match((await run("stats", "--results", folder)).stdout, /\(not recorded\) +1 /);
    assert.equal(keys(folder), "a");
    await run("clear", "--older-than", "1m", "--results", folder);
    assert.equal(keys(folder), "a");
    await run("clear", "--all", "--results", folder);
    assert.equal(keys(folder), "");
  }));
