/** What Repeated Words promises, kept against models whose behaviour is known, and a server. */
import assert from "node:assert/strict";
import { simulatedAccuracy } from "../backends/simulated.ts";
import { startFaultServer } from "../backends/testing/fault_server.ts";
import type { CopyGroup } from "../figures/copy_groups.ts";
import type { ExperimentResult } from "../runs/workflow.ts";
import type { Estimate } from "../stats/mean.ts";
import { planRepeatedWords, startRepeatedWords } from "./start_repeated_words.ts";
import { FAULT, faultModels, writeModels } from "./testing/fault_models.ts";

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs with a models.json of its own. */
async function withModels(folder: string, text: string, test: () => Promise<void>): Promise<void> {
  Deno.env.set("PROBEBOOK_MODELS", await writeModels(folder, text));
  try {
    await test();
  } finally {
    Deno.env.delete("PROBEBOOK_MODELS");
  }
}

async function run(
  results: string,
  settings: object,
  lines: string[] = [],
): Promise<readonly ExperimentResult[]> {
  const sequence = await startRepeatedWords({ results, ...settings }, { log: (line) => lines.push(line) });
  const ended = await sequence.done;
  for (const { error } of ended) assert.equal(error, null);
  return ended;
}

Deno.test("startRepeatedWords() leaves the files of the seed, and a second start does nothing twice", () =>
  inFolder(async (folder) => {
    const settings = {
      model: "simulated",
      counts: [25, 2500],
      positions: [0, 50, 100],
      pairs: "apple/apples,golden/Golden",
    };
    const first = await run(folder, settings);
    assert.deepEqual(first.map(({ done }) => done), [6, 6]);
    for (const pair of ["apple_apples", "golden_golden"]) {
      const name = `${folder}/simulated_repeated_words_${pair}`;
      const figures = [...Deno.readDirSync(`${name}_evaluated`)].map((entry) => entry.name).sort();
      assert.deepEqual(
        figures,
        [
          "levenshtein_score",
          "modified_word_present",
          "position_accuracy",
          "token_count_performance",
          "word_count_delta",
        ]
          .flatMap((figure) => [`${figure}.png`, `${figure}.svg`]),
      );
      const [header = ""] = (await Deno.readTextFile(`${name}_evaluated.csv`)).split("\n");
      for (
        const column of [
          "base_word",
          "modified_word",
          "word_count",
          "position",
          "levenshtein_score",
          "levenshtein_score_cut",
          "modified_word_present",
          "position_accuracy",
          "position_offset",
          "word_count_delta",
          "runs",
          "reason",
        ]
      ) {
        assert.ok(header.split(",").includes(column), column);
      }
    }
    const lines: string[] = [];
    const second = await run(folder, settings, lines);
    assert.equal(lines.filter((line) => line.startsWith("Skipping")).length, 6);
    assert.deepEqual(second.map(({ report }) => report?.summary), first.map(({ report }) => report?.summary));
  }));

Deno.test("planRepeatedWords() sends nothing and writes nothing", () =>
  inFolder(async (folder) => {
    await using server = await startFaultServer();
    await withModels(folder, faultModels(server.url, { maxOutputTokens: 16_384 }), async () => {
      const planned = await planRepeatedWords({ model: FAULT, pairs: "all", results: `${folder}/results` });
      assert.equal(planned.length, 7);
      for (const { plan, text } of planned) {
        assert.equal(plan.rows, 1090);
        assert.equal(plan.todo + (plan.skipped["max output"] ?? 0) + (plan.skipped["window"] ?? 0), 1090);
        assert.match(text, /none needed/);
      }
      assert.equal(server.requests.length, 0);
      assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["models.json"]);
    });
  }));

for (
  const [model, expected] of [
    ["simulated-loops", "degenerate"],
    ["simulated-pads", "degenerate"],
    ["simulated-refuses", "refused"],
  ] as const
) {
  Deno.test(`startRepeatedWords() classes at least 99 of 100 rows of ${model} as ${expected}`, () =>
    inFolder(async (folder) => {
      const [result] = await run(folder, { model, counts: [100] });
      const classes = (result?.rows ?? []).map(({ grade }) => grade?.validity);
      assert.equal(classes.length, 100);
      assert.ok(classes.filter((name) => name === expected).length >= 99, String(classes));
      assert.match(result?.report?.summary ?? "", /no rows of valid rows/);
    }));
}

