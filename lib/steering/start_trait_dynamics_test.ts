import assert from "node:assert/strict";
import { join } from "node:path";
import { openSteerable } from "../backends/steerable.ts";
import { getModelVariant } from "./experiment_config.ts";
import { layoutPath } from "./layout.ts";
import { projectText, readProjection } from "./project_traits.ts";
import { movingAverage, projectTokens, velocity } from "./projection.ts";
import { captureRaw, readRaw } from "./raw_activations.ts";
import { startTraitDynamics, type TraitDynamics } from "./start_trait_dynamics.ts";
import { unitVector } from "./steering_vector.ts";
import { type PlantedExperiment, withPlantedExperiment } from "./testing/planted_experiment.ts";

const PROMPTS = ["AAA BBB efghe", "WWW XXX efghe", "efghefghefgh"];

async function dynamics(
  { folder, settings }: PlantedExperiment,
  more: Record<string, unknown> = {},
): Promise<readonly TraitDynamics[]> {
  const promptSet = join(folder, "letters.txt");
  await Deno.writeTextFile(promptSet, PROMPTS.join("\n"));
  const run = await startTraitDynamics({
    ...settings,
    traits: "planted",
    promptSet,
    position: "prompt[:]",
    layers: "0",
    maxOutputTokens: 8,
    ...more,
  }, { log: () => {} });
  return await run.read() ?? assert.fail("stopped");
}

Deno.test("projectTokens() gives h.v, |h| and cosine, whatever the vector's length", () => {
  const h = Float32Array.of(3, 4, 0, 0, -2, 0);
  for (const scale of [1, 7]) {
    assert.deepEqual(projectTokens(h, Float32Array.of(scale, 0)), [
      { projection: 3, norm: 5, cosine: 0.6 },
      { projection: 0, norm: 0, cosine: null },
      { projection: -2, norm: 2, cosine: -1 },
    ]);
  }
});

Deno.test("movingAverage() and velocity() follow what is known", () => {
  assert.deepEqual(movingAverage([1, 3, null, 5], 2), [1, 2, 3, 5]);
  assert.deepEqual(movingAverage([null, 2]), [null, 2]);
  assert.deepEqual(movingAverage([1, 2, 3, 4, 5, 6])[5], 4);
  assert.deepEqual(velocity([1, 4, null, 2, 1]), [null, 3, null, null, -1]);
});

Deno.test("startTraitDynamics() sees planted letters lean towards the trait, and the others away from it", () =>
  withPlantedExperiment(async (planted) => {
    const [found] = await dynamics(planted);
    assert.equal(found?.trait, "planted");
    assert.deepEqual(Object.keys(found?.figures ?? {}), [
      "dynamics_1",
      "dynamics_2",
      "dynamics_3",
      "variants",
    ]);
    const folder = found?.projections["tiny"] as string;
    const { results } = planted.settings;
    assert.equal(
      folder,
      layoutPath({
        kind: "projections",
        experiment: "planted",
        variant: "tiny",
        trait: "planted",
        promptSet: "letters",
      }, {
        results,
      }),
    );
    const cosines = async (id: string, letters: string) => {
      const { tokens, vectors } = await readProjection(folder, id);
      const { cosine, projection, norm } = vectors[0] ?? assert.fail("no vector");
      for (const [i, value] of cosine.entries()) {
        assert.ok(Math.abs((value ?? NaN) - (projection[i] ?? NaN) / (norm[i] ?? NaN)) < 1e-5);
      }
      return tokens.flatMap((token, i) => letters.includes(token) ? cosine[i] ?? [] : []);
    };
    const [along, against] = [await cosines("1", "AB"), await cosines("2", "WX")];
    assert.ok(along.length >= 6 && against.length >= 6);
    assert.ok(Math.min(...along) > Math.max(...against), `${along} ${against}`);

    const raw = layoutPath({ kind: "raw", experiment: "planted", variant: "tiny", promptSet: "letters" }, {
      results,
    });
    const before = (await Deno.stat(join(raw, "1.safetensors"))).mtime;
    assert.deepEqual((await dynamics(planted))[0]?.report.summary, found?.report.summary);
    assert.deepEqual((await Deno.stat(join(raw, "1.safetensors"))).mtime, before, "captured once");
  }));

Deno.test("startTraitDynamics() lets variants read one's responses, and agrees where they are the same model", () =>
  withPlantedExperiment(async (planted) => {
    const [found] = await dynamics(planted, { modelVariant: "tiny,twin", responsesFrom: "tiny" });
    const statistics = found?.report.statistics as unknown as {
      curves: { label: string }[];
      comparisons: { label: string; estimate: number; p: number }[];
    };
    assert.deepEqual(statistics.curves.map(({ label }) => label), ["tiny", "twin (responses of tiny)"]);
    assert.equal(statistics.comparisons[0]?.label, "twin minus tiny");
    assert.equal(statistics.comparisons[0]?.estimate, 0);
    assert.match(found?.projections["twin"] ?? "", /letters@tiny$/);
    assert.equal((await readProjection(found?.projections["twin"] ?? "", "1")).responses_from, "tiny");
  }));

Deno.test("captureRaw() keeps exactly what forward() gives, adds sites, and takes a damaged file anew", () =>
  withPlantedExperiment(async ({ folder, settings: { experiment, experiments } }) => {
    const variant = await getModelVariant(experiment, null, "extraction", { experiments });
    await using model = await openSteerable(variant);
    const texts = [{ id: "a", prompt: "ABé", response: "C日D" }];
    const target = join(folder, "raw");
    assert.equal(await captureRaw(model, texts, { sites: ["residual.0"], folder: target }), 1);
    assert.equal(await captureRaw(model, texts, { sites: ["residual.0"], folder: target }), 0);
    assert.equal(await captureRaw(model, texts, { sites: ["mlp_out.1"], folder: target }), 1);
    const raw = await readRaw(target, "a", ["residual.0", "mlp_out.1"]);
    const { captured } = await model.decoder.forward(raw.ids, { capture: ["residual.0", "mlp_out.1"] });
    assert.deepEqual({ ...raw.activations }, { ...captured });
    assert.deepEqual(
      raw.ids.slice(0, raw.responseStart),
      model.promptIds([{ role: "user", content: "ABé" }]),
    );
    assert.equal(raw.tokens.join(""), model.decoder.decode(raw.ids));
    assert.equal(raw.tokens.slice(raw.responseStart).join(""), "C日D");

    const path = join(target, "a.safetensors");
    await Deno.writeFile(path, (await Deno.readFile(path)).slice(0, -40));
    await assert.rejects(readRaw(target, "a", ["residual.0"]), { name: "InputError" });
    assert.equal(await captureRaw(model, texts, { sites: ["residual.0"], folder: target }), 1);
    const origin = {
      component: "residual",
      layer: 0,
      position: "all[:]",
      method: "mean_diff",
      metadata: {},
    } as const;
    const narrow = unitVector(origin, [1, 2]);
    const whole = await readRaw(target, "a", ["residual.0"]);
    const about = { trait: "t", variant: "tiny", responses_from: null };
    assert.throws(() => projectText(whole, [narrow], about), {
      name: "InputError",
      message: /another model/,
    });
  }));
