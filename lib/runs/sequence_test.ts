import assert from "node:assert/strict";
import { InputError } from "../base/errors.ts";
import type { RunSnapshot } from "./run_snapshot.ts";
import { finishedResults, type QueuedRun, runInSequence } from "./sequence.ts";
import type { ExperimentResult, RunHandle } from "./workflow.ts";

/** A queue of runs that end when they are told to, and what happened to them. */
function queueOf(names: readonly string[], failing?: string) {
  const events: string[] = [];
  const ends = new Map<string, (over: Partial<ExperimentResult>) => void>();
  const progress = new Map<string, Set<() => void>>();
  const queue = names.map((name): QueuedRun => ({
    start() {
      events.push(`start ${name}`);
      if (name === failing) return Promise.reject(new InputError(`${name} cannot begin`));
      const listeners = new Set<() => void>();
      progress.set(name, listeners);
      const { promise: done, resolve } = Promise.withResolvers<ExperimentResult>();
      const end = (over: Partial<ExperimentResult>) =>
        resolve({ stoppedBy: null, error: null, files: { name }, ...over } as ExperimentResult);
      ends.set(name, end);
      return Promise.resolve({
        done,
        stop() {
          end({ stoppedBy: "user" });
          return done;
        },
        snapshot: () => ({ name }) as RunSnapshot,
        onProgress(callback) {
          listeners.add(callback);
          return () => listeners.delete(callback);
        },
        files: { name } as RunHandle["files"],
      });
    },
    close() {
      events.push(`close ${name}`);
      return Promise.resolve();
    },
  }));
  return { queue: queue as unknown as [QueuedRun, ...QueuedRun[]], events, ends, progress };
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("runInSequence() runs one after the other, closing each, and passes progress on", async () => {
  const { queue, events, ends, progress } = queueOf(["a", "b"]);
  const sequence = await runInSequence(queue);
  let changes = 0;
  sequence.onProgress(() => changes++);
  progress.get("a")?.forEach((listener) => listener());
  assert.deepEqual([changes, sequence.snapshot().name, events], [1, "a", ["start a"]]);
  ends.get("a")?.({});
  await turn();
  progress.get("b")?.forEach((listener) => listener());
  assert.deepEqual([changes, sequence.snapshot().name], [2, "b"]);
  ends.get("b")?.({});
  assert.deepEqual((await sequence.done).map(({ files }) => files.name), ["a", "b"]);
  assert.deepEqual(events, ["start a", "close a", "start b", "close b"]);
  assert.equal(progress.get("a")?.size, 0);
});

Deno.test("runInSequence() begins no further run when it is stopped or a run fails", async () => {
  const stopped = queueOf(["a", "b"]);
  const results = await (await runInSequence(stopped.queue)).stop();
  assert.deepEqual([results.length, results[0]?.stoppedBy], [1, "user"]);
  assert.deepEqual(stopped.events, ["start a", "close a"]);
  const broken = queueOf(["a", "b"]);
  const sequence = await runInSequence(broken.queue);
  broken.ends.get("a")?.({ stoppedBy: "error", error: new InputError("no key") });
  const failed = await sequence.done;
  assert.equal(failed.length, 1);
  assert.throws(() => finishedResults(failed), /no key/);
});

Deno.test("runInSequence() rejects when a run cannot begin, with everything closed", async () => {
  const first = queueOf(["a"], "a");
  await assert.rejects(runInSequence(first.queue), /a cannot begin/);
  assert.deepEqual(first.events, ["start a", "close a"]);
  const second = queueOf(["a", "b"], "b");
  const sequence = await runInSequence(second.queue);
  second.ends.get("a")?.({});
  await assert.rejects(sequence.done, /b cannot begin/);
  assert.deepEqual(second.events, ["start a", "close a", "start b", "close b"]);
});
