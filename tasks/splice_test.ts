/** The tasks as they are typed. */
import assert from "node:assert/strict";
import { csv, filesIn, startTask, temporary, until } from "./testing.ts";

const run = (name: string, args: readonly string[], env: Record<string, string> = {}) =>
  startTask(name, args, env).ended;

async function models(folder: string, variants: Record<string, unknown>): Promise<Record<string, string>> {
  await Deno.writeTextFile(`${folder}/models.json`, JSON.stringify({ variants }));
  return { PROBEBOOK_MODELS: `${folder}/models.json` };
}

const simulated = { backend: "simulated", description: "d", mode: "anchors", contextWindow: 100_000 };

Deno.test("deno task splice killed in the middle goes on sample by sample, and draws none twice", async () => {
  await using folder = await temporary();
  const env = await models(folder.path, {
    slow: { ...simulated, latencyMs: 12, limits: { concurrency: 4 } },
  });
  const results = `${folder.path}/results`;
  const args = ["--test", "--model", "slow", "--results", results];
  const attempts = `${results}/test_slow_splice_attempts.jsonl`;
  const lines = () => {
    try {
      return Deno.readTextFileSync(attempts).split("\n").length - 1;
    } catch {
      return 0;
    }
  };
  for (const least of [10, 70, 200]) { // while chains are recorded, deltas measured, arms drawn
    const { pid, ended } = startTask("splice", args, env);
    await until("samples", () => lines() > least);
    Deno.kill(-pid, "SIGKILL");
    assert.equal((await ended).signal, "SIGKILL");
    await until("the end of the kernel", () => {
      const before = lines();
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60);
      return lines() === before;
    });
  }
  const { code, stderr, stdout } = await run("splice", args, env);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /splice point/);
  const ids = Deno.readTextFileSync(attempts).trimEnd().split("\n").map((line) => JSON.parse(line).id)
    .filter((id) => id !== undefined);
  const rows = (await Promise.all(
    ["record", "deltas", "arms"].map((stage) => csv(`${results}/test_slow_splice_${stage}_results.csv`)),
  )).flat();
  assert.ok(rows.every(({ status }) => status === "done"));
  assert.deepEqual(new Set(ids), new Set(rows.map(({ id }) => id)));
  assert.ok(ids.length - new Set(ids).size === 0, "no finished sample was drawn again");
  const folders = filesIn(results).filter((name) => /^\d{8}_\d{6}$/.test(name));
  assert.equal(folders.length, 1);
  assert.deepEqual(filesIn(`${results}/${folders[0]}`), [
    "cot_responses.json",
    "deltas.csv",
    "metadata.json",
    "problems.json",
    "prompts.jsonl",
    "splice_results.json",
    "summary.json",
  ]);
});

Deno.test("deno task record-cots asks a chat server once for every sample, cached or not, and splice refuses one that does not go on", async () => {
  await using folder = await temporary();
  const seeds: number[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const body = await request.json();
    seeds.push(body.seed);
    return Response.json({
      id: "x",
      model: "m",
      choices: [{
        index: 0,
        message: {
          role: "assistant",
          reasoning_content: "One and one. That makes two.",
          content: "The best answer is: (B)",
        },
        finish_reason: "stop",
      }],
      usage: { prompt_tokens: 50, completion_tokens: 9 },
    });
  });
  const baseUrl = `http://127.0.0.1:${server.addr.port}/v1`;
  const env = await models(folder.path, {
    chat: { backend: "api", description: "d", model: "m", baseUrl, contextWindow: 4096, deployment: "local" },
  });
  const results = `${folder.path}/results`;
  const args = ["--test", "--model", "chat", "--cache", "--num-samples", "3", "--results", results];
  const { code, stderr } = await run("record-cots", args, env);
  assert.equal(code, 0, stderr);
  assert.equal(seeds.length, 24);
  assert.deepEqual([...new Set(seeds)].sort(), [0, 1, 2]);
  assert.equal((await run("record-cots", args, env)).code, 0);
  assert.equal(seeds.length, 24, "nothing is sent again");
  const chains = `${results}/${filesIn(results).find((name) => name.endsWith("_chat"))}/cot_responses.json`;
  const [first] = JSON.parse(await Deno.readTextFile(chains));
  assert.deepEqual(first.no_hint_samples[0], {
    cot: "One and one. That makes two.",
    answer: "B",
    sample_num: 0,
  });
  const spliced = await run("splice", [
    "--test",
    "--model",
    "chat",
    "--cot-data",
    chains,
    "--measure-deltas",
    "--results",
    results,
  ], env);
  await server.shutdown();
  assert.equal(spliced.code, 2, spliced.stderr);
  assert.match(spliced.stderr, /chat does not go on from a begun turn/);
  assert.doesNotMatch(spliced.stderr, /\n {4}at /);
});

