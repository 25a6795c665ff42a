import assert from "node:assert/strict";
import { systemClock } from "../base/clock.ts";
import { InputError } from "../base/errors.ts";
import { executeNotebook } from "./execute_notebook.ts";
import { type Output, parseNotebook } from "./notebook.ts";
import { makeNotebook } from "./testing/make_notebook.ts";

const HEADLESS = JSON.stringify(new URL("./headless.ts", import.meta.url).href);

/** The text of a cell's outputs, streams and results alike. */
function texts(outputs: readonly Output[] | undefined): string[] {
  return (outputs ?? []).map((output) =>
    output.output_type === "stream"
      ? String(output.text)
      : output.output_type === "error"
      ? `${output.ename}: ${output.evalue}`
      : String((output.data as Record<string, unknown>)["text/plain"])
  );
}

Deno.test("executeNotebook() runs cells in order and keeps every kind of output", async () => {
  await using made = await makeNotebook([
    "const a = 1; console.log('one'); console.log('two'); console.error('three');",
    "const a = 41; a + 1",
    "await Deno.jupyter.display({ 'text/plain': 'first' }, { raw: true, display_id: 'd' });",
    "await Deno.jupyter.display({ 'text/plain': 'second' }, { raw: true, display_id: 'd', update: true }); 'é 日本 🧪'",
    "console.log('gone'); await Deno.jupyter.broadcast('clear_output', { wait: false });\n" +
    "await Deno.jupyter.display({ 'text/plain': 'left' }, { raw: true })",
    "",
    "void setTimeout(() => { throw new Error('nobody catches this') }, 1); await new Promise((r) => setTimeout(r, 50));",
  ]);
  const streams: string[] = [];
  const { outcome, notebook } = await executeNotebook({
    path: made.path,
    outPath: made.out,
    onStream: (name, text) => void streams.push(`${name}: ${text.split("\n", 1)[0]}`),
  });
  assert.deepEqual(outcome, { status: "done" });
  const cells = notebook.cells;
  assert.deepEqual(texts(cells[0]?.outputs), ["one\ntwo\n", "three\n"]);
  assert.deepEqual(texts(cells[1]?.outputs), ["42"]);
  assert.deepEqual(texts(cells[2]?.outputs), ["second"], "updated from a later cell");
  assert.match(texts(cells[3]?.outputs)[0] ?? "", /é 日本 🧪/);
  assert.deepEqual(texts(cells[4]?.outputs).at(-1), "left");
  assert.deepEqual(cells.map((cell) => cell.execution_count), [1, 2, 3, 4, 5, null, 6]);
  assert.match(texts(cells[6]?.outputs)[0] ?? "", /^Uncaught Error: nobody catches this/);
  assert.deepEqual(streams.slice(0, 3), ["stdout: one", "stdout: two", "stderr: three"]);

  const written = JSON.parse(await Deno.readTextFile(made.out));
  assert.deepEqual([written.nbformat, written.nbformat_minor], [4, 5]);
  assert.equal(written.metadata.papermill.exception, false);
  assert.ok(written.metadata.papermill.duration > 0);
  assert.ok(written.cells.every((cell: { id: string }) => /^[\w-]{1,64}$/.test(cell.id)));
  assert.deepEqual(
    parseNotebook(JSON.stringify(written), "again").cells.map((cell) => cell.source),
    cells.map((cell) => cell.source),
  );
});

Deno.test("executeNotebook() loses no output of 150 cells, three times", async () => {
  const kinds = [
    (i: number) => `"r${i}"`,
    (i: number) => `console.log("r${i}")`,
    (i: number) => `await Deno.jupyter.display({ "text/plain": "r${i}" }, { raw: true })`,
    (i: number) => `void Deno.jupyter.display({ "text/plain": "r${i}" }, { raw: true }); undefined`,
    (i: number) => `console.error("e"); for (let k = 0; k < 50; k++) console.log(k); "r${i}"`,
  ];
  await using made = await makeNotebook(
    Array.from({ length: 150 }, (_, i) => (kinds[i % kinds.length] as (i: number) => string)(i)),
  );
  for (let run = 0; run < 3; run++) {
    const { outcome, notebook } = await executeNotebook({ path: made.path });
    assert.equal(outcome.status, "done");
    const lost = notebook.cells.filter((cell, i) => {
      const all = texts(cell.outputs);
      const whole = i % kinds.length !== 4 || all.some((text) => text.split("\n").length === 51);
      return !whole || !all.some((text) => text.replaceAll('"', "").trim() === `r${i}`);
    });
    assert.deepEqual(lost.map((cell) => cell.id), [], `run ${run + 1}`);
  }
});

