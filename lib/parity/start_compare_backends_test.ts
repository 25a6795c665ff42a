/** The comparison from its runs to its files, against servers that answer and fail on purpose. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { always, mix } from "../backends/testing/fault_plan.ts";
import { startFaultServer } from "../backends/testing/fault_server.ts";
import { InputError } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";
import { planRuns } from "../runs/plan_runs.ts";
import { finishedResults } from "../runs/sequence.ts";
import { readToxicChat, SAMPLE_PATH } from "./toxicchat.ts";
import { compareBackendsKind, startCompareBackends } from "./start_compare_backends.ts";

const N = 80;
const script = fileURLToPath(new URL("./testing/compare_once.ts", import.meta.url));

/** Right labels by text. */
const truths = new Map(
  (await readToxicChat(SAMPLE_PATH)).items.map(({ text, toxicity }) => [text, toxicity]),
);
const messageIn = (prompt: string) => /<message>\n([^]*)\n<\/message>/.exec(prompt)?.[1] ?? "";
const faithful = (prompt: string) => String(truths.get(messageIn(prompt)) ?? "no such message");
const otherModel = (prompt: string) =>
  parseInt(sha256(messageIn(prompt)).slice(0, 2), 16) < 64
    ? String(1 - Number(faithful(prompt)))
    : faithful(prompt);

