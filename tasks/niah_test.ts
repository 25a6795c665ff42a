/** `deno task niah` as a person runs it: flags, kernel, files, signals. */
import assert from "node:assert/strict";
import { parseNotebook } from "../lib/notebooks/notebook.ts";
import { startFaultServer } from "../lib/backends/testing/fault_server.ts";
import { answerFault, FAULT, faultModels, writeModels } from "../lib/context_rot/testing/fault_models.ts";
import { csv, filesIn, root, startTask, temporary, until, validate } from "./testing.ts";

const KEY = "sk-proj-QAQAQAQA1234567890";

const startNiah = (args: readonly string[], env?: Record<string, string>) => startTask("niah", args, env);
const task = (args: readonly string[], env?: Record<string, string>) => startNiah(args, env).ended;

const COLUMNS = [
  ...[
    "id",
    "approximate_input_length",
    "needle_depth",
    "trial",
    "question",
    "answer",
    "token_count",
    "output",
  ],
  ...["status", "finish_reason", "prompt_tokens_reported", "completion_tokens", "cached_tokens"],
  ...["reasoning_tokens", "latency_ms", "cost_usd", "attempts"],
];
const JUDGED = ["validity", "correct", "judge", "judge_output", "distractor", "reason"];
const TEST_MARKS = ["_test_mode", "_test_timestamp", "_original_dataset_size"];

Deno.test("deno task niah --plan prints the plan, sends nothing and writes nothing", async () => {
  await using folder = await temporary();
  await using server = await startFaultServer();
  const env = { PROBEBOOK_MODELS: await writeModels(folder.path, faultModels(server.url)) };
  const results = `${folder.path}/results`;
  const { code, stdout } = await task(["--plan", "--model", FAULT, "--results", results], env);
  assert.equal(code, 0);
  assert.match(stdout, /^Plan of fault_niah\n {2}rows +88 planned\n {2}to send +55\n/);
  assert.match(stdout, /Nothing was sent or written\.\n$/);
  assert.equal(server.requests.length, 0);
  assert.deepEqual(filesIn(folder.path), ["models.json"]);
});

Deno.test("deno task niah --test leaves 12 rows, every file and a sound notebook, and does nothing the second time", async () => {
  await using folder = await temporary();
  const args = ["--test", "--model", "simulated", "--results", folder.path];
  const { code, stdout, stderr } = await task(args);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /Accuracy: \d+\/12 = \d+\.\d% \(95% interval \d+\.\d% to \d+\.\d%\) of all rows sent/);
  assert.match(stdout, /Heatmap: .*test_simulated_niah_heatmap\.png\n$/);
  const at = (name: string) => `${folder.path}/test_simulated_niah${name}`;
  const rows = await csv(at("_results.csv"));
  assert.equal(rows.length, 12);
  assert.deepEqual(Object.keys(rows[0] ?? {}), [...COLUMNS, ...TEST_MARKS]);
  assert.equal(new Set(rows.map(({ id }) => id)).size, 12);
  const evaluated = await csv(at("_evaluated.csv"));
  assert.deepEqual(Object.keys(evaluated[0] ?? {}), [...COLUMNS, ...JUDGED, ...TEST_MARKS]);
  assert.ok(evaluated.every((row) => row["_original_dataset_size"] === "88"));
  for (const name of ["_heatmap.svg", "_results_token_dashboard.txt", "_results_token_summary.json"]) {
    assert.ok((await Deno.stat(at(name))).size > 100, name);
  }
  const png = await Deno.readFile(at("_heatmap.png"));
  assert.deepEqual([...png.subarray(1, 4)], [..."PNG"].map((letter) => letter.charCodeAt(0)));
  await validate(at(".ipynb"));
  const notebook = parseNotebook(await Deno.readTextFile(at(".ipynb")), "executed");
  const code_ = notebook.cells.filter((cell) => cell.cell_type === "code");
  assert.ok(code_.every((cell) => cell.execution_count !== null), "every cell ran");

  const attempts = await Deno.readTextFile(at("_attempts.jsonl"));
  const again = await task(args);
  assert.equal(again.code, 0);
  assert.match(again.stderr, /✓ complete \(12\/12\)[\s\S]*Skipping niah simulated visualization/);
  assert.equal(await Deno.readTextFile(at("_attempts.jsonl")), attempts);
});

