/** The evaluation of vectors in a world where it is known what steering does. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { openSteerable, type Steerable } from "../backends/steerable.ts";
import type { Steering } from "../backends/steering.ts";
import { type LocalVariant, parseVariants, pickVariant } from "../backends/variants.ts";
import { withCheckpoint } from "../engine/testing/with_checkpoint.ts";
import type { Attempt, GradableRow, Prompt } from "../runs/experiment.ts";
import type { PlannedExperiment } from "../runs/experiment_kind.ts";
import { attemptFor } from "../runs/testing.ts";
import { type FactoryConfig, factoryConfigSchema, withFactoryFile } from "./factory_config.ts";
import { createFactory } from "./factory_experiment.ts";
import type { FactoryRow } from "./factory_rows.ts";
import { readKvVectors } from "./kv_vectors.ts";
import { loadStyle } from "./style.ts";

const STYLED = "Step 1: Look at it. Step 2: Then, it leaked. So it is wet because";
const GIBBERISH =
  "so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so";

/** What a model answers that is moved by the style's own vectors, from strength 2 on, and broken from 8 on. */
function answerTo(row: FactoryRow, steering: Steering | undefined, own: string | null): string {
  const plain = `It is so because ${row.params.answer}.`;
  if (row.params.arm === "prompted") return `${STYLED} ${row.params.answer}.`;
  const edit = steering?.kv?.[0];
  const strength = edit?.value?.sha256 === own ? edit?.scaleV ?? 0 : 0;
  return strength >= 8 ? GIBBERISH : strength >= 2 ? `${STYLED} ${row.params.answer}.` : plain;
}

/** Runs an experiment as a workflow does, with answers of a known world. */
async function runIn(
  experiment: PlannedExperiment<FactoryRow>,
  answer: (row: FactoryRow, prompt: Prompt) => string | Promise<string>,
) {
  const rows: FactoryRow[] = [...experiment.rows];
  const attempts = new Map<string, Attempt>();
  const gradable = (): GradableRow<FactoryRow>[] =>
    rows.map((row) => ({ row, attempt: attempts.get(row.id) ?? null, attempts: 1, judgements: [] }));
  const context = { signal: new AbortController().signal, kept: "", judge: 0 };
  const kept = await Deno.makeTempFile();
  try {
    for (;;) {
      for (const row of rows) {
        if (attempts.has(row.id)) continue;
        const output = await answer(row, await experiment.prompt(row));
        attempts.set(row.id, { ...attemptFor(row.id), output });
      }
      const known = new Set(rows.map(({ id }) => id));
      const more = await experiment.more?.(gradable(), { ...context, kept }) ?? [];
      const fresh = more.filter(({ id }) => !known.has(id));
      if (fresh.length === 0) break;
      rows.push(...fresh);
    }
    const graded = await experiment.grade(gradable(), { ...context, kept });
    const report = await experiment.report(graded);
    return { rows, graded, report };
  } finally {
    await Deno.remove(kept);
  }
}

function configOf(settings: Partial<FactoryConfig> = {}): FactoryConfig {
  return withFactoryFile(factoryConfigSchema.parse({
    test: true,
    maxPairs: 4,
    maxQuestions: 16,
    values: [1, 2, 4, 8],
    ...settings,
  }));
}

async function withFactory(
  settings: Partial<FactoryConfig>,
  use: (
    create: () => Promise<PlannedExperiment<FactoryRow>>,
    world: { readonly results: string; readonly model: Steerable; readonly variant: LocalVariant },
  ) => Promise<void>,
): Promise<void> {
  await withCheckpoint({ window: 2048 }, async (folder) => {
    const spec = { backend: "local", description: "d", model: folder, contextWindow: 2048 };
    const variant = pickVariant(
      parseVariants(JSON.stringify({ variants: { tiny: spec } }), "m"),
      "tiny",
    ) as LocalVariant;
    await using model = await openSteerable(variant);
    const results = join(folder, "results");
    const config = configOf(settings);
    const style = await loadStyle("step_by_step_reasoning");
    const create = async () => {
      const { experiment, test, mark } = config;
      return await createFactory({
        name: "steering-factory-x",
        style,
        config,
        place: { results, experiment, test, mark },
        from: variant,
      }, {
        variant,
        steerable: model,
        tokenizer: {
          name: "t",
          exact: true,
          encode: (text) => model.decoder.encode(text),
          decode: (ids) => model.decoder.decode(ids),
          count: (text) => model.decoder.encode(text).length,
          countMessages: (messages) => model.promptIds(messages).length,
        },
      });
    };
    await use(create, { results, model, variant });
  });
}

