import assert from "node:assert/strict";
import { connect } from "node:net";
import { join } from "node:path";
import { inFolder } from "../../base/testing/in_folder.ts";
import { niahKind } from "../../context_rot/start_niah.ts";
import { lockRun } from "../../runs/lock.ts";
import { openAttempts } from "../../runs/attempts.ts";
import { attemptFor } from "../../runs/testing.ts";
import { HOSTILE_OUTPUTS, writeLargeRun } from "../testing/large_run.ts";
import { makeResults } from "../testing/sample_results.ts";
import { startViewer } from "./start_viewer.ts";

const version = { commit: "abc", lock: "def" };

/** The answer to a request as it stands, without a client that puts paths and headers right. */
async function raw(
  url: string,
  path: string,
  headers: Record<string, string> = {},
  method = "GET",
): Promise<string> {
  const { port, host } = new URL(url);
  const socket = connect(Number(port), "127.0.0.1");
  const lines = Object.entries({ Host: host, Connection: "close", ...headers }).map(([name, value]) =>
    `${name}: ${value}\r\n`
  );
  socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
  let text = "";
  for await (const piece of socket) text += piece.toString();
  return text;
}

Deno.test("the viewer shows runs, rows, prompts and notebooks of a results folder", () =>
  inFolder(async (results) => {
    await makeResults(results);
    await using viewer = startViewer({ results, port: 0, kinds: [niahKind], version });
    const get = async (path: string) => {
      const response = await fetch(viewer.url + path);
      const text = await response.text();
      assert.equal(response.status, 200, `${path}: ${text.slice(0, 200)}`);
      assert.match(response.headers.get("content-security-policy") ?? "", /default-src 'none'/);
      return text;
    };
    assert.match(await get("index.html"), /A needle/);
    assert.match(await get("runs.html"), /test_simulated_niah.*finished: 12 of 12 rows/s);
    assert.match(await get("variants.html"), /<code>simulated<\/code>/);
    assert.match(
      await get("runs/test_simulated_niah.html"),
      /SIMULATED.*Accuracy:.*data-live|SIMULATED.*Accuracy:/s,
    );
    assert.match(await get("experiments/niah.html"), /niah on simulated, test run/);
    assert.match(
      await get("notebooks/test_simulated_niah.html"),
      /href="\/rows\/test_simulated_niah\.html#approximate_input_length=200/,
    );
    assert.match(await get("notebooks/test_simulated_niah.ipynb"), /"nbformat": 4/);
    const rows = await get("rows/test_simulated_niah.html");
    const id = /\[\["([0-9a-f]{16})"/.exec(rows)?.[1] ?? "";
    assert.match(await get("rows/test_simulated_niah/0.js"), /"mark":"needle"/);
    assert.match(await get(`rows/test_simulated_niah/${id}/prompt.txt`), /^user:\n.*<document>/s);
    assert.notEqual(await get(`rows/test_simulated_niah/${id}/output.txt`), "");
  }));

Deno.test("the viewer refuses other names of this machine, pages of other sites, writing, and paths out of the folder", () =>
  inFolder(async (folder) => {
    const results = join(folder, "results");
    await writeLargeRun(results, 10);
    await Deno.writeTextFile(join(folder, "secret.html"), "TOP SECRET");
    await Deno.writeTextFile(join(folder, "secret.ipynb"), "TOP SECRET");
    await using viewer = startViewer({ results, port: 0, kinds: [], version });
    const status = async (...request: [path: string, headers?: Record<string, string>, method?: string]) =>
      (await raw(viewer.url, ...request)).split(" ")[1];
    assert.equal(await status("/runs.html"), "200");
    for (
      const host of [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:80",
        "192.168.0.1",
        "",
        "127.0.0.1@evil.example",
      ]
    ) {
      const answered = await status("/runs.html", { Host: host });
      assert.ok(answered === "403" || answered === "400", `Host ${host}: ${answered}`);
    }
    assert.equal(await status("/runs.html", { Host: "localhost:1" }), "200");
    assert.equal(await status("/events", { Origin: "https://evil.example" }), "403");
    assert.equal(await status("/events", { Origin: "null" }), "403");
    assert.equal(
      await status("/rows/large_many/0.js", { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors" }),
      "403",
    );
    for (const method of ["POST", "PUT", "DELETE"]) {
      assert.equal(await status("/runs.html", {}, method), "405");
    }
    const paths = [
      "/../secret.html",
      "/rows/../secret.html",
      "/rows/..%2fsecret.html",
      "/notebooks/..%2fsecret.ipynb",
      "/notebooks/%2e%2e/secret.ipynb",
      "/notebooks/..%5csecret.ipynb",
      "/rows/large_many/..%2f..%2fsecret.html",
      "/runs/%00.html",
      "/rows/large_many/x%2f..%2fy/output.txt",
      "/rows/large_many/%ff.js",
    ];
    for (const path of paths) {
      const answer = await raw(viewer.url, path);
      assert.ok(
        /^HTTP\/1\.1 4\d\d /.test(answer) && !answer.includes("TOP SECRET"),
        `${path}: ${answer.slice(0, 60)}`,
      );
    }
  }));

Deno.test("the viewer gives hostile rows as data that ends no script and as plain text", () =>
  inFolder(async (results) => {
    await writeLargeRun(results, 10);
    await using viewer = startViewer({ results, port: 0, kinds: [], version });
    const page = await (await fetch(`${viewer.url}rows/large_many.html`)).text();
    assert.ok(!page.includes("<script>globalThis") && !page.includes("<b>of</b>"));
    const chunk = await (await fetch(`${viewer.url}rows/large_many/0.js`)).text();
    assert.ok(chunk.length < 500_000 && !/[<>\u2028\u2029]/.test(chunk));
    let rows: { output: { text: string }[] }[] = [];
    new Function("probebookRows", chunk)((_: number, given: typeof rows) => rows = given);
    for (const i of [0, 1, 2, 3, 4]) assert.equal(rows[i]?.output[0]?.text, HOSTILE_OUTPUTS[i]);
    const whole = await fetch(`${viewer.url}rows/large_many/row000005/output.txt`);
    assert.match(whole.headers.get("content-type") ?? "", /^text\/plain/i);
    assert.equal((await whole.text()).length, 10_000_000);
  }));

Deno.test("the viewer tells of a run that goes on as it goes on, and of its end", () =>
  inFolder(async (results) => {
    await writeLargeRun(results, 10);
    const attempts = join(results, "large_many_attempts.jsonl");
    const lines = (await Deno.readTextFile(attempts)).split("\n");
    await Deno.writeTextFile(attempts, [...lines.slice(0, 4), '{"id":"row00'].join("\n")); // three are done, one is being written
    await Deno.remove(join(results, "large_many_evaluated.csv"));
    await using viewer = startViewer({ results, port: 0, kinds: [], version, everyMs: 50 });
    const lock = await lockRun(join(results, ".large_many.lock"));
    const response = await fetch(`${viewer.url}events`);
    const events = (response.body as ReadableStream<Uint8Array<ArrayBuffer>>).pipeThrough(
      new TextDecoderStream(),
    )[Symbol.asyncIterator]();
    const until = async (wanted: RegExp) => {
      let text = "";
      while (!wanted.test(text)) {
        const { value, done } = await events.next();
        assert.ok(!done, `${wanted} did not come`);
        text += value;
      }
    };
    await until(/event: boards\ndata: .*large_many.*3 of 10 done/);
    assert.match(
      await (await fetch(`${viewer.url}index.html`)).text(),
      /Under way.*data-live="large_many".*3 of 10 done/s,
    );
    {
      const identity = {
        experiment: "many",
        variant: "large",
        model: "large",
        mode: "full" as const,
        plan: "p",
        rows: 10,
        shard: null,
      };
      using store = await openAttempts(attempts, identity, { log: () => {} });
      store.append({ ...attemptFor("row000007"), started: new Date().toISOString() });
    }
    await until(/4 of 10 done/);
    lock[Symbol.dispose]();
    await until(/event: changed/);
    assert.match(await (await fetch(`${viewer.url}runs.html`)).text(), /stopped: 4 of 10 rows/);
    await events.return?.();
  }));
