import assert from "node:assert/strict";
import { simulatedTokenizer } from "../backends/tokenizers.ts";
import { getVariant, type Variant } from "../backends/variants.ts";
import { inFolder } from "../base/testing/in_folder.ts";
import { attemptFor } from "../runs/testing.ts";
import type { ExperimentResult } from "../runs/workflow.ts";
import { readCotResponses } from "./cot_responses.ts";
import { readDeltaTable } from "./delta_table.ts";
import { spliceConfigSchema } from "./splice_config.ts";
import { createSplice } from "./splice_experiment.ts";
import { startRecordCots } from "./start_record_cots.ts";
import { startSplice } from "./start_splice.ts";

const quiet = { log: () => {} };
const json = async (path: string) => JSON.parse(await Deno.readTextFile(path));

async function splice(settings: Record<string, unknown>, running?: Variant): Promise<ExperimentResult> {
  const options = running === undefined ? quiet : { ...quiet, running: new Map([[running.name, running]]) };
  const run = await startSplice({ model: "simulated-anchors", test: true, ...settings }, options);
  const [result] = await run.done;
  return result as ExperimentResult;
}

/** The folder of the experiment's own files. */
function ownFolder(results: string): string {
  const names = [...Deno.readDirSync(results)].filter(({ isDirectory }) => isDirectory).map(({ name }) =>
    name
  );
  assert.equal(names.length, 1, names.join());
  assert.match(names[0] as string, /^\d{8}_\d{6}$/);
  return `${results}/${names[0]}`;
}

