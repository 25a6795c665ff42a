/** All experiments as one run: what it leaves, what it costs, and what it does when something fails. */
import assert from "node:assert/strict";
import { parse } from "csv-parse/sync";
import { startFaultServer } from "../backends/testing/fault_server.ts";
import { VALIDITY_CLASSES } from "../runs/experiment.ts";
import { CONTEXT_ROT_KINDS } from "./context_rot_settings.ts";
import { planContextRot } from "./plan_context_rot.ts";
import { type ContextRotOutcome, startContextRot } from "./start_context_rot.ts";
import { answerFault, writeModels } from "./testing/fault_models.ts";
import { writeMemoryFiles } from "./testing/memory_files.ts";

/** A results folder and the models in use; both go when the test ends. */
async function workplace(
  variants: Readonly<Record<string, unknown>>,
): Promise<AsyncDisposable & { readonly results: string; readonly files: () => string[] }> {
  const path = await Deno.makeTempDir();
  const results = `${path}/results`;
  Deno.env.set("PROBEBOOK_MODELS", await writeModels(path, JSON.stringify({ variants })));
  return {
    results,
    files: () => [...Deno.readDirSync(results)].map(({ name }) => name).sort(),
    async [Symbol.asyncDispose]() {
      Deno.env.delete("PROBEBOOK_MODELS");
      await Deno.remove(path, { recursive: true });
    },
  };
}

const simulated = (fields: Readonly<Record<string, unknown>> = {}) => ({
  backend: "simulated",
  description: "a test",
  mode: "decay",
  contextWindow: 32_768,
  maxOutputTokens: 32_768,
  ...fields,
});

const served = (url: string, fields: Readonly<Record<string, unknown>> = {}) => ({
  backend: "api",
  description: "a test",
  model: "fault",
  baseUrl: url,
  contextWindow: 100_000,
  maxOutputTokens: 64,
  limits: { tokensPerMinute: null, concurrency: 4 },
  ...fields,
});

async function run(settings: object): Promise<ContextRotOutcome & { readonly lines: string[] }> {
  const lines: string[] = [];
  const started = await startContextRot(settings, { log: (line) => void lines.push(line) });
  return { ...await started.done, lines };
}

/** LongMemEval files whose full texts have about 8,000 tokens. */
async function memoryFiles(results: string): Promise<string> {
  const folder = `${results}/data`;
  await writeMemoryFiles(folder, { questions: 20, chars: { focused: 900, full: 24_000 } });
  return folder;
}

const failuresOf = ({ results }: ContextRotOutcome) =>
  results.filter(({ error }) => error !== null).map(({ experiment, variant, error }) =>
    `${experiment} ${variant}: ${error?.message}`
  );

Deno.test("startContextRot() runs every experiment on every variant, compares them, and does nothing twice", async () => {
  const always = { top: 1, floor: 1, halfLength: 1000, steepness: 1, dip: 0 };
  await using place = await workplace({
    good: simulated({ curve: always }),
    weak: simulated({ curve: { ...always, top: 0.4, floor: 0.4 } }),
  });
  const settings = { model: "good,weak", test: true, results: place.results };
  const first = await run(settings);
  assert.deepEqual(failuresOf(first), []);
  const names = (await planContextRot(settings)).kinds.flatMap(({ experiments }) => experiments);
  assert.ok(names.length >= CONTEXT_ROT_KINDS.length);
  assert.deepEqual(
    first.results.map(({ experiment, variant }) => `${variant} ${experiment}`),
    ["good", "weak"].flatMap((variant) => names.map(({ name }) => `${variant} ${name}`)),
  );
  const { experiments } = JSON.parse(await Deno.readTextFile(first.files.json)).statistics;
  assert.deepEqual(experiments.map(({ name }: { name: string }) => name), names.map(({ name }) => name));
  for (const { name, conditions } of experiments) {
    for (const { variants, pairs } of conditions) {
      assert.equal(variants[0].audit.raw.estimate, 1, name);
      assert.ok(variants[1].audit.raw.estimate < 1, name);
      const [{ raw }] = pairs;
      assert.equal(raw.n, variants[0].audit.sent, "every row has its counterpart");
      assert.equal(raw.counts.secondOnly, 0);
      assert.ok(raw.holmP >= raw.p && raw.difference.estimate > 0);
    }
  }
  assert.match(await Deno.readTextFile(first.files.text), /good minus weak, \d+ rows in \d+ groups/);
  const png = await Deno.readFile(first.files.png);
  assert.deepEqual([...png.subarray(1, 4)], [..."PNG"].map((letter) => letter.charCodeAt(0)));
  const before = await Deno.readTextFile(`${place.results}/test_good_niah_attempts.jsonl`);

  const second = await run(settings);
  const skipped = second.lines.filter((line) =>
    line.startsWith("Skipping ") && line.endsWith("already marked complete")
  );
  assert.equal(skipped.length, 3 * first.results.length, "three steps of every run");
  assert.equal(await Deno.readTextFile(`${place.results}/test_good_niah_attempts.jsonl`), before);
  assert.deepEqual(second.comparison?.statistics, first.comparison?.statistics);
});