Deno.test("executeNotebook() stops at the first cell that throws and keeps its traceback", async () => {
  await using made = await makeNotebook([
    "const before = 1;",
    "console.log('so far');\nfunction deep(): never { throw new TypeError('bad <b>') }\ndeep();",
    "console.log('never')",
  ]);
  const { outcome, notebook } = await executeNotebook({ path: made.path, outPath: made.out });
  assert.equal(outcome.status, "failed");
  assert.ok(outcome.status === "failed");
  assert.deepEqual(outcome.cell, { number: 2, firstLine: "console.log('so far');" });
  assert.match(outcome.traceback, /TypeError: bad <b>\n.*at deep/);
  assert.equal(outcome.inputError, null);
  assert.deepEqual(texts(notebook.cells[1]?.outputs), ["so far\n", "TypeError: bad <b>"]);
  assert.deepEqual(notebook.cells[2]?.outputs, []);
  const written = JSON.parse(await Deno.readTextFile(made.out));
  assert.equal(written.metadata.papermill.exception, true);
  assert.equal(written.cells[1].outputs[1].output_type, "error");
});

Deno.test("executeNotebook() says what is wrong with a cell that cannot be parsed", async () => {
  await using made = await makeNotebook(["const x = 1;\nlet y = = 2;"]);
  const { outcome } = await executeNotebook({ path: made.path });
  assert.ok(outcome.status === "failed");
  assert.match(outcome.traceback, /^SyntaxError: .*\n[^]*line 2, column 9/);
});

Deno.test("executeNotebook() tells wrong input from a fault", async () => {
  const errors = JSON.stringify(new URL("../base/errors.ts", import.meta.url).href);
  await using made = await makeNotebook([
    `const { InputError } = await import(${errors}); throw new InputError("There is no variant x: take pocket.")`,
  ]);
  const { outcome } = await executeNotebook({ path: made.path });
  assert.ok(outcome.status === "failed");
  assert.equal(outcome.inputError, "There is no variant x: take pocket.");
});

Deno.test("executeNotebook() injects hostile parameter values unharmed", async () => {
  const parameters = {
    text: "\"'`${process.exit(1)}\\ </script><!-- \u2028\u2029 \ud83e\uddea \u0000",
    list: [1.5, -0.25, 1e21],
    object: { "__proto__": 1, "a b": [null, true] },
    nothing: null,
  };
  await using made = await makeNotebook([
    {
      source: 'const text = "";\nconst list = [];\nconst object = {};\nlet nothing = 3;',
      tags: ["parameters"],
    },
    "JSON.stringify({ text, list, object: Object.entries(object), nothing })",
    "await Deno.jupyter.display({ 'text/plain': JSON.stringify([text, list, Object.entries(object), nothing]) }, { raw: true })",
  ]);
  const { outcome, notebook } = await executeNotebook({ path: made.path, parameters, outPath: made.out });
  assert.deepEqual(outcome, { status: "done" });
  assert.deepEqual(notebook.cells[1]?.metadata.tags, ["injected-parameters"]);
  assert.deepEqual(JSON.parse(texts(notebook.cells[3]?.outputs)[0] ?? ""), [
    parameters.text,
    parameters.list,
    Object.entries(parameters.object),
    null,
  ]);
});

Deno.test("executeNotebook() refuses a parameter that the notebook does not have", async () => {
  await using made = await makeNotebook([{ source: "const seed = 1;", tags: ["parameters"] }]);
  await assert.rejects(
    executeNotebook({ path: made.path, parameters: { sed: 2 } }),
    (error) =>
      error instanceof InputError &&
      /no parameter sed: its parameters cell declares seed/.test(error.message),
  );
  await assert.rejects(executeNotebook({ path: made.path + "x" }), InputError);
});

Deno.test("executeNotebook() reports a killed kernel as such and writes what there is", async () => {
  await using made = await makeNotebook([
    "console.log('done'); Deno.pid",
    "console.log('last'); await new Promise((r) => setTimeout(r, 50)); Deno.kill(Deno.pid, 'SIGKILL');",
    "3",
  ]);
  const { outcome } = await executeNotebook({ path: made.path, outPath: made.out });
  assert.ok(outcome.status === "died");
  assert.equal(outcome.cell.number, 2);
  assert.equal(outcome.message, "The kernel was killed by SIGKILL.");
  const written = parseNotebook(await Deno.readTextFile(made.out), "out");
  assert.equal(texts(written.cells[0]?.outputs)[0], "done\n");
  assert.deepEqual(texts(written.cells[1]?.outputs), [
    "last\n",
    "KernelDiedError: The kernel was killed by SIGKILL.",
  ]);
});

