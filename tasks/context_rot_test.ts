/** `deno task context-rot` as a person runs it: flags, kernel, files, signals. */
import assert from "node:assert/strict";
import { startFaultServer } from "../lib/backends/testing/fault_server.ts";
import { answerFault, FAULT, faultModels, writeModels } from "../lib/context_rot/testing/fault_models.ts";
import { parseNotebook } from "../lib/notebooks/notebook.ts";
import { csv, filesIn, startTask, temporary, until, validate } from "./testing.ts";

const start = (args: readonly string[], env?: Record<string, string>) => startTask("context-rot", args, env);
const task = (args: readonly string[], env?: Record<string, string>) => start(args, env).ended;

const NIAH = ["niah"];
const WORDS = ["levenshtein_score", "modified_word_present", "position_accuracy", "token_count_performance"];

Deno.test("deno task context-rot --plan shows models, data, limits, gaps and costs, sends nothing and writes nothing", async () => {
  await using folder = await temporary();
  await using server = await startFaultServer();
  const { variants } = JSON.parse(faultModels(server.url, { price: { inputPerMTok: 1, outputPerMTok: 2 } }));
  const keyless = { ...variants[FAULT], apiKeyEnv: "A_KEY_THAT_IS_NOT_SET", deployment: "local", limits: {} };
  const env = {
    PROBEBOOK_MODELS: await writeModels(folder.path, JSON.stringify({ variants: { ...variants, keyless } })),
  };
  const args = [
    "--plan",
    "--model",
    `${FAULT},keyless`,
    "--judge",
    FAULT,
    "--results",
    `${folder.path}/results`,
  ];
  const { code, stdout } = await task([...args, "--niah-trials", "2", "--max-usd", "9"], env);
  assert.equal(code, 0);
  assert.match(stdout, /^Models:\n {2}fault +cloud deployment, no token limit, 4 at once\n/);
  assert.match(stdout, /keyless +local deployment, 50,000 tokens\/min, .*; MISSING: A_KEY_THAT_IS_NOT_SET/);
  assert.match(stdout, /fault +judge, /);
  assert.match(stdout, /Needle in a haystack \(niah\)\n {4}haystack: /);
  assert.match(stdout, /niah +fault +176 +0 +- +66 +110 .* up to 110 +\$\d/);
  assert.match(
    stdout,
    /total .*\n {2}stops before \$9 are spent, over all runs and sessions\n\nNothing was sent or written\.\n$/,
  );
  assert.equal(server.requests.length, 0);
  assert.deepEqual(filesIn(folder.path), ["models.json"]);
});

