import assert from "node:assert/strict";
import { BackendError } from "../backends/backend.ts";
import type { Experiment, Layout, Row } from "./experiment.ts";
import { boardHtml, boardText } from "./board.ts";
import { runFiles } from "./run_files.ts";
import { readRunStatus, statusDashboard } from "./status.ts";
import { fakeCaller, fakeExperiment, workflowCaller } from "./testing.ts";
import { type ExperimentOptions, type ExperimentResult, runExperiment } from "./workflow.ts";

type Caller = ReturnType<typeof fakeCaller>;

async function withResults(run: (results: string) => Promise<void>): Promise<void> {
  const results = await Deno.makeTempDir();
  try {
    await run(results);
  } finally {
    await Deno.remove(results, { recursive: true });
  }
}

async function go(
  results: string,
  caller: Caller,
  more: Partial<ExperimentOptions<Row>> & { experiment?: Experiment } = {},
): Promise<ExperimentResult & { lines: string[]; board: string }> {
  const lines: string[] = [];
  const run = runExperiment({
    experiment: fakeExperiment(12),
    caller: workflowCaller(caller),
    results,
    config: { seed: 7 },
    svgToPng: () => Promise.resolve(new Uint8Array([137])),
    log: (line) => lines.push(line),
    ...more,
  });
  return { ...await run.done, lines, board: boardText(run.snapshot()) };
}

const answers = () => fakeCaller((q) => `answer ${q}`);
const names = (results: string) => [...Deno.readDirSync(results)].map((entry) => entry.name).sort();

Deno.test("runExperiment() leaves every file of the spec, and a second start does nothing twice", () =>
  withResults(async (results) => {
    const first = await go(results, answers());
    assert.equal(first.error, null);
    assert.equal(first.done, 12);
    assert.equal(first.report?.summary, "12 of 12 right");
    assert.deepEqual(names(results), [
      ".workflow_state.json",
      ".workflow_state.json.lock",
      "pocket_niah_attempts.jsonl",
      "pocket_niah_evaluated.csv",
      "pocket_niah_heatmap.png",
      "pocket_niah_heatmap.svg",
      "pocket_niah_plan.json",
      "pocket_niah_report.json",
      "pocket_niah_report.txt",
      "pocket_niah_results.csv",
      "pocket_niah_results_token_dashboard.txt",
      "pocket_niah_results_token_summary.json",
    ]);
    const state = JSON.parse(await Deno.readTextFile(`${results}/.workflow_state.json`));
    assert.deepEqual(state, { niah: { pocket: { inference: true, evaluation: true, visualization: true } } });
    const plan = JSON.parse(await Deno.readTextFile(`${results}/pocket_niah_plan.json`));
    assert.deepEqual(plan.config, { seed: 7 });
    assert.deepEqual(plan.rows[3].recipe, { id: "row3" });

    const caller = answers();
    const second = await go(results, caller);
    assert.deepEqual(caller.sent, []);
    assert.match(second.board, /100%\n {2}rows +12 of 12 done, 12 from before\n/);
    assert.deepEqual(second.lines, [
      "Skipping niah pocket inference - already marked complete",
      "Skipping niah pocket evaluation - already marked complete",
      "Skipping niah pocket visualization - already marked complete",
    ]);
    assert.equal(second.rows.length, 12);
    assert.equal(second.report?.summary, "12 of 12 right");
  }));