Deno.test("executeNotebook() reports a kernel that leaves with its exit code", async () => {
  await using made = await makeNotebook(["Deno.exit(3)"]);
  const { outcome } = await executeNotebook({ path: made.path });
  assert.ok(outcome.status === "died");
  assert.match(outcome.message, /^The kernel left with exit code 3\./);
});

Deno.test({
  name: "executeNotebook() keeps 10 MB of lines and 1 MB at once, and relays native bytes that are not UTF-8",
  ignore: Deno.build.os !== "linux", // writes to the process's own stderr as native code would, through /proc
  fn: keepsHugeOutput,
});

async function keepsHugeOutput() {
  await using made = await makeNotebook([
    "for (let i = 0; i < 10_000; i++) console.log('x'.repeat(1023));",
    "await Deno.jupyter.display({ 'text/plain': 'y'.repeat(1_000_000) }, { raw: true })",
    "Deno.openSync('/proc/self/fd/2', { write: true }).writeSync(new Uint8Array([0xff, 0xfe, 0x41, 10]));",
  ]);
  let native = "";
  const { outcome, notebook } = await executeNotebook({
    path: made.path,
    outPath: made.out,
    onNativeOutput: (text) => native += text,
  });
  assert.equal(outcome.status, "done");
  assert.equal(texts(notebook.cells[0]?.outputs).join("").length, 10_240_000);
  assert.equal(texts(notebook.cells[1]?.outputs)[0]?.length, 1_000_000);
  assert.match(native, /\ufffd\ufffdA/);
  parseNotebook(await Deno.readTextFile(made.out), "out");
}

Deno.test("executeNotebook() stops a waiting cell cleanly when its signal is aborted", async () => {
  await using made = await makeNotebook([
    `const { headless } = await import(${HEADLESS});\n` +
    "const end = Promise.withResolvers<void>();\n" +
    "headless()?.onStop(async () => { await new Promise((r) => setTimeout(r, 200)); console.log('flushed'); end.resolve(); });",
    "console.log('waiting'); await end.promise; console.log('ended')",
    "console.log('never')",
  ]);
  const stop = new AbortController();
  const { outcome, notebook } = await executeNotebook({
    path: made.path,
    outPath: made.out,
    signal: stop.signal,
    onStream: (_, text) => text === "waiting\n" && stop.abort(),
  });
  assert.deepEqual(outcome, { status: "stopped", forced: false });
  assert.deepEqual(texts(notebook.cells[1]?.outputs), ["waiting\nflushed\nended\n"]);
  assert.deepEqual(notebook.cells[2]?.outputs, []);
  assert.equal(JSON.parse(await Deno.readTextFile(made.out)).metadata.papermill.exception, true);
});

Deno.test("executeNotebook() lets the stop handlers end when no cell is waiting for them", async () => {
  await using made = await makeNotebook([
    `const { headless } = await import(${HEADLESS});\n` +
    "headless()?.onStop(async () => { await new Promise((r) => setTimeout(r, 300)); Deno.writeTextFileSync('flushed', '') });\n" +
    "console.log('ready'); await new Promise((r) => setTimeout(r, 50));",
    "2",
  ]);
  const stop = new AbortController();
  const { outcome } = await executeNotebook({
    path: made.path,
    signal: stop.signal,
    onStream: () => stop.abort(),
  });
  assert.deepEqual(outcome, { status: "stopped", forced: false });
  assert.equal(await Deno.readTextFile(`${made.folder}/flushed`), "");
});

Deno.test("executeNotebook() kills a kernel that does not stop in time", async () => {
  await using made = await makeNotebook([
    "console.log('busy'); await new Promise((r) => setTimeout(r, 20)); for (;;);",
  ]);
  const stop = new AbortController();
  const { outcome } = await executeNotebook({
    path: made.path,
    outPath: made.out,
    graceMs: 300,
    signal: stop.signal,
    onStream: () => setTimeout(() => stop.abort(), 100),
  });
  assert.deepEqual(outcome, { status: "stopped", forced: true });
});

Deno.test("executeNotebook() goes on when a cell has broken what late outputs are waited for with", async () => {
  await using made = await makeNotebook([
    "delete (globalThis as unknown as Record<symbol, unknown>)[Symbol.for('probebook.headless')]; 1",
    "2",
  ]);
  const clock = {
    now: () => systemClock.now() * 30,
    sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms / 10, signal),
  };
  const { outcome, notebook } = await executeNotebook({ path: made.path, clock });
  assert.deepEqual(outcome, { status: "done" });
  assert.deepEqual(notebook.cells.map((cell) => texts(cell.outputs)), [["1"], ["2"]]);
});
