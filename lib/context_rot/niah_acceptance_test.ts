/** What NIAH promises, kept against a server that fails on purpose and models whose behaviour is known. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { createCaller } from "../backends/caller.ts";
import { openBackend } from "../backends/open_backend.ts";
import { DEFAULT_RETRY } from "../backends/retry.ts";
import { simulatedAccuracy } from "../backends/simulated.ts";
import {
  always,
  type Fault,
  type FaultPlan,
  FAULTS,
  mix,
  TRANSPORT_FAULTS,
} from "../backends/testing/fault_plan.ts";
import { type SeenRequest, startFaultServer } from "../backends/testing/fault_server.ts";
import type { Limits } from "../backends/variants.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { sha256 } from "../base/hash.ts";
import { createRandom } from "../base/random.ts";
import { scanAttempts } from "../runs/attempt_records.ts";
import type { Attempt, GradedRow, Validity } from "../runs/experiment.ts";
import { runExperiment } from "../runs/workflow.ts";
import { createNiah } from "./niah.ts";
import { niahConfigSchema } from "./niah_config.ts";
import { planNiah, startNiah } from "./start_niah.ts";
import { answerFault, FAULT, faultModels, faultVariant, writeModels } from "./testing/fault_models.ts";

const script = fileURLToPath(new URL("./testing/start_niah_once.ts", import.meta.url));
/** Rows of the run that is killed. */
const ROWS = 320;
const TENTHS = [0, 10, 20, 30, 40, 50, 60, 70, 80, 90];

/** A folder that goes when the test ends. */
async function temporary(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir();
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Sets PROBEBOOK_MODELS until disposed of. */
function modelsAre(path: string): Disposable {
  Deno.env.set("PROBEBOOK_MODELS", path);
  return { [Symbol.dispose]: () => Deno.env.delete("PROBEBOOK_MODELS") };
}

async function attemptsOf(results: string, variant = FAULT): Promise<Attempt[]> {
  const attempts: Attempt[] = [];
  await scanAttempts(`${results}/${variant}_niah_attempts.jsonl`, { attempt: (a) => void attempts.push(a) });
  return attempts;
}

Deno.test("planNiah() sends nothing and writes nothing", async () => {
  await using folder = await temporary();
  await using server = await startFaultServer();
  using _ = modelsAre(await writeModels(folder.path, faultModels(server.url)));
  const results = `${folder.path}/results`;
  const [full] = await planNiah({ model: FAULT, results });
  const [test] = await planNiah({ model: FAULT, results, test: true });
  assert.equal(full?.experiment.rows.length, 88);
  assert.equal(test?.experiment.rows.length, 12);
  assert.equal(server.requests.length, 0);
  assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["models.json"]);
});