Deno.test("runExperiment() redoes a step that was set to false or deleted by hand, that step alone, and sends nothing", () =>
  withResults(async (results) => {
    await go(results, answers());
    const path = `${results}/.workflow_state.json`;
    const caller = answers();
    const skipped = {
      inference: "Skipping niah pocket inference - already marked complete",
      evaluation: "Skipping niah pocket evaluation - already marked complete",
      visualization: "Skipping niah pocket visualization - already marked complete",
    };
    const all = { inference: true, evaluation: true, visualization: true };
    for (const step of ["evaluation", "visualization"] as const) {
      for (const value of [false, undefined]) {
        await Deno.writeTextFile(path, JSON.stringify({ niah: { pocket: { ...all, [step]: value } } }));
        assert.deepEqual(
          (await go(results, caller)).lines,
          Object.values({ ...skipped, [step]: `Running niah pocket ${step}...` }),
        );
        assert.deepEqual(JSON.parse(await Deno.readTextFile(path)), { niah: { pocket: all } });
      }
    }
    await Deno.remove(path);
    assert.equal(
      (await go(results, caller)).lines[0],
      "Skipping niah pocket inference - output complete (12/12)",
    );
    // Grades that come out otherwise are drawn anew.
    await Deno.writeTextFile(path, JSON.stringify({ niah: { pocket: { ...all, evaluation: false } } }));
    const stricter: Experiment = {
      ...fakeExperiment(12),
      grade: (rows) =>
        rows.map(({ row, attempt, attempts }) => ({
          row,
          attempt,
          attempts,
          grade: { validity: "wrong", correct: false, judge: "match", judge_output: "false" },
        })),
    };
    const regraded = await go(results, caller, { experiment: stricter });
    assert.deepEqual(regraded.lines.slice(1), [
      "Running niah pocket evaluation...",
      "Running niah pocket visualization...",
    ]);
    assert.equal(await Deno.readTextFile(`${results}/pocket_niah_report.txt`), "0 of 12 right\n");
    assert.deepEqual(caller.sent, []);
  }));

Deno.test("runExperiment() does not believe a state that its files do not bear out", () =>
  withResults(async (results) => {
    await go(results, answers());
    const attempts = `${results}/pocket_niah_attempts.jsonl`;
    const lines = (await Deno.readTextFile(attempts)).split("\n");
    await Deno.writeTextFile(attempts, lines.slice(0, -4).join("\n") + "\n");
    const caller = answers();
    const result = await go(results, caller);
    assert.equal(result.lines[0], "niah pocket inference is marked complete, but 3 of 12 rows are not done");
    assert.equal(caller.sent.length, 3);
    assert.equal(result.done, 12);

    await Deno.remove(`${results}/pocket_niah_heatmap.png`);
    assert.deepEqual((await go(results, answers())).lines.slice(1), [
      "Skipping niah pocket evaluation - already marked complete",
      "Running niah pocket visualization...",
    ]);
    const bigger = answers();
    await go(results, bigger, { experiment: fakeExperiment(14) });
    assert.deepEqual(bigger.sent, ["row12", "row13"], "rows that both plans share are not sent again");
    const smaller = await go(results, bigger, { experiment: fakeExperiment(5) });
    assert.match(smaller.lines[0] ?? "", /also holds 9 rows that are not in this plan/);
    assert.equal(smaller.report?.summary, "5 of 5 right");
  }));

Deno.test("runExperiment() leaves a corrupt state file as it is", () =>
  withResults(async (results) => {
    const path = `${results}/.workflow_state.json`;
    for (
      const text of ["{", '{"niah":{"pocket":{"inference":"yes"}}}', '{"niah":{"pocket":{"infrence":true}}}']
    ) {
      await Deno.writeTextFile(path, text);
      const caller = answers();
      const { error } = await go(results, caller);
      assert.equal(error?.name, "InputError");
      assert.match(error?.message ?? "", /is not a workflow state .*Nothing was changed/);
      assert.equal(await Deno.readTextFile(path), text);
      assert.deepEqual(caller.sent, []);
    }
  }));

Deno.test("runExperiment() keeps test runs and full runs apart", () =>
  withResults(async (results) => {
    await go(results, answers());
    const before = new Map(names(results).map((name) => [name, Deno.readTextFileSync(`${results}/${name}`)]));
    const caller = answers();
    await go(results, caller, { test: { originalSize: 88 }, experiment: fakeExperiment(4) });
    assert.equal(caller.sent.length, 4);
    for (const [name, text] of before) {
      assert.equal(await Deno.readTextFile(`${results}/${name}`), text, name);
    }
    const [header, row] = (await Deno.readTextFile(`${results}/test_pocket_niah_results.csv`)).split("\n");
    assert.match(header ?? "", /,_test_mode,_test_timestamp,_original_dataset_size$/);
    assert.match(row ?? "", /,true,\d{4}-\d\d-\d\dT[\d:.]+Z,88$/);
  }));