Deno.test("startContextRot() goes on when a key is missing, a server is down or refuses, and says who failed and why", async () => {
  const refused: string[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    if (request.method === "POST") refused.push(request.url);
    return Response.json({ error: { message: "bad key" } }, { status: 401 });
  });
  const gone = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const address = `http://127.0.0.1:${(gone.addr as Deno.NetAddr).port}/v1`;
  gone.close();
  await using place = await workplace({
    keyless: served("http://127.0.0.1:9/v1", { apiKeyEnv: "A_KEY_THAT_IS_NOT_SET" }),
    down: served(address),
    refused: served(`http://127.0.0.1:${server.addr.port}/v1`),
    good: simulated(),
  });
  const began = performance.now();
  const outcome = await run({
    model: "keyless,down,refused,good",
    only: "niah",
    test: true,
    niah: { lengths: [500], depths: [0, 100] },
    results: place.results,
  });
  await server.shutdown();
  assert.ok(performance.now() - began < 30_000, "nobody waits for a server that is down");
  const failures = failuresOf(outcome);
  assert.equal(failures.length, 3);
  assert.match(failures[0] ?? "", /^niah keyless: .*A_KEY_THAT_IS_NOT_SET/);
  assert.match(failures[1] ?? "", /^niah down: The server of down does not answer /);
  assert.match(failures[2] ?? "", /^niah refused: .*bad key/);
  assert.ok(refused.length >= 1 && refused.length <= 4, "the first refusals end it");
  assert.equal(outcome.results.at(-1)?.done, 2);
  const written = JSON.parse(await Deno.readTextFile(outcome.files.json)).statistics;
  assert.deepEqual(
    written.runs.map((
      { variant, failure }: { variant: string; failure: string | null },
    ) => [variant, failure === null]),
    [["keyless", false], ["down", false], ["refused", false], ["good", true]],
  );
  assert.match(outcome.comparison?.summary ?? "", /Failed:\n {2}niah keyless: /);
});

Deno.test("startContextRot() asks nothing more of a variant that refused, and needs no server for what is done", async () => {
  let posts = 0;
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    if (request.method === "POST") posts++;
    return Response.json({ error: { message: "no" } }, { status: 401 });
  });
  const url = `http://127.0.0.1:${server.addr.port}/v1`;
  await using place = await workplace({ refused: served(url, { limits: { concurrency: 1 } }) });
  const settings = { model: "refused", only: "niah,repeated-words", test: true, results: place.results };
  const { results } = await run(settings);
  assert.ok(results.length > 1 && results.every(({ error }) => error !== null));
  assert.equal(posts, 1);
  await server.shutdown();

  const honest = await startFaultServer({ answer: answerFault });
  await using done = await workplace({ served: served(honest.url) });
  const niah = { only: "niah", niah: { lengths: [500] }, model: "served", results: done.results };
  assert.deepEqual(failuresOf(await run(niah)), []);
  await honest[Symbol.asyncDispose]();
  assert.deepEqual(
    failuresOf(await run(niah)),
    [],
    "a finished run is drawn and compared without its server",
  );
});

Deno.test("startContextRot() keeps one budget over all variants and experiments, sessions and the judge", async () => {
  await using server = await startFaultServer({ answer: () => "A lantern." });
  const price = { inputPerMTok: 1, outputPerMTok: 4 };
  await using place = await workplace({
    a: served(server.url, { price }),
    b: served(server.url, { price }),
    judge: served(server.url, { price, maxOutputTokens: 16 }),
    unpriced: served(server.url),
  });
  const settings = {
    model: "a,b",
    judge: "judge",
    only: "niah",
    niah: { lengths: [1000], depths: [0, 25, 50, 75, 100] },
    results: place.results,
  };
  const billed = () =>
    server.requests.reduce((sum, r) => sum + (r.promptTokens + 4 * r.completionTokens) / 1e6, 0);
  await assert.rejects(run({ ...settings, maxUsd: 0.008 }), {
    name: "InputError",
    message: /budget of \$0\.008 /,
  });
  assert.ok(billed() > 0.005 && billed() <= 0.008, `$${billed()}`);
  await assert.rejects(run({ ...settings, maxUsd: 0.009 }), { message: /budget of \$0\.009 / });
  assert.ok(billed() <= 0.009, `$${billed()}: what earlier sessions spent counts`);
  const { results } = await run({ ...settings, maxUsd: 1 });
  assert.deepEqual(results.map(({ done, stoppedBy }) => [done, stoppedBy]), [[5, null], [5, null]]);
  await assert.rejects(run({ ...settings, model: "a,unpriced", maxUsd: 1 }), {
    name: "InputError",
    message: /price of unpriced is unknown/,
  });
});