Deno.test("startNiah() killed at random moments ends with the rows of a run that was not, each sent once", async () => {
  await using folder = await temporary();
  const arrived: string[] = [];
  const mark = (prompt: string) => sha256(prompt).slice(0, 12);
  await using server = await startFaultServer({
    latencyMs: 15,
    answer(prompt) {
      arrived.push(mark(prompt));
      return `${answerFault(prompt)} ${mark(prompt)}`;
    },
  });
  const models = await writeModels(folder.path, faultModels(server.url));
  const start = (results: string) =>
    new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        "--quiet",
        script,
        JSON.stringify({ model: FAULT, lengths: [1000, 1500], depths: TENTHS, trials: ROWS / 20, results }),
      ],
      env: { PROBEBOOK_MODELS: models },
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
  const results = `${folder.path}/killed`;
  const random = createRandom("niah kills");
  let kills = 0, sentAgain = 0;
  const finished = async () => new Set((await attemptsOf(results)).map((a) => a.output.slice(-12)));
  for (; kills < 6; kills++) {
    const done = await finished();
    const before = arrived.length;
    const child = start(results);
    for (let i = 0; arrived.length === before; i++) {
      assert.ok(i < 4000, "the run sent nothing");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await new Promise((resolve) => setTimeout(resolve, random.int(150)));
    child.kill("SIGKILL");
    await child.stdout.cancel();
    assert.equal((await child.status).signal, "SIGKILL", "the run was over before it was killed");
    sentAgain += arrived.slice(before).filter((prompt) => done.has(prompt)).length;
  }
  const done = await finished();
  const before = arrived.length;
  const ended = async (child: Deno.ChildProcess) =>
    JSON.parse(new TextDecoder().decode((await child.output()).stdout).split("\n")[1] ?? "");
  assert.deepEqual(await ended(start(results)), [{ done: ROWS, errors: 0, error: null }]);
  sentAgain += arrived.slice(before).filter((prompt) => done.has(prompt)).length;
  const extra = arrived.length - ROWS;
  await ended(start(`${folder.path}/whole`));

  const answers = async (path: string) =>
    (await attemptsOf(path)).map(({ id, output }) => `${id} ${output}`).sort();
  const killed = await answers(results);
  assert.equal(new Set(killed).size, ROWS, "no row is there twice");
  assert.deepEqual(killed, await answers(`${folder.path}/whole`));
  assert.equal(sentAgain, 0, "no finished request was sent again");
  assert.ok(extra <= 4 * kills, `${extra} requests were made twice in ${kills} kills of at most 4 in flight`);
  console.log(`${kills} kills: ${ROWS} rows done once, ${extra} requests in flight made again`);
});

/** A clock on which a minute takes a second, for limits and waits against a real server. */
function fastClock(times = 60): Clock {
  const began = performance.now();
  const start = Date.now();
  return {
    now: () => start + (performance.now() - began) * times,
    sleep: (ms, signal) => systemClock.sleep(ms / times, signal),
  };
}

interface FaultRun {
  readonly rows: readonly GradedRow[];
  readonly attempts: readonly Attempt[];
  readonly seen: readonly SeenRequest[];
}

/** The same parts that startNiah puts together, with a faster clock and a shorter patience for hanging servers. */
async function runAgainst(
  plan: FaultPlan,
  grid: { readonly lengths: number[]; readonly depths: number[]; readonly trials?: number },
  options: { readonly limits?: Partial<Limits>; readonly timeoutMs?: number } = {},
): Promise<FaultRun> {
  await using folder = await temporary();
  await using server = await startFaultServer({ plan, answer: answerFault });
  const clock = fastClock();
  const variant = faultVariant(server.url, { maxOutputTokens: 64 });
  await using backend = await openBackend(variant, { timeoutMs: options.timeoutMs ?? 5000, clock });
  await using caller = createCaller(backend, { clock, limits: options.limits ?? {} });
  const config = niahConfigSchema.parse(grid);
  const niah = await createNiah(config, { variant, tokenizer: await backend.tokenizer() });
  const run = runExperiment({
    experiment: niah,
    caller,
    results: folder.path,
    config: {},
    svgToPng: () => Promise.resolve(new Uint8Array([1])),
    clock,
    log: () => {},
  });
  const { rows, error } = await run.done;
  assert.equal(error, null);
  return { rows, attempts: await attemptsOf(folder.path), seen: [...server.requests] };
}

const CLASS_OF: Partial<Record<Fault, readonly Validity[]>> = {
  none: ["correct"],
  cut_prompt: ["truncated"],
  empty: ["degenerate"],
  pad: ["degenerate"],
  very_long: ["degenerate", "output_cap"],
  refusal: ["refused"],
};

/** Everything the server answered whole is in the attempts, no row was tried too often, and classes are right. */
function checkRun({ rows, attempts, seen }: FaultRun): void {
  const answered = seen.filter((request) => request.completed);
  const done = attempts.filter((attempt) => attempt.status === "done");
  assert.equal(done.length, answered.length, "an answer that was paid for is lost");
  assert.equal(
    done.reduce((sum, attempt) => sum + (attempt.completion_tokens ?? 0), 0),
    answered.reduce((sum, request) => sum + request.completionTokens, 0),
  );
  assert.equal(attempts.length, seen.length, "every request is an attempt");
  for (const { row, attempts: tries, grade } of rows) {
    assert.ok(tries >= 1 && tries <= 1 + DEFAULT_RETRY.retries, `${tries} tries`);
    assert.ok(grade, `row ${row.id} is not graded`);
  }
}