Deno.test("runExperiment() asks the judge in rounds, once for each question, and counts it apart", () =>
  withResults(async (results) => {
    const judge = fakeCaller((q) => `verdict ${q}`, { costUsd: 0.001 });
    const experiment = fakeExperiment(5, { judged: true });
    const options = { experiment, judges: [workflowCaller(judge, "gpt-4o-mini")] };
    const first = await go(results, answers(), options);
    assert.equal(judge.sent.length, 10);
    assert.equal(first.rows[2]?.grade?.judge_output, "verdict row2-judge0 verdict row2-judge1");
    assert.match(first.board, /rows +5 of 5 done\n/);
    const dashboard = await Deno.readTextFile(`${results}/pocket_niah_results_token_dashboard.txt`);
    assert.match(dashboard, /API calls: 15\n/);
    assert.match(dashboard, / simulated:decay \(judge\):\n {4}Calls: 10\n/);
    assert.match(dashboard, /Estimated cost: \$0\.0100\n/);
    await go(results, answers(), options);
    assert.equal(judge.sent.length, 10);
  }));

Deno.test("runExperiment() grades rows that ended in an error, and tries them again at the next start", () =>
  withResults(async (results) => {
    let broken = true;
    const caller = fakeCaller((q) => {
      if (broken && q === "row3") throw new BackendError("server", "500");
      return `answer ${q}`;
    });
    const first = await go(results, caller);
    assert.equal(first.errors, 1);
    assert.equal(first.report?.summary, "11 of 12 right");
    assert.equal(first.rows[3]?.grade?.validity, "error");
    const dashboard = () =>
      statusDashboard({
        results,
        test: false,
        experiments: [{ name: "niah", title: "NIAH" }],
        variants: ["pocket"],
      });
    assert.match(await dashboard(), / pocket {2}⧗ in progress \(11\/12, 1 error\)/);
    broken = false;
    const second = await go(results, caller);
    assert.equal(caller.sent.length, 13);
    assert.equal(second.report?.summary, "12 of 12 right");
    assert.match(await dashboard(), / pocket {2}✓ complete \(12\/12\)/);
  }));

Deno.test("stop() saves everything, and the same start goes on from there", () =>
  withResults(async (results) => {
    const slow = fakeCaller(async (q) => {
      await new Promise((resolve) => setTimeout(resolve, 3));
      return `answer ${q}`;
    }, { maxConcurrency: 1 });
    const run = runExperiment({
      experiment: fakeExperiment(12),
      caller: workflowCaller(slow),
      results,
      config: {},
      svgToPng: () => Promise.resolve(new Uint8Array([1])),
      log: () => {},
      graceMs: 1000,
      score: (row, attempt) => attempt.output.includes(row.id),
    });
    let seen = 0;
    run.onProgress(() => {
      if (++seen === 5) run.stop();
    });
    const stopped = await run.done;
    assert.equal(stopped.stoppedBy, "user");
    assert.equal(stopped.error, null);
    assert.ok(stopped.done >= 4 && stopped.done < 12, String(stopped.done));
    const snapshot = run.snapshot();
    assert.equal(snapshot.step, "stopped");
    assert.match(boardText(snapshot), /rows +\d of 12 done/);
    assert.match(boardText(snapshot), /right so far +(\d) of \1 \(100%\)/);
    assert.match(boardHtml(snapshot), /aria-valuenow="\d+"/);
    const csv = await Deno.readTextFile(`${results}/pocket_niah_results.csv`);
    assert.equal(csv.split("\n").filter((line) => line.includes(",done,")).length, stopped.done);
    assert.equal(csv.split("\n").filter((line) => line.includes(",pending,")).length, 12 - stopped.done);
    const rest = answers();
    assert.equal((await go(results, rest)).done, 12);
    assert.equal(rest.sent.length, 12 - stopped.done);
  }));

Deno.test("runExperiment() says why a spent budget stopped it, and grades nothing", () =>
  withResults(async (results) => {
    const caller = fakeCaller((q) => {
      if (q === "row6") {
        throw Object.assign(new Error("The budget of $0.01 stops here"), { name: "BudgetError" });
      }
      return `answer ${q}`;
    }, { maxConcurrency: 1, costUsd: 0.0015 });
    const result = await go(results, caller);
    assert.equal(result.stoppedBy, "budget");
    assert.match(result.error?.message ?? "", /\$0\.01/);
    assert.equal(result.report, null);
    const status = await readRunStatus(result.files);
    assert.equal(status?.spentUsd.toFixed(4), "0.0090");
    assert.equal(status?.total, 12);
  }));