Deno.test("startContextRot() says which judge failed, and keeps what was answered", async () => {
  await using server = await startFaultServer({ answer: () => "A lantern." });
  const refusing = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    () => Response.json({ error: { message: "who are you" } }, { status: 401 }),
  );
  await using place = await workplace({
    a: served(server.url),
    judge: served(`http://127.0.0.1:${refusing.addr.port}/v1`),
  });
  const settings = {
    model: "a",
    judge: "judge",
    niah: { lengths: [500] },
    only: "niah",
    results: place.results,
  };
  const outcome = await run(settings);
  await refusing.shutdown();
  assert.match(failuresOf(outcome)[0] ?? "", /^niah a: The judge judge: .*who are you.* check its key/);
  assert.equal(outcome.results[0]?.done, 11);
});

Deno.test("startContextRot() stops where it is told to, and goes on from there", async () => {
  await using place = await workplace({ slow: simulated({ latencyMs: 30, limits: { concurrency: 2 } }) });
  const settings = {
    model: "slow",
    only: "niah,repeated-words",
    niah: { lengths: [500], trials: 4 },
    test: true,
    results: place.results,
  };
  const started = await startContextRot(settings, { log: () => {} });
  await new Promise<void>((resolve) => {
    const forget = started.onProgress(() => {
      if (started.snapshot().done < 5) return;
      forget();
      resolve();
    });
  });
  assert.deepEqual(started.snapshot().position, { index: 1, count: 2 });
  const stopped = await started.stop();
  assert.equal(stopped.comparison, null);
  assert.deepEqual([stopped.results.length, stopped.results[0]?.stoppedBy], [1, "user"]);
  const done = stopped.results[0]?.done ?? 0;
  assert.ok(done >= 5 && done < 12);
  assert.deepEqual(place.files().filter((name) => name.includes("comparison")), []);
  const { results, comparison } = await run(settings);
  assert.deepEqual(results.map(({ stoppedBy }) => stoppedBy), [null, null]);
  assert.ok(comparison);
  const text = await Deno.readTextFile(`${place.results}/test_slow_niah_results.csv`);
  const rows: Record<string, string>[] = parse(text, { columns: true });
  assert.ok(rows.every((row) => row["attempts"] === "1"));
});

Deno.test("startContextRot() runs one shard of every run, and compares nothing until they are together", async () => {
  await using place = await workplace({ good: simulated() });
  const outcome = await run({
    model: "good",
    test: true,
    shard: "1/2",
    only: "niah",
    results: place.results,
  });
  assert.equal(outcome.comparison, null);
  assert.ok(place.files().includes("test_good_niah_shard_1_of_2_attempts.jsonl"));
  await assert.rejects(run({ model: "good", shard: "3/2", results: place.results }), { name: "InputError" });
});