/** Two servers and a models.json that names them `one` and `two`. */
async function twoServers(
  options: readonly [Parameters<typeof startFaultServer>[0], Parameters<typeof startFaultServer>[0]],
  fields: readonly [object, object] = [{}, {}],
) {
  const folder = await Deno.makeTempDir();
  const servers = [await startFaultServer(options[0]), await startFaultServer(options[1])] as const;
  const variant = (i: 0 | 1) => ({
    backend: "api",
    description: "a server for tests",
    model: "fault",
    baseUrl: servers[i].url,
    contextWindow: 100_000,
    maxOutputTokens: 64,
    limits: { tokensPerMinute: null, concurrency: 4 },
    ...fields[i],
  });
  const models = `${folder}/models.json`;
  await Deno.writeTextFile(models, JSON.stringify({ variants: { one: variant(0), two: variant(1) } }));
  Deno.env.set("PROBEBOOK_MODELS", models);
  return {
    servers,
    models,
    results: `${folder}/results`,
    async [Symbol.asyncDispose]() {
      Deno.env.delete("PROBEBOOK_MODELS");
      for (const server of servers) await server[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

const settings = { variants: "one,two", sampleSize: N, concurrency: 4 };
const start = (results: string, more: object = {}) =>
  startCompareBackends({ ...settings, results, ...more }, { log: () => {} });

Deno.test("startCompareBackends() passes two servers of one model, asks each row once, and goes on from its files", async () => {
  await using two = await twoServers([{ answer: faithful }, { answer: faithful }]);
  const written = await (await start(two.results)).compare();
  assert.equal(two.servers[0].requests.length, 2 * N);
  assert.equal(two.servers[1].requests.length, 2 * N);
  assert.match(written?.text ?? "", /VERDICT: pass: 80 of 80 labels agree/);
  assert.match(written?.text ?? "", /A\/B cannot be told from the A\/A noise floor/);
  assert.match(written?.text ?? "", /one: F1 1\.000000/);
  assert.equal((await Deno.readTextFile(written?.files["rows"] ?? "")).trim().split("\n").length, N + 1);
  for (const path of Object.values(written?.files ?? {})) await Deno.remove(path);
  const again = await (await start(two.results)).compare();
  assert.equal(two.servers[0].requests.length, 2 * N, "nothing is sent again");
  assert.equal(again?.text, written?.text);
});

Deno.test("startCompareBackends() with the response cache asks again in the second pass, so that A/A is A/A", async () => {
  let calls = 0;
  await using two = await twoServers([{ answer: () => String(++calls % 2) }, { answer: faithful }]);
  await (await start(two.results, { cache: true, sampleSize: 20, concurrency: 1 })).compare();
  assert.deepEqual(two.servers.map(({ requests }) => requests.length), [40, 40]);
});

Deno.test("startCompareBackends() fails another model, lists its disagreements, and shows parameters sent otherwise", async () => {
  await using two = await twoServers([{ answer: faithful }, { answer: otherModel }], [{}, {
    extraBody: { temperature: 0.7 },
  }]);
  const written = await (await start(two.results)).compare();
  const text = written?.text ?? "";
  assert.match(text, /VERDICT: fail/);
  assert.match(text, /sampling \(certain\): other parameters are sent: temperature \(0 against 0\.7\)/);
  assert.match(text, /A\/B differs from the A\/A noise floor: labels differ/);
  const count = Number(/another outcome in one backend than in the other: (\d+) of 80/.exec(text)?.[1]);
  assert.ok(count > 8 && count < 35, `${count} disagreements`);
  assert.equal(text.match(/ {4}two: [01], said "[01]"/g)?.length, count);
});

Deno.test("startCompareBackends() names a server that cuts prompts, through the counts it reports", async () => {
  const long = await Deno.makeTempFile({ suffix: ".csv" });
  try {
    const words = (count: number) => Array.from({ length: count }, (_, i) => `word${i}`).join(" ");
    const lines = Array.from({ length: 90 }, (_, i) => `${i},${words(20 + 3 * i)} ${i},${i % 2}`);
    await Deno.writeTextFile(long, `conv_id,user_input,toxicity\n${lines.join("\n")}\n`);
    const odd = (prompt: string) => String(prompt.length % 2);
    await using two = await twoServers([{ answer: odd }, {
      answer: odd,
      plan: always("cut_prompt"),
      window: 400,
    }]);
    const written = await (await start(two.results, { data: long })).compare();
    assert.match(
      written?.text ?? "",
      /VERDICT: fail.*did not read the same prompt.*counts at most 400 prompt tokens/,
    );
    assert.match(written?.text ?? "", /truncation \(certain\)/);
  } finally {
    await Deno.remove(long);
  }
});

Deno.test("startCompareBackends() keeps unparsed answers and failures apart from labels", async () => {
  await using two = await twoServers([{ answer: faithful }, {
    answer: faithful,
    plan: mix(0.3, { seed: 5 }),
    retryAfter: 0,
  }]);
  const run = await start(two.results, { sampleSize: 30, passes: 1 });
  const results = finishedResults(await run.done);
  const written = await run.compare();
  assert.equal(results.length, 2);
  const second = results[1]?.rows ?? [];
  const unparsed = second.filter(({ grade }) => grade?.extra?.["parsed"] === false);
  assert.ok(
    unparsed.every(({ grade }) => grade?.extra?.["binary_label"] === null && grade.correct === false),
  );
  const parsed = second.filter(({ grade }) => grade?.extra?.["parsed"] === true);
  assert.equal(
    unparsed.length + parsed.length + second.filter(({ attempt }) => attempt?.status !== "done").length,
    30,
  );
  assert.ok(parsed.every(({ grade }) => grade?.correct === true), "no failure is read as a label");
  assert.match(
    written?.text ?? "",
    new RegExp(`two: parsed ${parsed.length} of ${parsed.length + unparsed.length} `),
  );
});

Deno.test("startCompareBackends() killed at random moments ends as a run that was not", async () => {
  await using two = await twoServers([{ answer: faithful, latencyMs: 10 }, {
    answer: otherModel,
    latencyMs: 10,
  }]);
  const once = (results: string) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--quiet", script, JSON.stringify({ ...settings, results })],
      stdout: "piped",
      stderr: "inherit",
      env: { PROBEBOOK_MODELS: two.models },
    }).spawn();
  const sent = () => two.servers.reduce((sum, { requests }) => sum + requests.length, 0);
  for (const after of [30, 70, 60]) {
    const goal = sent() + after;
    const child = once(`${two.results}/killed`);
    while (sent() < goal) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill("SIGKILL");
    await child.stdout.cancel();
    await child.status;
  }
  const text = async (child: Deno.ChildProcess) => new TextDecoder().decode((await child.output()).stdout);
  const killed = await text(once(`${two.results}/killed`));
  const before = sent();
  assert.ok(
    before <= 4 * N + 3 * 4,
    `${before} requests for ${4 * N} rows and 3 kills of at most 4 in flight`,
  );
  assert.equal(killed, await text(once(`${two.results}/whole`)));
  assert.match(killed, /VERDICT: fail/);
});

Deno.test("planRuns() of a comparison needs no server and no key, and names the data", async () => {
  const planned = await planRuns(compareBackendsKind, {
    model: "gpt-oss-20b",
    sampleSize: 100,
    policy: "toxic_simple",
  });
  assert.deepEqual(planned.map(({ variant, experiment }) => [variant.name, experiment.name]), [
    ["gpt-oss-20b-api", "compare-backends-pass-1"],
    ["gpt-oss-20b-api", "compare-backends-pass-2"],
    ["gpt-oss-20b", "compare-backends-pass-1"],
    ["gpt-oss-20b", "compare-backends-pass-2"],
  ]);
  assert.match(
    planned[0]?.text ?? "",
    /100 messages of 160 drawn balanced \(toxic 50 of 60, other 50 of 100\)/,
  );
});

Deno.test("planRuns() of a comparison refuses wrong settings before anything is made", async () => {
  for (
    const [wrong, message] of [
      [{ policy: "nice" }, /There is no policy "nice"/],
      [{ sampleSize: 161 }, /--sample-size is 161, but the data set holds 160/],
      [{ design: "odd" }, /design/],
      [{ passes: 0 }, /passes/],
      [{ variants: "pocket" }, /--variants names 1/],
      [{ data: "none.csv" }, /Cannot read none\.csv/],
      [{ criterion: 1 }, /criterion/],
      [{ nonsense: 1 }, /there is no setting nonsense/],
    ] as const
  ) {
    await assert.rejects(
      planRuns(compareBackendsKind, wrong),
      (error) => error instanceof InputError && message.test(error.message),
      JSON.stringify(wrong),
    );
  }
});

Deno.test("startCompareBackends() compares the embedded model with itself behind our own server: not one token differs", async () => {
  const results = await Deno.makeTempDir();
  try {
    const run = await startCompareBackends(
      { model: "pocket", test: true, sampleSize: 6, maxOutputTokens: 8, results },
      { log: () => {} },
    );
    const written = await run.compare();
    const { drift, unanswered } = written?.json as Record<
      string,
      Record<string, Record<string, number>> & number
    >;
    assert.equal(unanswered, 0);
    assert.deepEqual([drift?.["prompt_tokens"]?.["compared"], drift?.["prompt_tokens"]?.["equal"]], [6, 6]);
    assert.equal(drift?.["divergence"]?.["rows"], 0);
    assert.match(written?.text ?? "", /VERDICT: inconclusive/);
    const attempts = await Deno.readTextFile(
      `${results}/test_pocket_served_compare_backends_pass_1_attempts.jsonl`,
    );
    assert.ok(attempts.includes('"logprobs":[['), "log-probabilities are kept");
  } finally {
    await Deno.remove(results, { recursive: true });
  }
});
