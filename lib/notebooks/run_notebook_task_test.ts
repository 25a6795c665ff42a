import assert from "node:assert/strict";
import { parseNotebook } from "./notebook.ts";
import { makeNotebook, type TestCell } from "./testing/make_notebook.ts";

const HEADLESS = JSON.stringify(new URL("./headless.ts", import.meta.url).href);
const WAITING: readonly TestCell[] = [
  `const { headless } = await import(${HEADLESS});\nconst end = Promise.withResolvers<void>();\n` +
  "headless()?.onStop(() => setTimeout(end.resolve, 300)); console.log(`kernel ${Deno.pid}`);",
  "console.log('waiting'); await end.promise; console.log('flushed')",
  "console.log('never')",
];
const BUSY: readonly TestCell[] = [
  "console.log(`kernel ${Deno.pid}`); await new Promise((r) => setTimeout(r, 30)); for (;;);",
];

/** Starts the task on a notebook; `when(text)` is called with all of stderr so far. */
async function runTask(
  cells: readonly TestCell[],
  when: (stderr: string, child: Deno.ChildProcess) => void = () => {},
): Promise<{ code: number; signal: string | null; stderr: string; executed: string | null }> {
  await using made = await makeNotebook(cells);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("./testing/run_task.ts", import.meta.url).href, made.path, made.out],
    env: { NO_COLOR: "1" },
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let stderr = "";
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    stderr += text;
    when(stderr, child);
  }
  const { code, signal } = await child.status;
  return { code, signal, stderr, executed: await Deno.readTextFile(made.out).catch(() => null) };
}

/** Calls `act` the first time it is asked with true. */
function once(act: () => void): (now: boolean) => void {
  let acted = false;
  return (now) => {
    if (!now || acted) return;
    acted = true;
    act();
  };
}

async function isGone(pid: number): Promise<boolean> {
  for (let i = 0; i < 50; i++) {
    try {
      Deno.kill(pid, 0 as unknown as Deno.Signal);
    } catch {
      return true;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

Deno.test("runNotebookTask() prints what cells print and exits with 0", async () => {
  const { code, stderr } = await runTask(["console.log('hello'); 'result'"]);
  assert.equal(code, 0, stderr);
  assert.match(
    stderr,
    /^hello\n\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] The executed notebook is .*executed\.ipynb\n$/,
  );
});

Deno.test("runNotebookTask() exits with 1 and the traceback when a cell throws, with 2 and the message for wrong input", async () => {
  const failed = await runTask(["1", "function deep() { throw new TypeError('bad') }\ndeep()"]);
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /test\.ipynb cell 2 \(function deep.*\) failed:\nTypeError: bad\n {4}at deep /);
  const wrong = await runTask([
    "class InputError extends Error { override name = 'InputError' }\nthrow new InputError('No variant x.')",
  ]);
  assert.deepEqual([wrong.code, wrong.stderr], [2, "No variant x.\n"]);
});

Deno.test("runNotebookTask() stops cleanly at the first Ctrl+C: status, command to resume, 130", async () => {
  let interrupt: ReturnType<typeof once> | undefined;
  const { code, stderr, executed } = await runTask(WAITING, (text, child) => {
    // `npx` and `deno task` pass a press on, so that it comes twice: that is no second press.
    interrupt ??= once(() => [0, 50].forEach((ms) => setTimeout(() => child.kill("SIGINT"), ms)));
    interrupt(text.includes("waiting"));
  });
  assert.equal(code, 130, stderr);
  assert.match(
    stderr,
    /Stopping: .*\n(.*\n)*flushed\nSTATUS 3 of 9\n.*Stopped\.\n.*Go on with: deno task test-notebook\n$/,
  );
  assert.doesNotMatch(stderr, /never/);
  assert.match(JSON.stringify(parseNotebook(executed ?? "", "executed").cells[1]?.outputs), /flushed/);
});

Deno.test("runNotebookTask() stops at once at the second Ctrl+C, even when a cell never yields", async () => {
  let first: ReturnType<typeof once> | undefined;
  let second: ReturnType<typeof once> | undefined;
  const { code, stderr, executed } = await runTask(BUSY, (text, child) => {
    first ??= once(() => setTimeout(() => child.kill("SIGINT"), 100));
    second ??= once(() => setTimeout(() => child.kill("SIGINT"), 1000));
    first(text.includes("kernel"));
    second(text.includes("Stopping"));
  });
  assert.equal(code, 130, stderr);
  assert.match(stderr, /STATUS 3 of 9\n.*Stopped at once\.\n/);
  assert.ok(await isGone(Number(/kernel (\d+)/.exec(stderr)?.[1])));
  assert.notEqual(executed, null);
});

Deno.test("runNotebookTask() leaves no kernel behind when it is killed itself", async () => {
  let kill: ReturnType<typeof once> | undefined;
  const { signal, stderr } = await runTask(WAITING, (text, child) => {
    kill ??= once(() => child.kill("SIGKILL"));
    kill(text.includes("waiting"));
  });
  assert.equal(signal, "SIGKILL");
  assert.ok(await isGone(Number(/kernel (\d+)/.exec(stderr)?.[1])), "the kernel is gone");
});

Deno.test("runNotebookTask() says that the kernel was killed and how to go on", async () => {
  const { code, stderr } = await runTask([
    "1",
    "Deno.kill(Deno.pid, 'SIGKILL'); await new Promise(() => {})",
  ]);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /The kernel was killed by SIGKILL\. It died in .* cell 2 .*safe\.\n.*Go on with: deno task test-notebook\n$/,
  );
});