for (const fault of FAULTS) {
  Deno.test(`a NIAH run whose every request meets ${fault} is classed as what it is`, async () => {
    const timeoutMs = fault === "hang" ? 300 : 10_000;
    const run = await runAgainst(always(fault), { lengths: [700, 1400], depths: [0, 50, 100] }, {
      timeoutMs,
    });
    checkRun(run);
    const expected = CLASS_OF[fault] ?? ["error"];
    for (const { grade, attempts } of run.rows) {
      assert.ok(grade && expected.includes(grade.validity), `${grade?.validity} for ${fault}`);
      assert.equal(attempts, TRANSPORT_FAULTS.includes(fault) ? 1 + DEFAULT_RETRY.retries : 1);
    }
  });
}

Deno.test("a NIAH run with 30% faults of every kind ends graded, loses nothing paid for, and keeps its limits", async () => {
  const limits = { tokensPerMinute: 32_000, requestsPerMinute: 30 };
  const run = await runAgainst(mix(0.3, { seed: 3 }), {
    lengths: [700, 1000, 1400],
    depths: TENTHS,
    trials: 4,
  }, { limits });
  checkRun(run);
  const met = new Set(run.seen.map(({ fault }) => fault));
  assert.deepEqual([...met].sort(), [...FAULTS].sort(), "the draw holds every fault");

  const count = (validities: readonly Validity[]) =>
    run.rows.filter(({ grade }) => grade && validities.includes(grade.validity)).length;
  for (const fault of ["cut_prompt", "refusal", "none"] as const) {
    const answered = run.seen.filter((request) => request.fault === fault).length;
    assert.equal(count(CLASS_OF[fault] ?? []), answered, `rows of ${fault}`);
  }
  const broken = run.seen.filter(({ fault }) => ["empty", "pad", "very_long"].includes(fault)).length;
  assert.equal(count(["degenerate", "output_cap"]), broken);
  assert.equal(count(["error", "wrong", "distractor", "abstained"]), 0, "retries brought every row home");

  // Every sliding minute, by the times at which requests were sent: a permit is asked for just before.
  const sent = run.attempts.map(({ started, token_count }) => ({
    at: Date.parse(started),
    tokens: token_count,
  }))
    .sort((a, b) => a.at - b.at);
  for (const { at } of sent) {
    const minute = sent.filter((request) => request.at >= at && request.at < at + 59_000);
    assert.ok(minute.length <= limits.requestsPerMinute, `${minute.length} requests in a minute`);
    const tokens = minute.reduce((sum, request) => sum + request.tokens, 0);
    assert.ok(tokens <= limits.tokensPerMinute, `${tokens} tokens in a minute`);
  }
});

Deno.test("startNiah() spends no more than --max-usd, keeps its rows, and goes on with a higher limit", async () => {
  await using folder = await temporary();
  await using server = await startFaultServer({ answer: answerFault });
  const price = { inputPerMTok: 1, outputPerMTok: 4 };
  using _ = modelsAre(
    await writeModels(folder.path, faultModels(server.url, { price, maxOutputTokens: 64 })),
  );
  const settings = { model: FAULT, lengths: [1000], depths: TENTHS, trials: 3, results: `${folder.path}/r` };
  const billed = () =>
    server.requests.reduce(
      (sum, r) =>
        sum + (r.promptTokens * price.inputPerMTok + r.completionTokens * price.outputPerMTok) / 1e6,
      0,
    );
  const go = async (maxUsd: number) => {
    const run = await startNiah({ ...settings, maxUsd }, { log: () => {} });
    return (await run.done)[0];
  };
  const stopped = await go(0.01);
  assert.equal(stopped?.stoppedBy, "budget");
  assert.match(
    stopped?.error?.message ?? "",
    /budget of \$0\.01 .*\$0\.00\d+ may have been spent.*--max-usd/,
  );
  assert.ok(billed() <= 0.01 && billed() > 0.007, `$${billed()} of $0.01`);
  assert.equal(stopped?.done, server.requests.length, "results are kept");
  const again = await go(0.02);
  assert.ok(billed() <= 0.02 && again?.stoppedBy === "budget" && again.done > (stopped?.done ?? 0));
  const whole = await go(1);
  assert.deepEqual([whole?.done, whole?.stoppedBy], [30, null]);
  assert.equal(server.requests.length, 30, "no row was paid for twice");
});