Deno.test("deno task niah leaves the 88 rows of the full grid with the columns of a results file", async () => {
  await using folder = await temporary();
  // Half of the lengths fit the window: the run is short, and the rows that do not fit are there all the same.
  const simulated = { backend: "simulated", description: "d", mode: "decay", contextWindow: 20_000 };
  const env = {
    PROBEBOOK_MODELS: await writeModels(folder.path, JSON.stringify({ variants: { simulated } })),
  };
  const { code, stderr } = await task(["--model", "simulated", "--results", folder.path], env);
  assert.equal(code, 0, stderr);
  const rows = await csv(`${folder.path}/simulated_niah_results.csv`);
  assert.deepEqual([rows.length, Object.keys(rows[0] ?? {})], [88, COLUMNS]);
  assert.equal(rows.filter(({ status }) => status === "skipped: window").length, 44);
  assert.equal(rows.filter(({ status }) => status === "done").length, 44);
  const evaluated = await csv(`${folder.path}/simulated_niah_evaluated.csv`);
  assert.deepEqual([evaluated.length, Object.keys(evaluated[0] ?? {})], [88, [...COLUMNS, ...JUDGED]]);
});

Deno.test("deno task niah says what is wrong with its input in a paragraph, exits with 2 and writes nothing", async () => {
  await using folder = await temporary();
  const at = (name: string) => `${folder.path}/${name}`;
  await Deno.mkdir(at("empty"));
  await Deno.mkdir(at("cut"));
  for (const name of ["config.json", "tokenizer.json", "tokenizer_config.json"]) {
    await Deno.copyFile(`${root}/models/pocket/${name}`, at(`cut/${name}`));
  }
  const header = new TextEncoder().encode(
    JSON.stringify({ "model.embed_tokens.weight": { dtype: "F32", shape: [8, 8], data_offsets: [0, 256] } }),
  );
  const cut = new Uint8Array(8 + header.length + 100);
  new DataView(cut.buffer).setBigUint64(0, BigInt(header.length), true);
  cut.set(header, 8);
  await Deno.writeFile(at("cut/model.safetensors"), cut);
  await Deno.writeTextFile(at("bad.json"), `{"needle": 3}`);
  const long = "Odalys never leaves the house without a compass. ".repeat(2000);
  await Deno.writeTextFile(
    at("long.json"),
    JSON.stringify({ needle: long, question: "What does Odalys carry?", answer: "compass" }),
  );
  const models = {
    variants: {
      cut: { backend: "local", description: "d", model: "./cut", contextWindow: 4096 },
      small: { backend: "simulated", description: "d", mode: "decay", contextWindow: 4096 },
    },
  };
  const env = { PROBEBOOK_MODELS: await writeModels(folder.path, JSON.stringify(models)) };
  const cases: [readonly string[], RegExp][] = [
    [["--model", "smal"], /^There is no variant "smal" .*Did you mean "small"\? Variants: cut, small\.$/],
    [["--lengths", "abc"], /^--lengths is "abc": give a number\.$/],
    [["--lengths=-5"], /^--lengths holds -5, /],
    [["--depths", "101"], /^--depths holds 101, /],
    [["--bogus"], /^Unknown option '--bogus'\. Run deno task niah --help/],
    [["--haystack", at("nowhere")], /^The haystack folder .*nowhere does not exist: /],
    [["--haystack", at("empty")], /^The haystack folder .*empty holds no text: /],
    [["--needle", at("long.json")], /^A prompt of .* tokens has no room for the needle: /],
    [["--needle", at("missing.json")], /^Cannot read the needle file .*missing\.json: /],
    [["--needle", at("bad.json")], /^The needle file .*bad\.json has wrong fields:/],
    [["--model", "cut"], /cut\/model\.safetensors is not a sound safetensors file: /],
    [["--trials", "0"], /^Wrong NIAH settings: trials: /],
    [["--shard", "3/2"], /^--shard 3\/2 is not a part of a run/],
    [["--results", at("bad.json/inside")], /^Cannot (read|write) .*bad\.json\/inside/],
  ];
  const written = filesIn(folder.path);
  const check = async ([args, message]: (typeof cases)[number]) => {
    const defaults = [...(args.includes("--model") ? [] : ["--model", "small"])];
    const results = args.includes("--results") ? [] : ["--results", at("results")];
    const { code, stdout, stderr } = await task([...defaults, ...results, ...args], env);
    assert.match(stderr.trim(), message);
    assert.equal(code, 2, args.join(" "));
    assert.doesNotMatch(stdout + stderr, /\n {4}at |Uncaught/, "no stack trace");
  };
  for (let i = 0; i < cases.length; i += 3) await Promise.all(cases.slice(i, i + 3).map(check));
  assert.deepEqual(filesIn(folder.path), written);
});

