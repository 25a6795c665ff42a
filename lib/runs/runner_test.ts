import assert from "node:assert/strict";
import { BackendError } from "../backends/backend.ts";
import { type AttemptStore, openAttempts } from "./attempts.ts";
import type { Row } from "./experiment.ts";
import { type RowCaller, type RunOptions, startRun } from "./runner.ts";
import { fakeCaller, rowsNamed, testIdentity } from "./testing.ts";

async function withStore(run: (store: AttemptStore, path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/a.jsonl`;
  using store = await openAttempts(path, testIdentity, { log: () => {} });
  try {
    await run(store, path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const optionsFor = (rows: readonly Row[], caller: RowCaller, store: AttemptStore): RunOptions<Row> => ({
  rows,
  caller,
  store,
  sampling: {},
  tokenizer: "words",
  prompt: (row) => ({ messages: [{ role: "user", content: row.id }], tokens: row.tokens }),
});

Deno.test("startRun() sends every row once, in order, within the concurrency", () =>
  withStore(async (store) => {
    const rows = rowsNamed(20).map((row, i) => (i === 3 ? { ...row, skip: "window" } : row));
    const caller = fakeCaller(async (q) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return `a ${q}`;
    }, { maxConcurrency: 3 });
    const summary = await startRun(optionsFor(rows, caller, store)).done;
    assert.deepEqual(summary, { done: 19, errors: 0, skipped: 1, pending: 0, stoppedBy: null, error: null });
    assert.deepEqual(caller.sent, rows.filter((row) => row.skip === null).map((row) => row.id));
    assert.equal(caller.most(), 3);
    assert.equal(store.read("row19")?.output, "a row19");
    assert.match(store.read("row19")?.prompt_sha256 ?? "", /^[0-9a-f]{64}$/);
  }));

Deno.test("startRun() tries rows with errors again and never those that are done", () =>
  withStore(async (store) => {
    const rows = rowsNamed(6);
    const first = fakeCaller((q) => {
      if (q === "row2" || q === "row4") throw new BackendError("server", "500");
      return "ok";
    });
    assert.deepEqual(
      await startRun(optionsFor(rows, first, store)).done,
      { done: 4, errors: 2, skipped: 0, pending: 0, stoppedBy: null, error: null },
    );
    assert.deepEqual(store.read("row2")?.error, { kind: "server", message: "500" });
    const second = fakeCaller(() => "ok");
    assert.equal((await startRun(optionsFor(rows, second, store)).done).done, 6);
    assert.deepEqual(second.sent, ["row2", "row4"]);
    assert.equal(store.state("row2")?.attempts, 2);
  }));

Deno.test("startRun() stops at the first refused key instead of failing every row", () =>
  withStore(async (store) => {
    const caller = fakeCaller(() => {
      throw new BackendError("auth", "401: set OPENAI_API_KEY");
    }, { maxConcurrency: 1 });
    const summary = await startRun(optionsFor(rowsNamed(88), caller, store)).done;
    assert.equal(summary.stoppedBy, "error");
    assert.match(summary.error?.message ?? "", /OPENAI_API_KEY/);
    assert.equal(caller.sent.length, 1);
    assert.equal(summary.pending, 87);
  }));

Deno.test("startRun() stops for the budget and says so", () =>
  withStore(async (store) => {
    const caller = fakeCaller((q) => {
      if (q === "row3") throw Object.assign(new Error("spent $0.009 of $0.01"), { name: "BudgetError" });
      return "ok";
    }, { maxConcurrency: 1 });
    const summary = await startRun(optionsFor(rowsNamed(8), caller, store)).done;
    assert.equal(summary.stoppedBy, "budget");
    assert.equal(summary.done, 3);
    assert.equal(summary.pending, 5);
    assert.equal(store.state("row3"), undefined);
  }));

Deno.test("stop() lets requests in flight finish, and breaks them off after the grace period", () =>
  withStore(async (store) => {
    const hung = Promise.withResolvers<void>();
    const caller = fakeCaller((q, _n, signal) => {
      if (q === "row0") return new Promise((resolve) => setTimeout(() => resolve("late"), 20));
      return new Promise((_resolve, reject) => {
        hung.resolve();
        signal?.addEventListener("abort", () => reject(signal.reason));
      });
    }, { maxConcurrency: 2 });
    const run = startRun({ ...optionsFor(rowsNamed(9), caller, store), graceMs: 60 });
    await hung.promise;
    assert.deepEqual(await run.stop(), {
      done: 1,
      errors: 0,
      skipped: 0,
      pending: 8,
      stoppedBy: "user",
      error: null,
    });
    assert.equal(store.read("row0")?.output, "late");
    assert.equal(store.state("row1"), undefined, "a request broken off is no attempt");
    assert.equal(caller.sent.length, 2);
  }));

Deno.test("startRun() stops when an attempt cannot be written", () =>
  withStore(async (store) => {
    const broken: AttemptStore = Object.create(store, {
      append: {
        value: () => {
          throw new Error("No space left on the disk");
        },
      },
    });
    const caller = fakeCaller(() => "ok", { maxConcurrency: 1 });
    const summary = await startRun(optionsFor(rowsNamed(9), caller, broken)).done;
    assert.equal(summary.stoppedBy, "error");
    assert.match(summary.error?.message ?? "", /No space/);
    assert.equal(caller.sent.length, 1);
  }));

Deno.test("startRun() stops when a prompt cannot be built, and keeps what is done", () =>
  withStore(async (store) => {
    const options = optionsFor(rowsNamed(4), fakeCaller(() => "ok", { maxConcurrency: 1 }), store);
    const summary = await startRun({
      ...options,
      prompt(row) {
        if (row.id === "row2") throw new Error("no haystack");
        return options.prompt(row);
      },
    }).done;
    assert.equal(summary.stoppedBy, "error");
    assert.equal(summary.done, 2);
  }));
