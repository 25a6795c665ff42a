import assert from "node:assert/strict";
import { join } from "node:path";
import type { ExperimentResult } from "../runs/workflow.ts";
import { parseLayoutPath } from "./layout.ts";
import { startSteeringSweep } from "./start_steering_sweep.ts";
import { type PlantedExperiment, withPlantedExperiment } from "./testing/planted_experiment.ts";

const SETTINGS = { position: "prompt[:]", phase: "last_prompt", maxOutputTokens: 6, layers: "0,1" };

interface Statistics {
  chosen: { layers: number[]; ratio: number; coherent: number; effect: { estimate: number } };
  comparisons: { label: string; estimate: number; p: number; adjusted_p: number }[];
  zero_changed: { n: number; changed: number };
  points: {
    arm: string;
    split: string;
    layers: number[];
    ratio: number | null;
    effect: { estimate: number };
  }[];
}

async function sweep(
  { settings }: PlantedExperiment,
  more: Record<string, unknown>,
): Promise<{ result: ExperimentResult; statistics: Statistics }> {
  const run = await startSteeringSweep({ ...settings, ...SETTINGS, ...more }, { log: () => {} });
  const [result] = await run.done;
  assert.equal(result?.error, null);
  return {
    result: result as ExperimentResult,
    statistics: result?.report?.statistics as unknown as Statistics,
  };
}

const comparison = ({ comparisons }: Statistics, label: RegExp) =>
  comparisons.find((one) => label.test(one.label)) ?? assert.fail(`no comparison ${label}`);

Deno.test("startSteeringSweep() finds what is planted beyond every control, and writes the layout", () =>
  withPlantedExperiment(async (planted) => {
    const { result, statistics } = await sweep(planted, { traits: "planted", ratios: [1, 2], layers: "0" });
    assert.equal(statistics.chosen.ratio, 2);
    assert.ok(statistics.chosen.effect.estimate > 80);
    for (
      const label of [
        /against unsteered/,
        /against random/,
        /against vectors of shuffled/,
        /against asked for/,
      ]
    ) {
      const { estimate, adjusted_p } = comparison(statistics, label);
      assert.ok(estimate > 50 && adjusted_p < 0.05, `${label} ${estimate} ${adjusted_p}`);
    }
    assert.deepEqual(statistics.zero_changed, { n: 10, changed: 0 });
    assert.deepEqual(Object.keys(result.report?.figures ?? {}), ["heatmap", "dose_response"]);

    const { results } = planted.settings;
    const written = [];
    for await (const path of files(join(results, "planted", "steering"))) {
      const place = parseLayoutPath(path, { results });
      assert.ok(place !== null, path);
      written.push(place.kind);
      if (place.kind !== "steering_response_file") continue;
      const { responses, layers, coef } = JSON.parse(await Deno.readTextFile(path));
      assert.deepEqual([layers, coef], [place.layers, place.coef]);
      assert.equal(responses.length, 10);
    }
    assert.ok(written.includes("steering_results_file") && written.includes("steering_baseline_file"));
    // 2 points searched, strength 0, and 8 strengths of two arms.
    assert.equal(written.filter((kind) => kind === "steering_response_file").length, 2 + 1 + 16);

    const again = await startSteeringSweep(
      { ...planted.settings, ...SETTINGS, traits: "planted", ratios: [1, 2], layers: "0" },
      { log: () => {} },
    );
    const [second] = await again.done;
    assert.equal(second?.report?.summary, result.report?.summary);
    const attempts = await Deno.readTextFile(result.files.attempts);
    assert.equal(attempts.split("\n").filter((line) => line.includes('"attempt":')).length, result.done);
  }));

Deno.test("startSteeringSweep() finds nothing where labels mean nothing, and says so", () =>
  withPlantedExperiment(async (planted) => {
    const { statistics } = await sweep(planted, { traits: "nothing", test: true, questions: 16 });
    for (const { label, adjusted_p } of statistics.comparisons) assert.ok(adjusted_p > 0.05, label);
    const search = statistics.points.filter(({ arm }) => arm === "search");
    assert.equal(search.length, 8, "4 strengths in each of 2 layers");
    assert.ok(search.every(({ split }) => split === "search"));
    for (const layer of [0, 1]) {
      const ratios = search.filter(({ layers }) => layers[0] === layer).map(({ ratio }) => ratio ?? NaN);
      assert.equal(ratios[0], 0.7);
      for (const [i, ratio] of ratios.entries()) {
        const factor = ratio / (ratios[i - 1] ?? NaN);
        assert.ok(i === 0 || Math.min(Math.abs(factor - 1.3), Math.abs(factor - 0.85)) < 1e-3);
      }
    }
  }));

Deno.test("startSteeringSweep() goes on after a stop with the rows that are missing alone", () =>
  withPlantedExperiment(async (planted) => {
    const input = {
      ...planted.settings,
      ...SETTINGS,
      traits: "planted",
      ratios: [1],
      layers: "0+1",
      questions: 6,
    };
    const run = await startSteeringSweep(input, { log: () => {} });
    let seen = 0;
    run.onProgress(() => {
      if (++seen === 12) run.stop();
    });
    const [first] = await run.done;
    assert.equal(first?.stoppedBy, "user");
    const [second] = await (await startSteeringSweep(input, { log: () => {} })).done;
    assert.equal(second?.error, null);
    const whole = second as ExperimentResult;
    const ids = (await Deno.readTextFile(whole.files.attempts)).split("\n").filter((line) =>
      line.includes('"attempt":')
    ).map((line) => JSON.parse(line).id);
    assert.equal(new Set(ids).size, ids.length, "no row twice");
    assert.equal(ids.length, whole.done);
    assert.ok((first?.done ?? 0) > 0 && (first?.done ?? 0) < whole.done);
  }));

Deno.test("startSteeringSweep() refuses what cannot be, in words", () =>
  withPlantedExperiment(async ({ settings }) => {
    const start = async (more: Record<string, unknown>) => {
      const run = await startSteeringSweep({ ...settings, ...SETTINGS, traits: "planted", ...more }, {
        log: () => {},
      });
      const [result] = await run.done;
      if (result?.error) throw result.error;
    };
    for (
      const [more, problem] of [
        [{ traits: "absent" }, /There is no trait absent/],
        [{ modelVariant: "absent" }, /no model variant "absent".*Variants: tiny, twin/],
        [{ modelVariant: "simulated" }, /cannot be steered/],
        [{ layers: "7" }, /There is no layer 7: the model has layers 0 to 1/],
        [{ methods: "magic" }, /There is no method "magic"/],
        [{ promptSet: "absent" }, /There is no prompt set "absent"/],
        [{ shard: "1/2" }, /cannot be sharded/],
        [{ ratio: 3 }, /there is no setting ratio/],
      ] as const
    ) await assert.rejects(start(more), { name: "InputError", message: problem }, JSON.stringify(more));
  }));

async function* files(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* files(join(folder, name));
    else yield join(folder, name);
  }
}