Deno.test("deno task context-rot --test runs everything on the embedded model, and only what is asked for again", async () => {
  await using folder = await temporary();
  const args = ["--test", "--results", folder.path];
  const began = performance.now();
  const { code, stdout, stderr } = await task(args);
  assert.equal(code, 0, stderr);
  console.log(
    `the whole test workflow on the embedded model took ${((performance.now() - began) / 1000).toFixed(0)} s`,
  );
  assert.match(
    stderr,
    /Workflow Status Dashboard \(test mode\)[\s\S]*Needle in a haystack:\n {2}pocket {2}✗ not started/,
  );
  assert.match(
    stderr,
    /\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] =+\n\[.*\] ALL EXPERIMENTS COMPLETE!\n\[.*\] =+\n/,
  );
  assert.match(stdout, /Context rot, pocket \(test runs\)\n/);
  const files = filesIn(folder.path);
  const run = (name: string) => files.filter((file) => file.startsWith(`test_pocket_${name}`));
  for (const name of NIAH) assert.ok(run(name).includes(`test_pocket_${name}_heatmap.png`));
  const words = filesIn(`${folder.path}/test_pocket_repeated_words_apple_apples_evaluated`);
  for (const name of WORDS) assert.ok(words.includes(`${name}.png`) && words.includes(`${name}.svg`), name);
  for (const ending of ["txt", "json", "svg", "png"]) {
    assert.ok(files.includes(`test_context_rot_comparison.${ending}`), ending);
  }
  assert.equal((await csv(`${folder.path}/test_pocket_niah_evaluated.csv`)).length, 12);
  const notebook = `${folder.path}/test_pocket_context_rot.ipynb`;
  await validate(notebook);
  const { cells } = parseNotebook(await Deno.readTextFile(notebook), "executed");
  assert.ok(cells.filter((cell) => cell.cell_type === "code").every((cell) => cell.execution_count !== null));

  const path = `${folder.path}/.test_workflow_state.json`;
  const state = JSON.parse(await Deno.readTextFile(path));
  const whole = { inference: true, evaluation: true, visualization: true };
  assert.deepEqual([...new Set(Object.values(state).map((of) => JSON.stringify(of)))], [
    JSON.stringify({ pocket: whole }),
  ]);
  const attempts = `${folder.path}/test_pocket_niah_attempts.jsonl`;
  const before = await Deno.readTextFile(attempts);
  await Deno.writeTextFile(
    path,
    JSON.stringify({ ...state, niah: { pocket: { ...whole, evaluation: false } } }),
  );
  const again = await task(args);
  assert.equal(again.code, 0, again.stderr);
  const steps = [...again.stderr.matchAll(/\] ((?:Skipping|Running) .*)/g)].map(([, line]) => line);
  assert.deepEqual(steps.slice(0, 3), [
    "Skipping niah pocket inference - already marked complete",
    "Running niah pocket evaluation...",
    "Skipping niah pocket visualization - already marked complete",
  ]);
  assert.equal(steps.filter((line) => line?.startsWith("Running")).length, 1);
  assert.equal(steps.length, 3 * Object.keys(state).length);
  assert.match(again.stderr, /pocket {2}⧗ in progress \(12\/12, evaluation to do\)/);
  assert.equal(await Deno.readTextFile(attempts), before);

  await Deno.writeTextFile(path, "{broken");
  const damaged = await task(args);
  assert.equal(damaged.code, 2);
  assert.match(damaged.stderr, /is not a workflow state .*Nothing was changed\./);
  assert.doesNotMatch(damaged.stderr, /\n {4}at /);
  assert.equal(await Deno.readTextFile(path), "{broken");
});

Deno.test("deno task context-rot leaves the others going when a variant fails, says so at the end, and exits with 1", async () => {
  await using folder = await temporary();
  const { variants } = JSON.parse(
    faultModels("http://127.0.0.1:9/v1", { apiKeyEnv: "A_KEY_THAT_IS_NOT_SET" }),
  );
  const simulated = { backend: "simulated", description: "d", mode: "decay", contextWindow: 4096 };
  const env = {
    PROBEBOOK_MODELS: await writeModels(
      folder.path,
      JSON.stringify({ variants: { ...variants, simulated } }),
    ),
  };
  const results = `${folder.path}/results`;
  const args = ["--test", "--only", "niah", "--model", `${FAULT},simulated`, "--results", results];
  const { code, stdout, stderr } = await task(args, env);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /EXPERIMENTS ENDED, 1 OF 2 RUNS FAILED/);
  assert.match(stdout, /Failed:\n {2}niah fault: .*A_KEY_THAT_IS_NOT_SET/);
  assert.doesNotMatch(stderr, /\n {4}at |ALL EXPERIMENTS COMPLETE/);
  assert.equal((await csv(`${results}/test_simulated_niah_evaluated.csv`)).length, 12);
});