Deno.test("deno task splice --plan writes nothing, and wrong input leaves with 2 and one message", async () => {
  await using folder = await temporary();
  const results = `${folder.path}/results`;
  const plan = await run("splice", [
    "--plan",
    "--test",
    "--model",
    "simulated-anchors",
    "--results",
    results,
  ]);
  assert.equal(plan.code, 0, plan.stderr);
  assert.match(
    plan.stdout,
    /rows {11}48 planned[^]*in turn: 6 chains recorded[^]*Nothing was sent or written/,
  );
  const cases: [string, readonly string[], RegExp][] = [
    ["splice", ["--cot-data", "nowhere.json", "--measure-deltas"], /nowhere\.json cannot be read/],
    ["splice", ["--arms", "sideways"], /--arms names "sideways"/],
    ["splice", ["--shard", "1/2", "--test"], /cannot be sharded/],
    ["splice", ["--calibrate", "--model", "simulated"], /simulated is simulated/],
    ["splice", ["--calibrate", "--batches", "0"], /--batches holds 0/],
    ["record-cots", ["--problems", "7,99", "--test"], /no such problem of our own/],
  ];
  for (const [name, args, message] of cases) {
    const model = args.includes("--model") ? [] : ["--model", "simulated-anchors"];
    const where = args.includes("--calibrate") ? [] : ["--results", results];
    const { code, stderr } = await run(name, [...args, ...model, ...where]);
    assert.match(stderr, message);
    assert.equal(code, 2, args.join(" "));
    assert.doesNotMatch(stderr, /\n {4}at /);
  }
  assert.ok(
    !filesIn(results).some((name) => name.endsWith(".jsonl") && !name.startsWith(".")),
    filesIn(results).join(),
  );
});

Deno.test("deno task splice --calibrate times the embedded model", async () => {
  const { code, stdout, stderr } = await run("splice", [
    ..."--calibrate --batches 1,4 --prefix-tokens 64 --new-tokens 8 --json".split(" "),
  ]);
  assert.equal(code, 0, stderr);
  const { measured, concurrency, bytesPerToken, prefixTokens } = JSON.parse(stdout);
  assert.deepEqual(measured.map(({ together }: { together: number }) => together), [1, 4]);
  assert.ok(
    measured.every((one: { samplesPerHour: number; memory: number }) =>
      one.samplesPerHour > 0 && one.memory > 0
    ),
  );
  assert.ok([1, 4].includes(concurrency));
  assert.equal(prefixTokens, 64);
  assert.ok(bytesPerToken > 0);
});

Deno.test("deno task splice --calibrate --shape times a shape by its blocks, and reckons memory from its sizes", async () => {
  await using folder = await temporary();
  const sizes = { hidden_size: 64, intermediate_size: 128, num_attention_heads: 4, num_key_value_heads: 2 };
  await Deno.writeTextFile(
    `${folder.path}/config.json`,
    JSON.stringify({
      architectures: ["LlamaForCausalLM"],
      ...sizes,
      num_hidden_layers: 12,
      vocab_size: 50_000,
      max_position_embeddings: 1024,
      rms_norm_eps: 1e-5,
      tie_word_embeddings: false,
    }),
  );
  const flags = "--calibrate --batches 1,2 --prefix-tokens 64 --new-tokens 6 --json".split(" ");
  const { code, stdout, stderr } = await run("splice", [...flags, "--shape", `${folder.path}/config.json`]);
  assert.equal(code, 0, stderr);
  const { measured, loadedMemory, bytesPerToken, note } = JSON.parse(stdout);
  assert.equal(bytesPerToken, 2 * 4 * 12 * 2 * 16);
  const block = 2 * 64 * 64 + 2 * 64 * 32 + 3 * 64 * 128;
  assert.equal(loadedMemory, 4 * (12 * block + 2 * 50_000 * 64));
  assert.ok(measured.every((one: { samplesPerHour: number }) => one.samplesPerHour > 0));
  assert.match(note, /made-up weights/);
  const wrong = await run("splice", [...flags, "--shape", folder.path + "/none/config.json"]);
  assert.equal(wrong.code, 2, wrong.stderr);
});