/** Runs a shipped variant through everything. */
async function graded(model: string, settings: object): Promise<readonly GradedRow[]> {
  await using folder = await temporary();
  const run = await startNiah({ model, results: folder.path, ...settings }, { log: () => {} });
  const [result] = await run.done;
  assert.equal(result?.error, null);
  return result?.rows ?? [];
}

for (
  const [model, expected] of [
    ["simulated-loops", "degenerate"],
    ["simulated-pads", "degenerate"],
    ["simulated-refuses", "refused"],
  ] as const
) {
  Deno.test(`startNiah() classes at least 99 of 100 rows of ${model} as ${expected}`, async () => {
    const rows = await graded(model, { lengths: [500], depths: TENTHS, trials: 10 });
    assert.equal(rows.length, 100);
    assert.ok(rows.filter(({ grade }) => grade?.validity === expected).length >= 99);
  });
}

Deno.test("startNiah() classes at least 99 of 100 silently truncated rows, and no whole one, as truncated", async () => {
  const rows = await graded("simulated-truncates", { lengths: [2000, 10_000], depths: TENTHS, trials: 10 });
  const truncated = (length: number) =>
    rows.filter(({ row, grade }) =>
      row.params["approximate_input_length"] === length && grade?.validity === "truncated"
    ).length;
  assert.ok(truncated(10_000) >= 99, `${truncated(10_000)} of 100`);
  assert.equal(truncated(2000), 0);
});

Deno.test("startNiah() finds a known decay within the interval it reports", async () => {
  const depths = [0, 50, 100];
  const lengths = [500, 4000, 20_000];
  const rows = await graded("simulated", { lengths, depths, trials: 150 });
  const curve = { top: 0.98, floor: 0.02, halfLength: 20_000, steepness: 1.2, dip: 0.3 };
  for (const length of lengths) {
    const cell = rows.filter(({ row }) => row.params["approximate_input_length"] === length);
    const share = cell.filter(({ grade }) => grade?.correct).length / cell.length;
    const truth = depths.reduce((sum, depth) => sum + simulatedAccuracy(length, depth / 100, curve), 0) / 3;
    const half = 1.96 * Math.sqrt(truth * (1 - truth) / cell.length);
    assert.ok(Math.abs(share - truth) <= half + 0.002, `${share} at ${length}, truly ${truth} +- ${half}`);
  }
});

Deno.test("5,000 rows stay small, and a finished run is resumed at once", async () => {
  await using folder = await temporary();
  const program = fileURLToPath(new URL("../../bench/runs_child.ts", import.meta.url));
  const peaks: number[] = [];
  const seconds: number[] = [];
  for (let round = 0; round < 2; round++) {
    const began = performance.now();
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--quiet", program, "rows", "5000", folder.path],
      stdout: "inherit",
      stderr: "inherit",
    }).spawn();
    let peak = 0;
    const watch = setInterval(async () => {
      const status = await Deno.readTextFile(`/proc/${child.pid}/status`).catch(() => "");
      peak = Math.max(peak, Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024);
    }, 50);
    const { success } = await child.status;
    clearInterval(watch);
    assert.ok(success, "all rows are done");
    peaks.push(peak);
    seconds.push((performance.now() - began) / 1000);
  }
  if (Deno.build.os === "linux") assert.ok(peaks.every((peak) => peak > 20 && peak < 500), `${peaks} MiB`);
  assert.ok((seconds[1] as number) < (seconds[0] as number), `${seconds} s`);
});