Deno.test("createFactory() finds the strength that moves a model, on other questions, and says what its controls do", async () => {
  await withFactory({}, async (create, { results }) => {
    const experiment = await create();
    const path = join(results, "test_steering_vectors", "tiny", "step_by_step_reasoning.safetensors");
    let own: string | null = null;
    const { rows, graded, report } = await runIn(experiment, async (row, prompt) => {
      if (row.params.arm === "search" && own === null) own = prompt.steering?.kv?.[0]?.value?.sha256 ?? null;
      return await Promise.resolve(answerTo(row, prompt.steering, own));
    });
    const arms = Map.groupBy(rows, ({ params }) => params.arm);
    assert.deepEqual([...arms].map(([arm, all]) => [arm, all.length]), [
      ["unsteered", 16],
      ["prompted", 8],
      ["search", 32],
      ["zero", 8],
      ["steered", 32],
      ["random", 32],
    ]);
    const asked = (split: string) =>
      new Set(rows.filter(({ params }) => params.split === split).map(({ params }) => params.prompt));
    assert.equal(asked("search").intersection(asked("report")).size, 0, "no question is in both halves");
    assert.ok(arms.get("search")?.every(({ params }) => params.split === "search"));

    const statistics = report.statistics as Record<string, never>;
    const { chosen, comparisons, zero, breaks_at, accuracy } = statistics as unknown as {
      chosen: { c_k: number; c_v: number };
      comparisons: { label: string; estimate: number; low: number | null; p: number; adjusted_p: number }[];
      zero: { checked: number; changed: number; otherTexts: number };
      breaks_at: number;
      accuracy: { label: string; right: number; known: number }[];
    };
    assert.deepEqual([chosen.c_k, chosen.c_v], [1, 2], "the weaker of two strengths that do the same");
    const of = (label: string) =>
      comparisons.find((one) => one.label.startsWith(label)) ?? assert.fail(label);
    for (const label of ["steered against unsteered", "steered against random", "asked for in the prompt"]) {
      const { estimate, low, p, adjusted_p } = of(label);
      assert.ok(estimate === 100 && low === null, `${label}: differences all alike have no interval`);
      assert.ok(p === 2 / 256 && adjusted_p > p, "all 8 signs alike, corrected for several tests");
    }
    assert.equal(of("steered against asked for").estimate, 0);
    assert.deepEqual(zero, { checked: 8, changed: 0, otherTexts: 0 });
    assert.equal(breaks_at, 8);
    assert.deepEqual(accuracy.map(({ label, right, known }) => [label, right, known]), [
      ["unsteered", 8, 8],
      ["steered", 8, 8],
      ["asked for in the prompt", 8, 8],
    ]);
    assert.match(report.summary, /Chosen of 4 strengths: c_k 1, c_v 2; \+100 points and 8 of 8 coherent/);
    assert.match(report.summary, /Strength 0 changes no bit of what the model computes in 8 of 8 prompts/);
    assert.match(report.summary, /Answers break from c_v 8 on/);
    assert.match(report.figures["dose_response"]?.alt ?? "", /random vectors of the same length: at 1 0/);
    const broken = graded.filter(({ row }) => row.params["arm"] === "steered" && row.params["c_v"] === 8);
    assert.ok(broken.every(({ grade }) => grade?.validity === "degenerate"));

    await experiment.writeFiles?.(graded, { results, run: "r", plan: "p" });
    const { metadata, layers } = await readKvVectors(path);
    assert.deepEqual(JSON.parse(metadata["coefficients"] ?? ""), { c_k: 1, c_v: 2 });
    assert.equal(JSON.parse(metadata["coefficients_searched"] ?? "").search.length, 4);
    assert.deepEqual(layers.map(({ layer }) => layer), [1]);
    for (const key of ["model_sha256", "dataset_sha256", "site", "rope", "pairs", "style_sha256"]) {
      assert.ok(metadata[key], key);
    }
  });
});

Deno.test("createFactory() says so when nothing moves the model", async () => {
  await withFactory({ values: [1, 2] }, async (create) => {
    const { report } = await runIn(await create(), (row) => `It is so because ${row.params.answer}.`);
    assert.match(report.summary, /steered against unsteered: 0 points/);
    assert.match(report.summary, /steered against random vectors of the same length: 0 points/);
    assert.match(report.summary, /Answers stay coherent/);
  });
});

Deno.test("createFactory() asks the same rows again, and others when pairs, keys or strengths are others", async () => {
  const idsOf = async (settings: Partial<FactoryConfig>) => {
    const ids: string[] = [];
    await withFactory(settings, async (create) => {
      const { rows } = await runIn(await create(), (row) => `It is so because ${row.params.answer}.`);
      ids.push(...rows.filter(({ params }) => params.arm === "search").map(({ id }) => id));
    });
    return ids;
  };
  const settings = { maxQuestions: 4, values: [1] };
  const ids = await idsOf(settings);
  assert.deepEqual(await idsOf(settings), ids);
  for (const other of [{ rawKeys: true }, { form: "answers" as const }, { keys: [2] }]) {
    const others = await idsOf({ ...settings, ...other });
    assert.ok(others.every((id) => !ids.includes(id)), JSON.stringify(other));
  }
});

Deno.test("createFactory() takes questions of one's own, and refuses too few", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "q.txt");
    await Deno.writeTextFile(path, "Why?\nHow?\nWhen?\nWho?\nWhy?\n");
    await withFactory({ questions: path }, async (create) => {
      const { rows } = await create();
      assert.equal(new Set(rows.map(({ params }) => params.prompt)).size, 4);
      assert.ok(rows.every(({ params }) => params.answer === null));
      await Deno.writeTextFile(path, "Why?\nHow?\nWhen?\n");
      await assert.rejects(create(), { name: "InputError", message: /3 questions are left/ });
    });
    await Deno.writeTextFile(join(folder, "q.jsonl"), '{"question":"a?"}\n{"answer":1}\n');
    await withFactory({ questions: join(folder, "q.jsonl") }, async (create) => {
      await assert.rejects(create(), { name: "InputError", message: /line 2, is no question/ });
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