Deno.test("startRepeatedWords() classes at least 99 of 100 silently truncated rows, and no whole one, as truncated", () =>
  inFolder(async (folder) => {
    const [result] = await run(folder, { model: "simulated-truncates", counts: [100, 5000] });
    const truncated = (count: number) =>
      (result?.rows ?? []).filter(({ row, grade }) =>
        row.params["word_count"] === count && grade?.validity === "truncated"
      ).length;
    assert.ok(truncated(5000) >= 100, `${truncated(5000)} of 101`);
    assert.equal(truncated(100), 0);
  }));

const CURVE = { top: 0.97, floor: 0.02, halfLength: 800, steepness: 1.3, dip: 0.4 };
const COPIER = JSON.stringify({
  variants: {
    copier: {
      backend: "simulated",
      description: "copies ever worse",
      mode: "decay",
      curve: CURVE,
      contextWindow: 100_000,
      maxOutputTokens: 20_000,
    },
  },
});

Deno.test("a planted truth comes back within its intervals: exact copies, the word, its place, and the number of words", () =>
  inFolder((folder) =>
    withModels(folder, COPIER, async () => {
      const [result] = await run(folder, { model: "copier", counts: [50, 100, 250, 500, 1000] });
      const { lengths, tenths } = result?.report?.statistics as unknown as Record<
        "lengths" | "tenths",
        CopyGroup[]
      >;
      // The mistakes: no word; the word off its place; a fifth missing; a fifth too many.
      const truths = (result?.rows ?? []).map(({ row }) => {
        const { word_count, position, relative_position } = row.params as Record<string, number>;
        const { length } = row as typeof row & { length: number };
        const right = simulatedAccuracy(length, relative_position as number, CURVE);
        const [n, at] = [word_count as number, position as number];
        const kept = Math.floor(n * 0.8);
        const survives = at < kept ? 1 : 0;
        return {
          place: {
            lengths: length,
            tenths: Math.min(9, Math.floor((relative_position as number) * 10 + 1e-9)),
          },
          exact: right,
          modifiedPresent: right + (1 - right) * (2 + survives) / 4,
          positionAccuracy: right + (1 - right) * (1 + survives) / 4,
          wordCountDelta: (1 - right) * ((n - kept) - Math.max(1, Math.round(n / 5))) / n / 4,
        };
      });
      let held = 0, all = 0;
      for (const by of ["lengths", "tenths"] as const) {
        for (const group of by === "lengths" ? lengths : tenths) {
          const members = truths.filter(({ place }) => place[by] === group.place);
          for (const what of ["exact", "modifiedPresent", "positionAccuracy", "wordCountDelta"] as const) {
            const truth = members.reduce((sum, member) => sum + member[what], 0) / members.length;
            const { low, high, n }: Estimate = group.valid[what];
            assert.equal(n, members.length);
            all++;
            if ((low ?? 0) <= truth + 1e-9 && truth - 1e-9 <= (high ?? 1)) held++;
          }
        }
      }
      assert.equal(all, 60);
      assert.ok(held >= 53, `${held} of ${all} intervals hold the truth`);
    })
  ));

Deno.test("startRepeatedWords() has a server copy what it was sent, phrases included", () =>
  inFolder(async (folder) => {
    await using server = await startFaultServer({
      answer: (prompt) => prompt.slice(prompt.indexOf("\n\n") + 2).trim(),
    });
    await withModels(folder, faultModels(server.url, { maxOutputTokens: 30_000 }), async () => {
      const [result] = await run(folder, {
        model: FAULT,
        counts: [25, 500],
        positions: [0, 50, 100],
        pair: "Golden Gate Bridge/Golden Gate Park",
      });
      assert.deepEqual(result?.rows.map(({ grade }) => grade?.validity), new Array(6).fill("correct"));
      assert.ok(server.requests.every(({ completed }) => completed));
    });
  }));