Deno.test("deno task niah damages no file that it cannot read", async () => {
  await using folder = await temporary();
  const args = ["--test", "--model", "simulated", "--results", folder.path];
  assert.equal((await task(args)).code, 0);
  const attempts = `${folder.path}/test_simulated_niah_attempts.jsonl`;
  const sound = await Deno.readTextFile(attempts);
  const state = `${folder.path}/.test_workflow_state.json`;
  const soundState = await Deno.readTextFile(state);
  const cases = [
    [attempts, sound.replace(/("status":"done")/, "$1garbage"), /line 2 is not a record of an attempts file/],
    [state, "{broken", /is not a workflow state .*Nothing was changed\./],
  ] as const;
  for (const [path, broken, message] of cases) {
    const before = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, broken);
    const { code, stderr } = await task(args);
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /\n {4}at /);
    assert.equal(code, 2);
    assert.equal(await Deno.readTextFile(path), broken);
    await Deno.writeTextFile(path, before);
  }
  assert.equal(await Deno.readTextFile(attempts), sound);
  assert.equal(await Deno.readTextFile(state), soundState);
  // A torn last line is what a kill leaves: it is cut off and its row is run again.
  await Deno.writeTextFile(attempts, sound.slice(0, -40));
  assert.equal((await task(args)).code, 0);
  assert.equal((await csv(`${folder.path}/test_simulated_niah_results.csv`)).length, 12);
});

/** Mounts a small or read-only file system; null where that is not allowed. */
async function mounted(options: string): Promise<(AsyncDisposable & { readonly path: string }) | null> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return null;
  const path = await Deno.makeTempDir();
  const run = async (command: string, ...args: string[]) =>
    (await new Deno.Command(command, { args, stdout: "null", stderr: "null" }).output().catch(() => null))
      ?.success === true;
  if (!await run("mount", "-t", "tmpfs", "-o", options, "tmpfs", path)) {
    await Deno.remove(path);
    return null;
  }
  return {
    path,
    async [Symbol.asyncDispose]() {
      await run("umount", path);
      await Deno.remove(path);
    },
  };
}

for (
  const [title, options, message] of [
    [
      "a read-only folder",
      "ro,size=64k",
      /Cannot write .*: make its folder writable or choose another with --results/,
    ],
    [
      "a full disk",
      "size=64k",
      /No space left on the disk while writing .*: free some space and start again/,
    ],
  ] as const
) {
  Deno.test(`deno task niah says that it cannot write to ${title}, and keeps what it has`, async () => {
    await using folder = await mounted(options);
    if (folder === null) return console.log(`${title} cannot be made here: the test is skipped.`);
    const { code, stderr } = await task(["--test", "--model", "simulated", "--results", folder.path]);
    assert.match(stderr, message);
    assert.equal(code, 2);
    assert.doesNotMatch(stderr, /\n {4}at /);
    for (
      const name of filesIn(folder.path).filter((name) => name.endsWith(".json") || name.endsWith(".ipynb"))
    ) {
      JSON.parse(await Deno.readTextFile(`${folder.path}/${name}`));
    }
  });
}

