import assert from "node:assert/strict";
import { executeNotebook } from "./execute_notebook.ts";
import type { Output } from "./notebook.ts";
import { makeNotebook } from "./testing/make_notebook.ts";

const url = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);
const IMPORTS = `import { html, show, table } from ${url("./show.ts")};\nimport { live } from ${
  url("./live.ts")
};`;
const data = (output: Output | undefined) => output?.data as Record<string, string>;

Deno.test("show() gives each kind of value its forms and escapes what is not markup", async () => {
  await using made = await makeNotebook([
    IMPORTS,
    "await show('<b>text</b> \\ud800')",
    "await show(html`<b>${'<i>'}</b>`)",
    "await show([{ model: '<script>', n: 1 }])",
    "await show(table([{ a: 1 }], { columns: ['a'] }))",
    "await show({ svg: '<svg xmlns=\"http://www.w3.org/2000/svg\"/>', alt: 'a line', png: new Uint8Array([1, 2]) })",
    "await show({ nodeType: 1, outerHTML: '<figure><h2>T&lt;</h2><style>x{}</style><svg></svg></figure>' })",
    "await show({ html: '<script>', nested: { a: [1] } })",
    "await show({ columns: ['x'], height: 1, toRecords: () => [{ x: '<' }] })",
  ]);
  const { outcome, notebook } = await executeNotebook({ path: made.path });
  assert.deepEqual(outcome, { status: "done" });
  const shown = notebook.cells.slice(1).map((
    cell,
  ) => (assert.equal(cell.outputs?.length, 1), data(cell.outputs?.[0])));
  assert.deepEqual(shown[0], { "text/plain": "<b>text</b> \ufffd" });
  assert.deepEqual(shown[1], { "text/html": "<b>&#60;i&#62;</b>", "text/plain": "<i>" });
  assert.match(shown[2]?.["text/html"] ?? "", /^<table>.*&#60;script&#62;/);
  assert.match(shown[3]?.["text/plain"] ?? "", /^a\n-\n1$/);
  assert.deepEqual(Object.keys(shown[4] ?? {}), ["text/html", "image/svg+xml", "image/png", "text/plain"]);
  assert.equal(shown[4]?.["image/png"], "AQI=");
  assert.equal(shown[5]?.["text/plain"], "T<");
  assert.deepEqual(Object.keys(shown[6] ?? {}), ["text/plain"]);
  assert.match(shown[7]?.["text/html"] ?? "", /&#60;/);
});

const RUN = `
const listeners = new Set<() => void>();
const end = Promise.withResolvers<string>();
let done = 0;
const tick = setInterval(() => { done++; listeners.forEach((f) => f()); if (done === total) { clearInterval(tick); end.resolve("all"); } }, 5);
const run = {
  snapshot: () => done,
  onProgress: (f: () => void) => { listeners.add(f); return () => listeners.delete(f); },
  done: end.promise,
  stop: () => { clearInterval(tick); end.resolve("stopped"); },
};
await live(run, { text: (n) => \`\${n} of \${total} <rows>\` });`;

Deno.test("live() keeps one display up to date, at most twice a second, and relays it", async () => {
  await using made = await makeNotebook([IMPORTS, "const total = 300;" + RUN, "await show(await run.done)"]);
  const boards: string[] = [];
  const started = performance.now();
  const { outcome, notebook } = await executeNotebook({
    path: made.path,
    onBoard: (text) => boards.push(text),
  });
  assert.deepEqual(outcome, { status: "done" });
  const most = 3 + Math.ceil((performance.now() - started) / 500);
  assert.ok(boards.length >= 3 && boards.length <= most, `${boards.length} boards`);
  assert.equal(boards.at(-1), "300 of 300 <rows>");
  assert.equal(notebook.cells[1]?.outputs?.length, 1);
  assert.equal(data(notebook.cells[1]?.outputs?.[0])["text/plain"], "300 of 300 <rows>");
  assert.match(data(notebook.cells[1]?.outputs?.[0])["text/html"] ?? "", /300 of 300 &#60;rows&#62;/);
});

Deno.test("live() stops its run when the client asks, while a cell awaits it", async () => {
  await using made = await makeNotebook([
    IMPORTS,
    "const total = 1e6;" + RUN,
    "await show(await run.done)",
    "await show('never')",
  ]);
  const stop = new AbortController();
  const { outcome, notebook } = await executeNotebook({
    path: made.path,
    signal: stop.signal,
    onBoard: () => setTimeout(() => stop.abort(), 300),
  });
  assert.deepEqual(outcome, { status: "stopped", forced: false });
  assert.equal(data(notebook.cells[2]?.outputs?.[0])["text/plain"], "stopped");
  assert.deepEqual(notebook.cells[3]?.outputs, []);
});

Deno.test("show() and live() print text in a plain deno run", async () => {
  await using made = await makeNotebook([]);
  const script = `${made.folder}/plain.ts`;
  await Deno.writeTextFile(
    script,
    `${IMPORTS}\nconst total = 3;${RUN}\nawait show(html\`<b>\${await run.done}</b>\`);\nawait show(table([{ a: 1 }]));`,
  );
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-config", script],
    env: { NO_COLOR: "1" },
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  assert.equal(new TextDecoder().decode(stdout), "all\na\n-\n1\n");
  assert.match(new TextDecoder().decode(stderr), /0 of 3 <rows>\n3 of 3 <rows>\n/);
});