Deno.test("runExperiment() refuses a second start of the same run, not of another", () =>
  withResults(async (results) => {
    const gate = Promise.withResolvers<string>();
    const first = go(results, fakeCaller(() => gate.promise));
    await new Promise((resolve) => setTimeout(resolve, 20));
    const second = await go(results, answers());
    assert.match(second.error?.message ?? "", /already going on in process/);
    const other = await go(results, answers(), { caller: workflowCaller(answers(), "other") });
    assert.equal(other.done, 12);
    gate.resolve("answer");
    assert.equal((await first).done, 12);
    const state = JSON.parse(await Deno.readTextFile(`${results}/.workflow_state.json`));
    assert.deepEqual(Object.keys(state.niah).sort(), ["other", "pocket"]);
  }));

Deno.test("runExperiment() splits CSVs by part, and puts figures where the layout says", async () => {
  const results = await Deno.makeTempDir();
  const start = (layout: Layout) =>
    runExperiment({
      experiment: {
        ...fakeExperiment(7),
        layout,
        part: (row) => Number(row.params["n"]) % 2 === 0 ? "even" : "odd-ones",
        report: () => ({
          summary: "s",
          statistics: {},
          figures: { accuracy: { svg: "<svg/>", alt: "a" }, other: { svg: "<svg/>", alt: "o" } },
        }),
      },
      caller: workflowCaller(fakeCaller((q) => `answer ${q}`)),
      results,
      config: {},
      svgToPng: () => Promise.resolve(new Uint8Array([1])),
      log: () => {},
    }).done;
  const rowsOf = async (name: string) =>
    (await Deno.readTextFile(`${results}/pocket_niah_${name}.csv`)).trim().split("\n").slice(1)
      .map((line) => line.split(",")[0]);
  const layout = { parts: ["even", "odd-ones", "none"], mainFigure: "accuracy", figureFolder: true };
  assert.equal((await start(layout)).error, null);
  for (const kind of ["results", "evaluated"]) {
    assert.deepEqual(await rowsOf(`even_${kind}`), ["row0", "row2", "row4", "row6"]);
    assert.deepEqual(await rowsOf(`odd_ones_${kind}`), ["row1", "row3", "row5"]);
    assert.deepEqual(await rowsOf(`none_${kind}`), []);
  }
  const there = (path: string) => Deno.stat(`${results}/${path}`).then(() => true, () => false);
  assert.ok(await there("pocket_niah.png") && await there("pocket_niah.svg"));
  assert.ok(await there("pocket_niah_evaluated/other.png"));
  assert.ok(!await there("pocket_niah_results.csv") && !await there("pocket_niah_evaluated.csv"));
  const status = await readRunStatus(
    runFiles({ results, experiment: "niah", variant: "pocket", test: false }),
  );
  assert.deepEqual(status?.parts, { even: { total: 4, done: 4 }, "odd-ones": { total: 3, done: 3 } });
  // A part's file that was deleted comes back, and nothing is sent for it.
  await Deno.remove(`${results}/pocket_niah_odd_ones_evaluated.csv`);
  await Deno.remove(`${results}/pocket_niah_even_results.csv`);
  await start(layout);
  assert.ok(await there("pocket_niah_odd_ones_evaluated.csv") && await there("pocket_niah_even_results.csv"));
  await Deno.remove(results, { recursive: true });
});

Deno.test("runExperiment() stops while rows are being graded, and grades them when it is started again", () =>
  withResults(async (results) => {
    const plain = fakeExperiment(12);
    const stop = new AbortController();
    const slow: Experiment = {
      ...plain,
      grade: async (rows, context) => {
        assert.match(context?.kept ?? "", /\.pocket_niah_kept\.jsonl$/);
        if (rows.length === 12 && !stop.signal.aborted) {
          const ended = new Promise((_, reject) =>
            context?.signal.addEventListener("abort", () => reject(context.signal.reason))
          );
          stop.abort();
          await ended;
        }
        return await plain.grade(rows);
      },
    };
    const stopped = await go(results, answers(), { experiment: slow, signal: stop.signal });
    assert.deepEqual([stopped.stoppedBy, stopped.error, stopped.done, stopped.report], [
      "user",
      null,
      12,
      null,
    ]);
    const caller = answers();
    const again = await go(results, caller, { experiment: slow });
    assert.deepEqual(caller.sent, []);
    assert.equal(again.report?.summary, "12 of 12 right");
  }));