/** The processes that a process has started; Linux only. */
function childrenOf(pid: number): number[] {
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter((candidate) => {
    try {
      return Number(Deno.readTextFileSync(`/proc/${candidate}/stat`).split(") ")[1]?.split(" ")[1]) === pid;
    } catch {
      return false;
    }
  });
}

function isAlive(pid: number): boolean {
  try {
    return !Deno.readTextFileSync(`/proc/${pid}/stat`).includes(") Z");
  } catch {
    return false;
  }
}

Deno.test("deno task niah stops at Ctrl+C with 130 and says how to go on; the same command does", async () => {
  await using folder = await temporary();
  await using server = await startFaultServer({ latencyMs: 60, answer: answerFault });
  const env = { PROBEBOOK_MODELS: await writeModels(folder.path, faultModels(server.url)) };
  const results = `${folder.path}/results`;
  const args = ["--model", FAULT, "--lengths", "1000", "--trials", "10", "--results", results];
  const { pid, ended } = startNiah(args, env);
  await until("the first request", () => server.requests.length > 8);
  Deno.kill(-pid, "SIGINT");
  const { code, stderr } = await ended;
  assert.equal(code, 130, stderr);
  const stopped = server.requests.length;
  assert.match(
    stderr,
    /Progress saved\.[\s\S]*⧗ in progress \(\d+\/110\)[\s\S]*Go on with: deno task niah --model/,
  );
  assert.doesNotMatch(stderr, /\n {4}at /);
  const resumed = await task(args, env);
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.ok(stopped < 110 && server.requests.length === 110, `${stopped} and ${server.requests.length} sent`);
});

Deno.test({
  name:
    "deno task niah killed with its kernel, or alone, leaves nothing running and goes on without sending twice",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using folder = await temporary();
    await using server = await startFaultServer({ latencyMs: 60, answer: answerFault });
    const env = { PROBEBOOK_MODELS: await writeModels(folder.path, faultModels(server.url)) };
    const results = `${folder.path}/results`;
    const args = ["--model", FAULT, "--lengths", "1000", "--trials", "12", "--results", results];
    for (const whole of [true, false]) {
      const before = server.requests.length;
      const { pid, ended } = startNiah(args, env);
      await until("a request", () => server.requests.length > before + 12);
      const kernels = childrenOf(pid);
      assert.ok(kernels.length > 0);
      if (whole) { for (const kernel of kernels) Deno.kill(-kernel, "SIGKILL"); }
      Deno.kill(-pid, "SIGKILL");
      assert.equal((await ended).signal, "SIGKILL");
      await until("the end of the kernel", () => !kernels.some(isAlive));
    }
    const resumed = await task(args, env);
    assert.equal(resumed.code, 0, resumed.stderr);
    const rows = await csv(`${results}/${FAULT}_niah_evaluated.csv`);
    assert.equal(rows.length, 132);
    assert.ok(rows.every((row) => row["validity"] === "correct" && row["attempts"] === "1"));
    const extra = server.requests.length - 132;
    assert.ok(extra <= 8, `${extra} requests were sent twice in 2 kills of at most 4 in flight`);
  },
});

Deno.test("deno task niah --max-usd stops before it passes, without a stack trace, and goes on with more", async () => {
  await using folder = await temporary();
  await using server = await startFaultServer({ answer: answerFault });
  const price = { inputPerMTok: 1, outputPerMTok: 4 };
  const text = faultModels(server.url, { price, maxOutputTokens: 64 });
  const env = { PROBEBOOK_MODELS: await writeModels(folder.path, text) };
  const args = ["--model", FAULT, "--lengths", "1000", "--results", `${folder.path}/results`, "--max-usd"];
  const stopped = await task([...args, "0.01"], env);
  assert.notEqual(stopped.code, 0);
  assert.match(stopped.stderr, /The budget of \$0\.01 stops here: \$0\.00\d+ may have been spent/);
  assert.doesNotMatch(stopped.stderr, /\n {4}at /);
  const billed = server.requests.reduce((sum, r) => sum + r.promptTokens + 4 * r.completionTokens, 0) / 1e6;
  assert.ok(billed > 0 && billed <= 0.01, `$${billed}`);
  const more = await task([...args, "1"], env);
  assert.equal(more.code, 0, more.stderr);
  assert.equal(server.requests.length, 11);
});