for (
  const [mode, expected, fields] of [
    ["loop", ["degenerate", "output_cap"], {}],
    ["truncate", ["truncated"], { window: 4096 }],
    ["pad", ["degenerate"], {}],
    ["refuse", ["refused"], {}],
  ] as const
) {
  Deno.test(`a model of mode ${mode} is named as such in the title and the table of every experiment`, async () => {
    await using place = await workplace({ broken: simulated({ mode, ...fields }) });
    // Texts that are longer than the window that cuts them.
    const data = await memoryFiles(place.results);
    const outcome = await run({ model: "broken", test: true, longmemeval: { data }, results: place.results });
    assert.deepEqual(failuresOf(outcome), []);
    const { experiments } = JSON.parse(await Deno.readTextFile(outcome.files.json)).statistics;
    for (const { name, title, conditions } of experiments) {
      const broken = conditions.map((condition: { variants: { audit: object }[] }) =>
        condition.variants[0]?.audit
      );
      const sum = (of: (audit: never) => number) =>
        broken.reduce((n: number, audit: never) => n + of(audit), 0);
      const named = sum((audit: { counts: Record<string, number> }) =>
        expected.reduce((n, validity) => n + (audit.counts[validity] ?? 0), 0)
      );
      const invalid = sum((audit: { sent: number; valid: { n: number } }) => audit.sent - audit.valid.n);
      const sent = sum((audit: { sent: number }) => audit.sent);
      const others = VALIDITY_CLASSES.filter((validity) =>
        !(expected as readonly string[]).includes(validity)
      );
      if (mode === "truncate") {
        assert.ok(named > 0 && named === invalid && named < sent, `${name}: ${named} of ${sent}`);
        const [raw, valid] = [sum((a: { raw: { correct: number } }) => a.raw.correct) / sent, 1];
        assert.ok(raw < valid, `${name}: raw and valid-only accuracy differ`);
        const right = sum((a: { valid: { correct: number } }) => a.valid.correct);
        assert.equal(right, sent - invalid, `${name}: what was whole was right`);
      } else {
        assert.equal(named, sent, `${name}: ${JSON.stringify(broken)} ${others}`);
        assert.equal(sum((a: { valid: { n: number } }) => a.valid.n), 0);
      }
      const share = invalid / sent;
      const files = outcome.results.find((one) => one.experiment === name && one.variant === "broken");
      const report = await Deno.readTextFile(files?.files.reportText ?? "");
      assert.match(report, /Warning: .*% of the rows sent are invalid/, name);
      for (const { svg } of Object.values(files?.report?.figures ?? {})) {
        assert.match(svg, new RegExp(`<title>[^<]*${(share * 100).toFixed(1)}% of rows invalid`), name);
      }
      const summary = outcome.comparison?.summary ?? "";
      assert.ok(
        summary.includes(`${(share * 100).toFixed(1)}% of the rows sent are invalid`) ||
          conditions.length > 1,
      );
      const drawn = Object.values(outcome.comparison?.figures ?? {})[0]?.svg ?? "";
      assert.ok(drawn.includes(`${title}, broken: ${(share * 100).toFixed(1)}% of rows invalid`), name);
    }
  });
}

Deno.test("planContextRot() plans tokens within 1% of the prompts that are sent, in every experiment", async () => {
  const window = { contextWindow: 64_000, maxOutputTokens: 16_384 };
  await using place = await workplace({
    api: { backend: "api", description: "d", model: "m", baseUrl: "http://127.0.0.1:9/v1", ...window },
    simulated: simulated(window),
  });
  for (const test of [true, false]) {
    const { runs } = await planContextRot({ model: "api,simulated", test, results: place.results });
    for (const { experiment, variant, plan } of runs) {
      const rows = experiment.rows.filter((row) => row.skip === null);
      // Of the large plans, rows spread evenly: whole prompts take long to build.
      const step = Math.ceil(rows.length / 60);
      const some = rows.filter((_, i) => i % step === 0);
      let planned = 0, built = 0;
      for (const row of some) {
        const { messages, tokens } = await experiment.prompt(row);
        planned += row.tokens;
        built += tokens;
        assert.equal(messages.length, 1);
        assert.equal(messages[0]?.role, "user");
      }
      const name = `${experiment.name} ${variant.name} ${test}`;
      assert.ok(Math.abs(planned - built) <= 0.01 * built, `${name}: ${planned} planned, ${built} built`);
      assert.equal(plan.promptTokens, rows.reduce((sum, row) => sum + row.tokens, 0), name);
    }
  }
});

Deno.test("planContextRot() says what the response cache answers, without counting it as given", async () => {
  await using server = await startFaultServer({ answer: answerFault });
  const price = { inputPerMTok: 1, outputPerMTok: 4 };
  await using place = await workplace({ served: served(server.url, { price }) });
  const settings = { model: "served", only: "niah", cache: true, results: place.results };
  const some = { ...settings, niah: { lengths: [500], depths: [0, 50, 100] } };
  const all = { ...settings, niah: { lengths: [500, 1000], depths: [0, 50, 100] } };
  assert.equal((await planContextRot(all)).runs[0]?.plan.cached, null, "there is no cache yet");
  await run(some);
  // The answers of an earlier version of the run: its attempts are gone, its cache is not.
  await Deno.remove(`${place.results}/served_niah_attempts.jsonl`);
  const before = place.files();
  const { runs: [planned], text } = await planContextRot(all);
  assert.deepEqual([planned?.plan.todo, planned?.plan.cached, planned?.plan.promptTokens], [6, 3, 3000]);
  assert.match(text, /niah +served +6 +0 +3 +0 +6 +3,000 /);
  assert.deepEqual(place.files(), before);
  const { results } = await run(all);
  assert.equal(server.requests.length, 6);
  assert.equal(results[0]?.done, 6);
  assert.equal((await planContextRot({ ...all, cache: false })).runs[0]?.plan.cached, null);
});
