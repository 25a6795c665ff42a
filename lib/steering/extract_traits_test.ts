import assert from "node:assert/strict";
import { join } from "node:path";
import { inFolder } from "../base/testing/in_folder.ts";
import { parseExtractSettings } from "./extract_settings.ts";
import { extractionText } from "./extract_text.ts";
import { extractTraits, type TraitExtraction } from "./extract_traits.ts";
import { readControlVectors } from "./formats/control_vectors.ts";
import { readVector } from "./formats/vector_file.ts";
import { layoutPath, parseLayoutPath } from "./layout.ts";
import { cosine } from "./steering_vector.ts";
import { plantedPairs, withPlantedCheckpoint } from "./testing/planted_model.ts";

const PAIRS = 40;

/** A folder with a planted model, a trait of planted letters, and an experiment that uses both. */
async function withExperiment(
  use: (base: Record<string, unknown>, direction: Float64Array) => Promise<void>,
): Promise<void> {
  await withPlantedCheckpoint(async (dir, direction) => {
    await inFolder(async (folder) => {
      const trait = join(folder, "traits", "letters", "planted");
      await Deno.mkdir(trait, { recursive: true });
      const text = (ids: readonly number[]) => String.fromCharCode(...ids).trim() + "\n";
      const pairs = plantedPairs(PAIRS, 8);
      for (const side of ["positive", "negative"] as const) {
        await Deno.writeTextFile(join(trait, `${side}.txt`), pairs.map((pair) => text(pair[side])).join(""));
      }
      await Deno.mkdir(join(folder, "experiments", "letters"), { recursive: true });
      const config = { defaults: { extraction: "planted" }, model_variants: { planted: { model: dir } } };
      await Deno.writeTextFile(join(folder, "experiments", "letters", "config.json"), JSON.stringify(config));
      await use({
        experiment: "letters",
        traitsFolder: join(folder, "traits"),
        experiments: join(folder, "experiments"),
        results: join(folder, "results"),
        maxOutputTokens: 4,
      }, direction);
    });
  });
}

Deno.test("extractTraits() finds the planted direction and writes everything where the layout says", async () => {
  await withExperiment(async (base, direction) => {
    const settings = parseExtractSettings({ ...base, position: "all[:24]", gguf: "easysteer" });
    const [found] = await extractTraits(settings) as [TraitExtraction];
    assert.deepEqual(found.pairs, { train: 28, heldOut: 12, dropped: 0 });
    assert.equal(found.vectors.length, 2 * 4);
    for (const { vector, path, control } of found.vectors) {
      const random = vector.method === "random_baseline";
      const close = cosine(vector.vector, direction);
      assert.equal(
        Math.abs(close) >= 0.95,
        !random,
        `${vector.method} at layer ${vector.layer}: cosine ${close}`,
      );
      if (!random) assert.ok(control.passes, `${vector.method} at layer ${vector.layer}`);
      assert.deepEqual(await readVector(path), vector);
      assert.deepEqual(parseLayoutPath(path, settings), {
        kind: "vector_file",
        experiment: "letters",
        trait: "letters/planted",
        variant: "planted",
        position: "all[:24]",
        component: "residual",
        method: vector.method,
        layer: vector.layer,
      });
    }
    assert.equal(found.ggufs.length, 4);
    const [gguf] = await readControlVectors(found.ggufs[0] as string, {
      convention: "easysteer",
      position: "x",
    });
    assert.ok(cosine(gguf?.vector ?? [], found.vectors[0]?.vector.vector ?? []) > 0.999999);
    assert.match(extractionText(found), /residual +mean_diff +0 .* 12\/12 .* passed/);
    const responses = join(layoutPath({
      kind: "extraction_responses",
      experiment: "letters",
      trait: "letters/planted",
      variant: "planted",
    }, settings));
    const lines = (await Deno.readTextFile(join(responses, "positive.jsonl"))).trim().split("\n");
    assert.equal(lines.length, PAIRS);
  });
});

Deno.test("extractTraits() goes on where it was stopped, and does nothing twice", async () => {
  await withExperiment(async (base) => {
    const settings = parseExtractSettings({ ...base, method: "mean_diff" });
    const attempts = join(
      layoutPath({
        kind: "extraction_responses",
        experiment: "letters",
        trait: "letters/planted",
        variant: "planted",
      }, settings),
      "attempts.jsonl",
    );
    const stop = new AbortController();
    const watch = setInterval(async () => {
      const text = await Deno.readTextFile(attempts).catch(() => "");
      if (text.split("\n").length > 10) stop.abort(new Error("stopped here"));
    }, 1);
    await assert.rejects(extractTraits(settings, { signal: stop.signal }), /stopped here/);
    clearInterval(watch);
    const before = await Deno.readTextFile(attempts);
    assert.ok(before.split("\n").length < 2 * PAIRS, "it was stopped midway");
    const [first] = await extractTraits(settings) as [TraitExtraction];
    const after = await Deno.readTextFile(attempts);
    assert.ok(after.startsWith(before));
    const ids = after.trim().split("\n").map((line) => JSON.parse(line)).filter((line) => "id" in line);
    assert.equal(ids.length, 2 * PAIRS);
    assert.equal(new Set(ids.map(({ id }) => id)).size, 2 * PAIRS);
    assert.equal(first.reused, false);
    const [again] = await extractTraits(settings) as [TraitExtraction];
    assert.equal(again.reused, true);
    assert.equal(await Deno.readTextFile(attempts), after);
    assert.deepEqual(again.vectors, first.vectors);
  });
});

Deno.test("extractTraits() draws no response when the position is in the prompt", async () => {
  await withExperiment(async (base) => {
    const settings = parseExtractSettings({
      ...base,
      position: "prompt[-1]",
      method: "mean_diff",
      layers: [1],
    });
    const [found] = await extractTraits(settings) as [TraitExtraction];
    assert.equal(found.vectors.length, 1);
    const folder = layoutPath({
      kind: "extraction_responses",
      experiment: "letters",
      trait: "letters/planted",
      variant: "planted",
    }, settings);
    await assert.rejects(Deno.stat(folder), Deno.errors.NotFound);
  });
});

Deno.test("extractTraits() refuses a layer, a position, a variant and a trait that are not there", async () => {
  await withExperiment(async (base) => {
    const run = (more: Record<string, unknown>) => extractTraits(parseExtractSettings({ ...base, ...more }));
    await assert.rejects(run({ layers: [2] }), /InputError: The model has no layer 2: it has 2/);
    await assert.rejects(
      run({ position: "response[90:]" }),
      /InputError: No pair .* has a token at response\[90:\]/,
    );
    await assert.rejects(run({ modelVariant: "absent" }), /InputError: .*absent.*planted/);
    await assert.rejects(run({ traits: "letters/absent" }), /InputError: .*Traits: letters\/planted/);
    await assert.rejects(run({ traits: "../escape" }), { name: "InputError" });
    assert.throws(() => parseExtractSettings({ ...base, method: "magic" }), { name: "InputError" });
    assert.throws(() => parseExtractSettings({ ...base, position: "end" }), { name: "InputError" });
  });
});