Deno.test("startSplice() records, measures and splices planted anchors, and writes every file", async () => {
  await inFolder(async (results) => {
    const { error, done, errors, files, rows, report } = await splice({ results, numSamples: 20 });
    assert.equal(error, null);
    assert.equal(errors, 0);
    const folder = ownFolder(results);
    const stages = Map.groupBy(rows, ({ row }) => row.params["stage"]);
    assert.deepEqual([...stages.keys()], ["record", "deltas", "arms"]);
    assert.equal(rows.length, done);

    const points = await json(`${folder}/splice_results.json`);
    assert.ok(points.length >= 2);
    for (const point of points) {
      assert.equal(point.splice_samples.length, 20);
      assert.deepEqual(
        point.splice_samples.map((s: { seed: number }) => s.seed),
        points[0].splice_samples.map((s: { seed: number }) => s.seed),
      );
      assert.ok(point.hinted_prefix.endsWith(point.splice_point_sentence));
      assert.ok(point.splice_samples[0].full_spliced_cot.startsWith(`<think>\n${point.hinted_prefix}`));
      assert.ok(
        Math.abs(
          Object.values(point.answer_distribution as Record<string, number>).reduce((a, b) => a + b, 0) - 1,
        ) < 1e-9,
      );
      assert.ok(
        point.hinted_answer_probability > point.arms.unhinted_anchor_excluded.hinted_answer_probability,
      );
      assert.ok(point.delta_cue_p >= 0.3);
    }
    const metadata = await json(`${folder}/metadata.json`);
    assert.equal(metadata.inference_type, "simulated");
    assert.equal(metadata.simulated, true);
    assert.equal(metadata.num_splice_points, points.length);
    assert.equal(
      (await json(`${folder}/summary.json`)).buckets["0.7+"].splice_points,
      points.filter((p: { delta_cue_p: number }) => p.delta_cue_p >= 0.7).length,
    );

    const table = readDeltaTable({
      path: "deltas.csv",
      text: await Deno.readTextFile(`${folder}/deltas.csv`),
    });
    assert.deepEqual(table.dropped, []);
    assert.deepEqual(table.chainBreaks, []);
    assert.ok(table.rows.every(({ afterCount, beforeMeasured }) => afterCount?.of === 20 && beforeMeasured));
    const recorded = readCotResponses(await json(`${folder}/cot_responses.json`), "cot_responses.json");
    assert.deepEqual(recorded.dropped, []);
    assert.ok(recorded.problems.every(({ chains }) => chains.length === 12));
    const prompts = (await Deno.readTextFile(`${folder}/prompts.jsonl`)).trimEnd().split("\n").map((line) =>
      JSON.parse(line)
    );
    const named = new Set(rows.map(({ attempt }) => attempt?.prompt_sha256));
    assert.deepEqual(new Set(prompts.map((prompt) => prompt.prompt_sha256)), named);
    assert.ok(await Deno.stat(files.reportText));
    assert.deepEqual(Object.keys(report?.figures ?? {}), ["effects", "arms", "transfer", "view"]);
    for (const [name, { svg }] of Object.entries(report?.figures ?? {})) {
      assert.match(svg, /simulated-anchors \(SIMULATED/, name);
    }
    assert.match(report?.summary ?? "", /^Simulated: .*\nRecorded: \d of 4 .*\nMeasured: \d+ sentences/);
    assert.match(report?.summary ?? "", /the effect of (\d) of \1 is shown/);
  });
});

Deno.test("startSplice() goes on from what files say: its own chains and deltas come back as the same points", async () => {
  await inFolder(async (results) => {
    await splice({ results });
    const folder = ownFolder(results);
    const first = await json(`${folder}/splice_results.json`);
    await inFolder(async (again) => {
      const { error } = await splice({
        results: again,
        cotData: `${folder}/cot_responses.json`,
        deltas: `${folder}/deltas.csv`,
      });
      assert.equal(error, null);
      const second = await json(`${ownFolder(again)}/splice_results.json`);
      const places = (points: { problem_number: number; sentence_number: number; hinted_prefix: string }[]) =>
        points.map((p) => [p.problem_number, p.sentence_number, p.hinted_prefix]);
      assert.deepEqual(places(second), places(first));
    });
    await inFolder(async (again) => {
      const { error, rows } = await splice({
        results: again,
        cotData: `${folder}/cot_responses.json`,
        measureDeltas: true,
      });
      assert.equal(error, null);
      assert.ok(rows.some(({ row }) => row.params["stage"] === "arms"));
    });
  });
});

Deno.test("startSplice() stopped in the middle goes on sample by sample, and a second start sends nothing", async () => {
  await inFolder(async (results) => {
    const slow = { ...await getVariant("simulated-anchors"), latencyMs: 4 } as Variant;
    const run = await startSplice({ model: "simulated-anchors", test: true, results }, {
      ...quiet,
      running: new Map([[slow.name, slow]]),
    });
    await new Promise((resolve) => setTimeout(resolve, 90));
    const [stopped] = await run.stop();
    assert.equal(stopped?.stoppedBy, "user");
    assert.ok(stopped.done > 0);
    const whole = await splice({ results });
    assert.equal(whole.error, null);
    const attempts = (await Deno.readTextFile(whole.files.attempts)).trimEnd().split("\n");
    assert.ok(attempts.length >= whole.done);
    const ids = attempts.map((line) => JSON.parse(line)).filter(({ id }) => id).map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length, "no sample was drawn twice");
    const before = (await Deno.stat(whole.files.attempts)).size;
    await Deno.remove(`${ownFolder(results)}/splice_results.json`);
    const again = await splice({ results });
    assert.equal((await Deno.stat(again.files.attempts)).size, before);
    assert.ok(await Deno.stat(`${ownFolder(results)}/splice_results.json`), "what was deleted comes back");
    assert.ok(await splice({ results, regrade: true }));
    assert.equal((await Deno.stat(again.files.attempts)).size, before, "grading again draws nothing");

    await inFolder(async (other) => {
      const straight = await splice({ results: other, concurrency: 1 });
      const outputs = ({ rows }: ExperimentResult) =>
        rows.map(({ row, attempt }) => [row.id, attempt?.output]);
      assert.deepEqual(
        outputs(again),
        outputs(straight),
        "the same seeds give the same samples, however they were sent",
      );
    });
  });
});

