/** The factory from pairs to files: on the embedded model, and with a teacher whose answers are known. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { loadVariants } from "../backends/variants.ts";
import { planRuns } from "../runs/plan_runs.ts";
import { finishedResults } from "../runs/sequence.ts";
import {
  factoryConfigSchema,
  readFactoryFile,
  targetVariants,
  variantNamed,
  withFactoryFile,
} from "./factory_config.ts";
import { readKvVectors } from "./kv_vectors.ts";
import { makeVectors, planVectors, vectorsText } from "./make_vectors.ts";
import { readPairs } from "./pairs.ts";
import { startSteeringFactory, steeringFactoryKind } from "./start_steering_factory.ts";
import { pairsSettings, startSteeringPairs, steeringPairsKind } from "./start_steering_pairs.ts";

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const quiet = { log: () => {} };
const small = {
  test: true,
  styles: "step_by_step_reasoning",
  maxPairs: 4,
  maxQuestions: 4,
  values: [2],
  maxOutputTokens: 10,
};

Deno.test("startSteeringFactory() goes from pairs to a report on the embedded model, and sends nothing twice", async () => {
  await withFolder(async (results) => {
    const settings = { ...small, results };
    const [planned] = await planRuns(steeringFactoryKind, settings);
    assert.match(planned?.text ?? "", /4 that ship/);
    assert.deepEqual([...Deno.readDirSync(results)], [], "a plan writes nothing");
    const run = async () =>
      finishedResults(await (await startSteeringFactory(settings, quiet)).done)[0] ?? assert.fail();
    const first = await run();
    assert.equal(first.error, null);
    assert.equal(first.rows.length, 4 + 2 + 2 + 2 + 2 + 2);
    assert.match(
      first.report?.summary ?? "",
      /Strength 0 changes no bit of what the model computes in 2 of 2 prompts/,
    );
    const folder = join(results, "test_steering_vectors", "pocket");
    const { metadata } = await readKvVectors(join(folder, "step_by_step_reasoning.safetensors"));
    assert.deepEqual(JSON.parse(metadata["coefficients"] ?? ""), { c_k: 1, c_v: 2 });
    const template = JSON.parse(
      await Deno.readTextFile(join(folder, "step_by_step_reasoning_template.json")),
    );
    assert.deepEqual(template.application.layers, [3, 4, 5, 6]);
    const attempts = () => Deno.readTextFileSync(first.files.attempts);
    const before = attempts();
    assert.deepEqual((await run()).report?.summary, first.report?.summary);
    assert.equal(attempts(), before);
  });
});

Deno.test("startSteeringPairs() has a teacher make pairs, once, of which vectors are made", async () => {
  await withFolder(async (results) => {
    const settings = { ...small, maxPairs: 30, maxOutputTokens: 200, teacher: "simulated", results };
    assert.match(await planVectors(settings), /60 planned[^]*pairs to be made by simulated first/);
    const [plan] = await planRuns(steeringFactoryKind, settings);
    assert.match(plan?.text ?? "", /to be made by simulated first/);
    assert.deepEqual([...Deno.readDirSync(results)], [], "plans write nothing");
    const pairing = await startSteeringPairs(settings, quiet) ?? assert.fail("there are pairs to make");
    const [made] = finishedResults(await pairing.done);
    assert.match(made?.report?.summary ?? "", /pairs by simulated; left out/);
    const path = join(results, "test_steering_vectors", "datasets", "step_by_step_reasoning_pairs.jsonl");
    const { pairs } = await readPairs(path);
    assert.ok(pairs.length >= 10 && pairs.length <= 30, `${pairs.length} pairs`);
    assert.ok(pairs.some((pair) => "positive" in pair && pair.positive.startsWith("Step 1:")));
    assert.equal(await startSteeringPairs(settings, quiet), null, "the pairs are there");
    const [vectors] = await makeVectors(settings, quiet);
    assert.ok(vectors?.extracted && vectors.vectors.metadata["pairs"] === `${pairs.length}`);
    assert.match(vectorsText(vectors), /layer 3: length of the key/);
    assert.equal((await makeVectors(settings, quiet))[0]?.extracted, false);
    const anew = join(results, "anew.yaml");
    await Deno.writeTextFile(anew, "regenerate_datasets: true\napi_delay: 0.5\n");
    const again = await pairsSettings({ ...settings, config: anew });
    assert.equal(again?.["requestsPerMinute"], 120);
  });
});

Deno.test("the factory's settings come from flags, then from the YAML file", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "settings.yaml");
    const file = `teacher_model: gpt-4o-mini-2024-07-18
target_model: pocket
device: cpu
load_in_8bit: true
api_delay: 2
additional_questions: [Why not?]
styles: [creative_explorer]
target_layers: [1, 2]
`;
    await Deno.writeTextFile(path, file);
    const config = withFactoryFile(factoryConfigSchema.parse({ config: path, layers: "3" }));
    assert.deepEqual([config.styles, config.layers, config.teacher], [
      "creative_explorer",
      "3",
      "gpt-4o-mini-2024-07-18",
    ]);
    const known = await loadVariants();
    assert.equal(variantNamed(known, config.teacher ?? "").name, "gpt-4o-mini");
    const [target] = await targetVariants(config, "simulated", known);
    assert.ok(target?.backend === "local" && target.name === "pocket" && target.dtype === "q8");
    for (
      const [wrong, message] of [
        ["teacher: x\n", /teacher/],
        ["api_delay: -1\n", /api_delay/],
        ["device: tpu\n", /device/],
        ["a: [\n", /Cannot read/],
      ] as const
    ) {
      await Deno.writeTextFile(path, wrong);
      assert.throws(() => readFactoryFile(path), { name: "InputError", message });
    }
    assert.deepEqual(readFactoryFile(null).additional_questions, []);
  });
});

Deno.test("the factory refuses what it cannot do before anything is written", async () => {
  await withFolder(async (results) => {
    const wrong: [Record<string, unknown>, RegExp][] = [
      [{ model: "simulated" }, /cannot be read or steered/],
      [{ modelVariant: "nobody" }, /no variant for the model "nobody"/],
      [{ styles: "plain_style" }, /no style "plain_style"/],
      [{ form: "other" }, /form/],
      [{ pairs: results }, /no file of pairs/],
      [{ layers: "9" }, /no layer 9/],
    ];
    for (const [settings, message] of wrong) {
      const asked = async () => {
        const run = await startSteeringFactory({ ...small, results, ...settings }, quiet);
        const [{ error }] = await run.done as never as [{ error: Error | null }];
        if (error !== null) throw error;
      };
      await assert.rejects(asked, { name: "InputError", message }, JSON.stringify(settings));
    }
    assert.throws(() => steeringPairsKind.parse({ nonsense: 1 }), {
      name: "InputError",
      message: /nonsense/,
    });
  });
});
