import assert from "node:assert/strict";
import { join } from "node:path";
import { InputError } from "../base/errors.ts";
import { inFolder } from "../base/testing/in_folder.ts";
import { formatNotebook, parseNotebook } from "../notebooks/notebook.ts";
import { makeNotebook } from "../notebooks/testing/make_notebook.ts";
import { publish, type PublishOptions } from "./publish.ts";
import { filesBelow, makeResults } from "./testing/sample_results.ts";

/** Where home folders lie on Linux. */
const HOMES = ["", "home"].join("/");
const PLANTED = "planted-7f3Qz81LmN";
const HOSTILE = "<script>globalThis.hacked = 1</script>\x1b[31mred\u202E</pre><img src=x onerror=hacked=1>";

function publishFrom(results: string, to: string, more: Partial<PublishOptions> = {}) {
  return publish({
    from: results,
    to,
    only: null,
    date: new Date("2026-11-21T10:00:00Z"),
    log: () => {},
    ...more,
  });
}

async function change(path: string, from: string | RegExp, to: string): Promise<void> {
  const text = await Deno.readTextFile(path);
  const changed = text.replace(from, to);
  assert.notEqual(changed, text);
  await Deno.writeTextFile(path, changed);
}

Deno.test("publish() writes an index, a page and a notebook, and every row behind the figures", () =>
  inFolder(async (folder) => {
    const [results, to] = [join(folder, "results"), join(folder, "site")];
    await makeResults(results);
    const published = await publishFrom(results, to);
    assert.deepEqual(published.notebooks, ["test_simulated_niah"]);
    assert.deepEqual(published.runs, ["test_simulated_niah"]);
    const files = await filesBelow(to);
    assert.deepEqual([...files.keys()], [
      "index.html",
      "rows/inspector.js",
      "rows/test_simulated_niah/0.js",
      "rows/test_simulated_niah.html",
      "test_simulated_niah.html",
      "test_simulated_niah.ipynb",
    ]);
    const page = files.get("test_simulated_niah.html") ?? "";
    assert.equal(
      page.match(/<a href="rows\/test_simulated_niah\.html#approximate_input_length=/g)?.length,
      6,
      "each cell leads to its rows",
    );
    for (
      const fact of [
        "commit",
        "deno.lock",
        "simulated (",
        "12 answered of 12",
        "$0.0000",
        "<dt>seed</dt><dd>0</dd>",
        "Published 2026-11-21",
      ]
    ) {
      assert.ok(page.includes(fact), fact);
    }
    assert.match(
      files.get("index.html") ?? "",
      /<h2><a href="test_simulated_niah\.html">A needle<\/a><\/h2><p><strong>Is it found\?/,
    );
    const rows: unknown[] = [];
    new Function("probebookRows", files.get("rows/test_simulated_niah/0.js") ?? "")((
      _: number,
      given: unknown[],
    ) => rows.push(...given));
    const [row] = rows as {
      same: boolean;
      prompt: { messages: { parts: { mark?: string }[] }[] };
      grade: { validity: string };
    }[];
    assert.equal(rows.length, 12);
    assert.equal(row?.same, true, "the prompt is the one that was sent");
    assert.ok(
      row?.prompt.messages.some(({ parts }) => parts.some(({ mark }) => mark === "needle")),
      "the needle is marked",
    );
    assert.match(files.get("rows/test_simulated_niah.html") ?? "", /SIMULATED/);
    const notebook = JSON.parse(files.get("test_simulated_niah.ipynb") ?? "");
    const data = notebook.cells.at(-1).outputs.at(-1).data;
    assert.ok("image/svg+xml" in data && "image/png" in data);
  }));

Deno.test("publish() gives the same bytes for the same inputs but for the line with the date", () =>
  inFolder(async (folder) => {
    const results = join(folder, "results");
    await makeResults(results);
    await publishFrom(results, join(folder, "a"));
    await publishFrom(results, join(folder, "b"), { date: new Date("2027-01-01T00:00:00Z") });
    const [a, b] = [await filesBelow(join(folder, "a")), await filesBelow(join(folder, "b"))];
    assert.deepEqual([...a.keys()], [...b.keys()]);
    for (const [path, text] of a) {
      const [one, other] = [text.split("\n"), (b.get(path) ?? "").split("\n")];
      const different = one.filter((line, i) => line !== other[i]);
      assert.ok(different.every((line) => line.includes("Published 2026-11-21")), `${path}: ${different[0]}`);
    }
  }));

Deno.test("publish() takes planted secrets and folders of this machine out of every file, and runs nothing that is hostile", () =>
  inFolder(async (folder) => {
    const [results, to] = [join(folder, "results"), join(folder, "site")];
    await makeResults(results, {
      outputs: [
        { output_type: "stream", name: "stderr", text: `key ${PLANTED} in ${HOMES}/ada/keys and ${HOSTILE}` },
        {
          output_type: "display_data",
          metadata: {},
          data: { "text/html": `<p>${PLANTED}</p>${HOSTILE}`, "text/plain": HOSTILE },
        },
        { output_type: "display_data", metadata: {}, data: { "text/plain": "x".repeat(10_000_000) } },
      ],
    });
    await change(
      join(results, "test_simulated_niah_attempts.jsonl"),
      /"output":"/,
      `"output":${JSON.stringify(`${PLANTED} ${HOMES}/ada/x ${HOSTILE}`).slice(0, -1)}`,
    );
    await publishFrom(results, to, { secrets: [PLANTED] });
    const files = await filesBelow(to);
    for (const [path, text] of files) {
      assert.ok(!text.includes(PLANTED), `${path} holds the secret`);
      assert.ok(!text.includes(`${HOMES}/ada`) && !text.includes(folder), `${path} holds a folder`);
      if (!path.endsWith(".ipynb")) {
        assert.ok(!/<script>globalThis|<img src=x/.test(text), `${path} holds markup of a model`);
      }
    }
    assert.ok((files.get("test_simulated_niah.html")?.length ?? 0) < 1_000_000, "10 MB of output are cut");
    assert.match(files.get("rows/test_simulated_niah/0.js") ?? "", /\[redacted\] ~\/x \\u003cscript/);
  }));

Deno.test("publish() refuses an error, a missing output and a cell that was not run, and leaves the old site", () =>
  inFolder(async (folder) => {
    const [results, to] = [join(folder, "results"), join(folder, "site")];
    await makeResults(results);
    await publishFrom(results, to);
    const before = await filesBelow(to);
    const path = join(results, "test_simulated_niah.ipynb");
    const good = await Deno.readTextFile(path);
    const broken = async (
      reason: RegExp,
      breakIt: (cell: { outputs?: unknown[]; execution_count?: number | null }) => void,
    ) => {
      const notebook = parseNotebook(good, path);
      breakIt(notebook.cells.at(-1) as { outputs?: unknown[]; execution_count?: number | null });
      await Deno.writeTextFile(path, formatNotebook(notebook));
      await assert.rejects(
        publishFrom(results, to),
        (error) => error instanceof InputError && reason.test(error.message),
      );
    };
    await broken(
      /cell 2 \(await show\(figure\);\) ended in an error: Error: no/,
      (cell) => cell.outputs = [{ output_type: "error", ename: "Error", evalue: "no", traceback: [] }],
    );
    await broken(/cell 2 .* output is missing/, (cell) => cell.outputs = []);
    await broken(/cell 2 .* was not executed/, (cell) => cell.execution_count = null);
    await Deno.writeTextFile(path, "{}");
    await assert.rejects(publishFrom(results, to), InputError);
    assert.deepEqual(await filesBelow(to), before);
    assert.deepEqual((await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort(), [
      "results",
      "site",
    ], "nothing is left over");
  }));

Deno.test("publish() refuses a folder with other files, an unknown notebook and an empty results folder", () =>
  inFolder(async (folder) => {
    const [results, to] = [join(folder, "results"), join(folder, "site")];
    await Deno.mkdir(results);
    await assert.rejects(publishFrom(results, to), /holds no executed notebook/);
    await makeResults(results);
    await assert.rejects(
      publishFrom(results, to, { only: ["nowhere"] }),
      /There is no notebook nowhere.*niah/,
    );
    await Deno.mkdir(to);
    await Deno.writeTextFile(join(to, "thesis.txt"), "mine");
    await assert.rejects(publishFrom(results, to), /not a site of ours/);
    assert.equal(await Deno.readTextFile(join(to, "thesis.txt")), "mine");
  }));

Deno.test("publish() executes notebooks anew, and refuses one whose cell throws", async () => {
  const show = JSON.stringify(new URL("../notebooks/show.ts", import.meta.url).href);
  await using made = await makeNotebook([
    { source: "const test = false;\nconst results = '';", tags: ["parameters"] },
    `import { show } from ${show};\nawait show(test ? "tested into " + results : "not tested");`,
  ]);
  const to = join(made.folder, "site");
  const options = { from: null, to, only: null, notebooks: made.folder, date: new Date(), log: () => {} };
  await publish(options);
  const page = await Deno.readTextFile(join(to, "test.html"));
  assert.match(page, /tested into results</, "in test mode, into a folder whose place is not told");
  await Deno.writeTextFile(
    made.path,
    (await Deno.readTextFile(made.path)).replace("await show(", "throw new Error('on purpose'); await show("),
  );
  await assert.rejects(publish(options), /cell 2 .*on purpose/s);
  assert.equal(await Deno.readTextFile(join(to, "test.html")), page);
});