Deno.test("createSplice() lets nothing follow from a step in which a sample failed", async () => {
  const variant = await getVariant("simulated-anchors");
  const config = spliceConfigSchema.parse({ test: true });
  const { rows, more } = await createSplice(config, { variant, tokenizer: simulatedTokenizer });
  const { basePrompt, correct } = rows[0]?.problem ?? { basePrompt: "", correct: "" };
  assert.match(basePrompt, new RegExp(` ${correct}$`, "m"));
  const answered = rows.map((row) => ({
    row,
    attempt: {
      ...attemptFor(row.id),
      output: `\nA sum of two.\n</think>\n\nThe best answer is: (${row.problem.hinted})`,
    },
    attempts: 1,
    judgements: [],
  }));
  const context = { signal: new AbortController().signal, kept: "", judge: 0 };
  const follow = await more?.(answered, context) ?? [];
  assert.ok(follow.length > 0 && follow.every(({ params }) => params.stage === "deltas"));
  const [first, ...rest] = answered as [typeof answered[number], ...typeof answered];
  const failed = { ...first, attempt: { ...first.attempt, status: "error" as const, output: "" } };
  assert.deepEqual(await more?.([failed, ...rest], context), []);
  assert.deepEqual(await more?.([{ ...first, attempt: null }, ...rest], context), []);
});

Deno.test("startRecordCots() writes chains that startSplice() takes", async () => {
  await inFolder(async (results) => {
    const run = await startRecordCots(
      { model: "simulated-anchors", test: true, results, problems: "1,3" },
      quiet,
    );
    const [result] = await run.done;
    assert.equal(result?.error, null);
    const folder = [...Deno.readDirSync(results)].find(({ isDirectory }) => isDirectory)?.name as string;
    assert.match(folder, /^\d{8}_\d{6}_simulated_anchors$/);
    const path = `${results}/${folder}/cot_responses.json`;
    const { problems } = readCotResponses(await json(path), path);
    assert.deepEqual(problems.map(({ id }) => id), ["1", "3"]);
    assert.match(
      result?.report?.summary ?? "",
      /Simulated[\s\S]*with the hint: 12 of 12 answers could be read/,
    );
    const { error } = await splice({ results, cotData: path, measureDeltas: true, arms: "splice" });
    assert.equal(error, null);
  });
});

Deno.test("startSplice() says what is missing when files do not go together", async () => {
  const cases: [Record<string, unknown>, RegExp][] = [
    [{ deltas: "x.csv" }, /--deltas x\.csv needs the recorded chains/],
    [{ cotData: "x.json" }, /give that with --deltas FILE, or measure it/],
    [{ cotData: "x.json", deltas: "x.csv" }, /x\.json cannot be read/],
    [{ arms: "bogus" }, /--arms names "bogus"/],
    [{ deltaThreshold: 0 }, /deltaThreshold/],
  ];
  for (const [settings, message] of cases) await assert.rejects(splice(settings), message);
});

Deno.test("startSplice() draws the same samples of the embedded model one at a time and together, and says what was computed", async () => {
  const small = {
    test: true,
    model: "pocket",
    problemCount: 1,
    recordSamples: 1,
    numSamples: 3,
    maxNewTokens: 6,
  };
  const outputs: unknown[] = [];
  for (const concurrency of [1, 8]) {
    await inFolder(async (results) => {
      const { rows, error, report } = await splice({ ...small, results, concurrency });
      assert.equal(error, null);
      assert.ok(rows.length > 10);
      outputs.push(rows.map(({ row, attempt }) => [row.id, attempt?.output, attempt?.finish_reason]));
      assert.match(report?.summary ?? "", /chains written by us stand in[^]*does not follow them/);
      assert.deepEqual(Object.keys(report?.figures ?? {}), ["arms", "transfer", "view"]);
      const times = /prefill: .* computed .*, (\d\.\d\d) times the /.exec(report?.summary ?? "")?.[1];
      assert.ok(Number(times) <= 1.1, `${report?.summary}`);
    });
  }
  assert.deepEqual(outputs[1], outputs[0]);
});

Deno.test("startSplice() that cannot write its files says so, and writes them at the next start without a sample more", async () => {
  await inFolder(async (results) => {
    await splice({ results });
    const blocked = `${ownFolder(results)}/summary.json`;
    const sent = async () =>
      (await Deno.stat(`${results}/test_simulated_anchors_splice_attempts.jsonl`)).size;
    const before = await sent();
    await Deno.remove(blocked);
    await Deno.mkdir(`${blocked}/inside`, { recursive: true });
    const { error } = await splice({ results, regrade: true });
    assert.match(error?.message ?? "", /summary\.json: a file stands where a folder should be, or a folder/);
    await Deno.remove(blocked, { recursive: true });
    const after = await splice({ results });
    assert.equal(after.error, null);
    assert.ok((await json(blocked)).buckets);
    assert.equal(await sent(), before);
  });
});