Deno.test("deno task niah lets no key reach a file or a line, even when a server sends it back", async () => {
  await using folder = await temporary();
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const key = request.headers.get("authorization");
    return Response.json({ error: { message: `Bad key ${key}`, detail: key } }, {
      status: 400,
      headers: { "x-request-id": key ?? "" },
    });
  });
  const text = faultModels(`http://127.0.0.1:${server.addr.port}/v1`, { apiKeyEnv: "OPENAI_API_KEY" });
  const env = { PROBEBOOK_MODELS: await writeModels(folder.path, text), OPENAI_API_KEY: KEY };
  const results = `${folder.path}/results`;
  const { stdout, stderr } = await task(["--test", "--model", FAULT, "--results", results], env);
  await server.shutdown();
  assert.match(stderr, /Bad key Bearer \[redacted\]/, "the server was asked and its message is shown");
  const secret = KEY.slice(8);
  assert.ok(!(stdout + stderr).includes(secret));
  const names = filesIn(results);
  assert.ok(names.some((name) => name.endsWith(".ipynb")) && names.some((name) => name.endsWith(".jsonl")));
  for (const name of names) {
    assert.ok(!(await Deno.readTextFile(`${results}/${name}`)).includes(secret), `the key is in ${name}`);
  }
});

const NBCONVERT = ["/usr/bin/jupyter-nbconvert", "/usr/local/bin/jupyter-nbconvert"].find((path) => {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
});
if (NBCONVERT === undefined) {
  console.log("jupyter-nbconvert is not installed: niah.ipynb is not tried in Jupyter.");
}

Deno.test({
  name: "notebooks/niah.ipynb runs in Jupyter as it ships",
  ignore: NBCONVERT === undefined,
  async fn() {
    await using folder = await temporary();
    const at = (name: string) => `${folder.path}/${name}`;
    for (const name of ["lib", "models", "deno.json", "deno.lock"]) {
      await Deno.symlink(`${root}/${name}`, at(name));
    }
    await Deno.mkdir(at("notebooks"));
    await Deno.copyFile(`${root}/notebooks/niah.ipynb`, at("notebooks/niah.ipynb"));
    await Deno.mkdir(at("jupyter/kernels/deno"), { recursive: true });
    await Deno.writeTextFile(
      at("jupyter/kernels/deno/kernel.json"),
      JSON.stringify({
        argv: [Deno.execPath(), "jupyter", "--kernel", "--conn", "{connection_file}"],
        display_name: "Deno",
        language: "typescript",
      }),
    );
    // The default variant, as a simulated one: this is about the notebook and not about the model.
    await Deno.mkdir(at("variants"));
    const pocket = { backend: "simulated", description: "d", mode: "decay", contextWindow: 4096 };
    const env = {
      PROBEBOOK_MODELS: await writeModels(at("variants"), JSON.stringify({ variants: { pocket } })),
      JUPYTER_PATH: at("jupyter"),
      JUPYTER_DATA_DIR: at("jupyter"),
      NO_COLOR: "1",
    };
    const { success, stderr } = await new Deno.Command(NBCONVERT as string, {
      args: ["--to", "notebook", "--execute", "--output", "executed.ipynb", at("notebooks/niah.ipynb")],
      env,
      stdout: "null",
      stderr: "piped",
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    const executed = await Deno.readTextFile(at("notebooks/executed.ipynb"));
    assert.match(executed, /Accuracy: \d+\/12/);
    assert.match(executed, /image\/svg\+xml|<svg/);
    assert.equal((await csv(at("results/test_pocket_niah_results.csv"))).length, 12);
  },
});
