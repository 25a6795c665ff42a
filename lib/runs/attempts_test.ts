import assert from "node:assert/strict";
import fc from "fast-check";
import { openAttempts } from "./attempts.ts";
import { attemptFor, testIdentity } from "./testing.ts";

const quiet = { log: () => {} };

async function inFolder(run: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(`${folder}/a_attempts.jsonl`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("openAttempts() finds again what was written, and numbers the tries", () =>
  inFolder(async (path) => {
    {
      using store = await openAttempts(path, testIdentity, quiet);
      store.append({ ...attemptFor("a"), status: "error", output: "" });
      store.append({ ...attemptFor("a"), output: "héllo 🌍 \u2028 \ud800" });
      store.append(attemptFor("b"));
      assert.equal(store.read("a")?.attempt, 2);
    }
    using store = await openAttempts(path, testIdentity, quiet);
    assert.deepEqual({ ...store.state("a") }.status, "done");
    assert.equal(store.state("a")?.attempts, 2);
    assert.equal(store.read("a")?.output, "héllo 🌍 \u2028 \ud800");
    assert.equal(store.read("b")?.output, "answer of b");
    assert.equal(store.read("c"), null);
    assert.equal(store.totals.calls, 3);
    assert.equal(store.totals.errors, 1);
    assert.equal(store.size, (await Deno.stat(path)).size);
  }));

Deno.test("openAttempts() keeps a row done when a later try of it failed", () =>
  inFolder(async (path) => {
    {
      using store = await openAttempts(path, testIdentity, quiet);
      store.append(attemptFor("a"));
      store.append({ ...attemptFor("a"), status: "error", output: "" });
    }
    using store = await openAttempts(path, testIdentity, quiet);
    assert.equal(store.state("a")?.status, "done");
    assert.equal(store.read("a")?.output, "answer of a");
  }));

Deno.test("openAttempts() loses only the torn line when the file is cut at any byte", () =>
  inFolder(async (path) => {
    {
      using store = await openAttempts(path, testIdentity, quiet);
      for (const id of ["a", "b", "c"]) store.append({ ...attemptFor(id), output: `“${id}” — é` });
    }
    const whole = await Deno.readFile(path);
    const ends = [...whole.keys()].filter((i) => whole[i] === 10);
    for (let cut = 0; cut <= whole.length; cut++) {
      await Deno.writeFile(path, whole.subarray(0, cut));
      // A line whose break alone is missing is whole.
      const kept = Math.max(0, ends.filter((end) => end <= cut).length - 1);
      const lines: string[] = [];
      {
        using store = await openAttempts(path, testIdentity, { log: (line) => lines.push(line) });
        assert.equal([...store.ids()].length, kept, `cut at ${cut}`);
        const torn = cut > 0 && !ends.includes(cut) && !ends.includes(cut - 1);
        assert.equal(lines.length, torn ? 1 : 0, `cut at ${cut}`);
        for (const id of ["a", "b", "c"].slice(kept)) {
          store.append({ ...attemptFor(id), output: `“${id}” — é` });
        }
      }
      assert.deepEqual(
        (await Deno.readTextFile(path)).split("\n").slice(1),
        new TextDecoder().decode(whole).split("\n").slice(1),
        `cut at ${cut}`,
      );
    }
  }));

Deno.test("openAttempts() gives back what any history says, cut anywhere", async () => {
  const history = fc.array(
    fc.record({
      id: fc.constantFrom("a", "b", "c"),
      done: fc.boolean(),
      output: fc.string({ unit: "binary" }),
    }),
    { maxLength: 12 },
  );
  await fc.assert(
    fc.asyncProperty(
      history,
      fc.double({ min: 0, max: 1, noNaN: true }),
      (tries, at) =>
        inFolder(async (path) => {
          {
            using store = await openAttempts(path, testIdentity, quiet);
            for (const { id, done, output } of tries) {
              store.append({ ...attemptFor(id), status: done ? "done" : "error", output });
            }
          }
          const whole = await Deno.readFile(path);
          const headerEnd = whole.indexOf(10) + 1;
          const cut = headerEnd + Math.floor((whole.length - headerEnd) * at);
          await Deno.truncate(path, cut);
          const kept = tries.slice(
            0,
            whole.subarray(headerEnd, Math.min(whole.length, cut + 1)).filter((b) => b === 10).length,
          );
          using store = await openAttempts(path, testIdentity, quiet);
          for (const id of ["a", "b", "c"]) {
            const mine = kept.filter((t) => t.id === id);
            const wanted = mine.find((t) => t.done) ?? mine.at(-1);
            assert.equal(store.read(id)?.output, wanted?.output);
            assert.equal(store.state(id)?.attempts, wanted === undefined ? undefined : mine.length);
          }
        }),
    ),
    { numRuns: 60 },
  );
});

Deno.test("openAttempts() names the line and changes nothing when the middle is damaged", () =>
  inFolder(async (path) => {
    {
      using store = await openAttempts(path, testIdentity, quiet);
      for (const id of ["a", "b", "c"]) store.append(attemptFor(id));
    }
    const lines = (await Deno.readTextFile(path)).split("\n");
    lines[2] = lines[2]!.slice(0, 40);
    const damaged = lines.join("\n");
    await Deno.writeTextFile(path, damaged);
    await assert.rejects(openAttempts(path, testIdentity, quiet), {
      name: "InputError",
      message: /a_attempts\.jsonl, line 3 .*Nothing was changed\. Repair or delete/,
    });
    assert.equal(await Deno.readTextFile(path), damaged);
  }));

Deno.test("openAttempts() refuses a last line that is JSON but no attempt, and a file of another kind", () =>
  inFolder(async (path) => {
    (await openAttempts(path, testIdentity, quiet))[Symbol.dispose]();
    await Deno.writeTextFile(path, '{"id":"a"}\n', { append: true });
    await assert.rejects(openAttempts(path, testIdentity, quiet), { name: "InputError", message: /line 2 / });
    await Deno.writeTextFile(path, '{"id":"a"}\n');
    await assert.rejects(openAttempts(path, testIdentity, quiet), { message: /begin with a header/ });
  }));

Deno.test("openAttempts() refuses the file of another variant, and notes a changed plan without losing rows", () =>
  inFolder(async (path) => {
    {
      using store = await openAttempts(path, testIdentity, quiet);
      store.append(attemptFor("a"));
    }
    for (const other of [{ variant: "b" }, { experiment: "b" }, { mode: "test" as const }]) {
      await assert.rejects(openAttempts(path, { ...testIdentity, ...other }, quiet), {
        name: "InputError",
        message: /line 1 says that these attempts are of/,
      });
    }
    {
      using store = await openAttempts(path, { ...testIdentity, plan: "p1" }, quiet);
      assert.equal(store.state("a")?.status, "done");
    }
    assert.equal((await Deno.readTextFile(path)).trim().split("\n").length, 3);
  }));

Deno.test("openAttempts() says what to do when the folder is read-only", {
  ignore: Deno.build.os === "windows" || Deno.uid() === 0,
}, () =>
  inFolder(async (path) => {
    await Deno.chmod(path.replace(/\/[^/]*$/, ""), 0o500);
    await assert.rejects(openAttempts(path, testIdentity, quiet), {
      name: "InputError",
      message: /Cannot write/,
    });
    await Deno.chmod(path.replace(/\/[^/]*$/, ""), 0o700);
  }));

Deno.test("append() says that the disk is full and leaves the file as it was", () =>
  inFolder(async (path) => {
    using store = await openAttempts(path, testIdentity, quiet);
    store.append(attemptFor("a"));
    const before = await Deno.readFile(path);
    const writeSync = Deno.FsFile.prototype.writeSync;
    let calls = 0;
    Deno.FsFile.prototype.writeSync = function (bytes) {
      if (calls++ === 0) return writeSync.call(this, bytes.subarray(0, 30));
      throw new Error("No space left on device (os error 28)");
    };
    try {
      assert.throws(() => store.append(attemptFor("b")), {
        name: "InputError",
        message: /No space left on the disk/,
      });
    } finally {
      Deno.FsFile.prototype.writeSync = writeSync;
    }
    assert.equal(calls, 2);
    assert.deepEqual(await Deno.readFile(path), before);
    store.append(attemptFor("c"));
    assert.equal(store.read("c")?.output, "answer of c");
    assert.equal(store.state("b"), undefined);
  }));