Deno.test("deno task context-rot stops at Ctrl+C with the dashboard and 130; the same command goes on", async () => {
  await using folder = await temporary();
  await using server = await startFaultServer({ latencyMs: 60, answer: answerFault });
  const env = { PROBEBOOK_MODELS: await writeModels(folder.path, faultModels(server.url)) };
  const args = ["--model", FAULT, "--only", "niah", "--niah-lengths", "1000", "--niah-trials", "8"];
  const all = [...args, "--results", `${folder.path}/results`];
  const { pid, ended } = start(all, env);
  await until("the first requests", () => server.requests.length > 8);
  Deno.kill(-pid, "SIGINT");
  const { code, stderr } = await ended;
  assert.equal(code, 130, stderr);
  const stopped = server.requests.length;
  assert.match(
    stderr,
    /Workflow interrupted! Progress saved\.[\s\S]*Needle in a haystack:\n {2}fault {2}⧗ in progress \(\d+\/88\)[\s\S]*Go on with: deno task context-rot --model/,
  );
  assert.doesNotMatch(stderr, /\n {4}at /);
  const resumed = await task(all, env);
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.ok(stopped < 88 && server.requests.length === 88, `${stopped} and ${server.requests.length} sent`);
});

Deno.test("deno task context-rot says what is wrong with its input, exits with 2 and writes nothing", async () => {
  await using folder = await temporary();
  const results = `${folder.path}/results`;
  const cases: [readonly string[], RegExp][] = [
    [["--model", "pockt"], /^There is no variant "pockt" .*Did you mean "pocket"\?/],
    [["--only", "niha"], /^--only names "niha": the experiments are niah, /],
    [["--only", "niah", "--skip", "niah"], /^--only and --skip leave no experiment to run\.$/],
    [["--niah-depths", "101"], /^--depths holds 101, /],
    [["--niah-trials", "0"], /^Wrong NIAH settings: trials: /],
    [["--repeated-words-pair", "apple"], /"apple" is not a pair/],
    [["--trials", "3"], /^Unknown option '--trials'\..* Run deno task context-rot --help/],
    [["--shard", "3/2"], /^--shard 3\/2 is not a part of a run/],
    [["--judge", "gpt-4o-mini"], /^The judge gpt-4o-mini needs OPENAI_API_KEY: set it/],
    [["--max-usd", "0"], /^Wrong settings: maxUsd: /],
  ];
  const check = async ([args, message]: (typeof cases)[number]) => {
    const { code, stdout, stderr } = await task([...args, "--results", results], { OPENAI_API_KEY: "" });
    assert.match(stderr.trim(), message);
    assert.equal(code, 2, args.join(" "));
    assert.doesNotMatch(stdout + stderr, /\n {4}at |Uncaught/);
  };
  for (let i = 0; i < cases.length; i += 3) await Promise.all(cases.slice(i, i + 3).map(check));
  assert.deepEqual(filesIn(results), []);
});

Deno.test("deno task context-rot shards every run; merged, the same command sends nothing more and compares", async () => {
  await using folder = await temporary();
  const at = (name: string) => `${folder.path}/${name}`;
  const simulated = {
    backend: "simulated",
    description: "d",
    mode: "decay",
    contextWindow: 8192,
    maxOutputTokens: 4096,
  };
  const env = {
    PROBEBOOK_MODELS: await writeModels(folder.path, JSON.stringify({ variants: { simulated } })),
  };
  const args = ["--test", "--model", "simulated"];
  for (const shard of ["1/2", "2/2"]) {
    const { code, stderr } = await task(
      [...args, "--shard", shard, "--results", at(shard[0] as string)],
      env,
    );
    assert.equal(code, 0, stderr);
    assert.match(
      stderr,
      new RegExp(`Shard ${shard} is complete: put the shards together with deno task merge`),
    );
  }
  const merged = await startTask("merge", ["--from", `${at("1")},${at("2")}`, "--into", at("whole")]).ended;
  assert.equal(merged.code, 0, merged.stderr);
  const { code, stderr } = await task([...args, "--results", at("whole")], env);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /Skipping niah simulated inference - output complete \(12\/12\)/);
  assert.doesNotMatch(stderr, /Running .* inference/);
  assert.ok(filesIn(at("whole")).includes("test_context_rot_comparison.png"));
});
