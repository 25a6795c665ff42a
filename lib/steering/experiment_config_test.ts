import assert from "node:assert/strict";
import { join } from "node:path";
import { openSteerable } from "../backends/steerable.ts";
import { withCheckpoint } from "../engine/testing/with_checkpoint.ts";
import {
  type ConfigOptions,
  getDefaultVariant,
  getModelVariant,
  listModelVariants,
  loadExperimentConfig,
} from "./experiment_config.ts";

const MODELS = {
  variants: {
    pocket: { backend: "local", description: "d", model: "./pocket", contextWindow: 100 },
    served: {
      backend: "api",
      description: "d",
      model: "base-model",
      baseUrl: "http://127.0.0.1:1/v1",
      contextWindow: 100,
    },
  },
};

async function withConfig(
  config: unknown,
  use: (options: Required<ConfigOptions>, write: (config: unknown) => Promise<void>) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    const options = { experiments: join(dir, "experiments"), models: join(dir, "models.json") };
    await Deno.writeTextFile(options.models, JSON.stringify(MODELS));
    const write = async (content: unknown) => {
      await Deno.mkdir(join(options.experiments, "mine"), { recursive: true });
      const text = typeof content === "string" ? content : JSON.stringify(content);
      await Deno.writeTextFile(join(options.experiments, "mine", "config.json"), text);
    };
    if (config !== null) await write(config);
    await use(options, write);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const CONFIG = {
  defaults: { extraction: "base", application: "rm_lora" },
  model_variants: {
    base: { model: "pocket" },
    rm_lora: { model: "pocket", lora: "./adapter", dtype: "q8" },
    hub: { model: "OWNER/NAME", lora: "OWNER/ADAPTER" },
    served_lora: { model: "served", lora: "my-adapter" },
  },
};

Deno.test("getModelVariant() gives the experiment's variants, then those of models.json", async () => {
  await withConfig(CONFIG, async (options) => {
    assert.deepEqual(await listModelVariants("mine", options), [
      ...["base", "rm_lora", "hub", "served_lora"],
      ...["pocket", "served"],
    ]);
    assert.equal(await getDefaultVariant("mine", "extraction", options), "base");
    assert.equal(await getDefaultVariant("mine", "application", options), "rm_lora");
    const base = await getModelVariant("mine", null, "extraction", options);
    assert.deepEqual([base.name, base.backend, base.contextWindow], ["base", "local", 100]);
    const tuned = await getModelVariant("mine", undefined, "application", options);
    assert.ok(tuned.backend === "local");
    assert.equal(tuned.loraFolder, join(options.experiments, "mine", "adapter"));
    assert.equal(tuned.folder, join(options.models, "..", "pocket"));
    assert.equal(tuned.dtype, "q8");
    const hub = await getModelVariant("mine", "hub", "application", options);
    assert.ok(hub.backend === "local" && hub.folder === null && hub.lora === "OWNER/ADAPTER");
    assert.equal(hub.model, "OWNER/NAME");
    const served = await getModelVariant("mine", "served_lora", "application", options);
    assert.ok(served.backend === "api" && served.model === "my-adapter" && served.lora === "my-adapter");
    assert.equal((await getModelVariant("mine", "pocket", "application", options)).name, "pocket");
  });
});

Deno.test("getModelVariant() lists the variants that exist when one is missing", async () => {
  await withConfig(CONFIG, async (options) => {
    await assert.rejects(getModelVariant("mine", "rm_lore", "application", options), {
      name: "InputError",
      message:
        /no model variant "rm_lore".*Did you mean "rm_lora"\? Variants: base, rm_lora, hub, served_lora, pocket, served\./s,
    });
  });
});

Deno.test("loadExperimentConfig() is models.json alone without a config.json, and is read again when it changes", async () => {
  await withConfig(null, async (options, write) => {
    const before = await loadExperimentConfig("mine", options);
    assert.deepEqual([before.path, before.defaults.extraction], [null, "pocket"]);
    assert.equal(await loadExperimentConfig("mine", options), before, "cached");
    await write({ model_variants: { only: { model: "pocket" } } });
    const { defaults } = await loadExperimentConfig("mine", options);
    assert.deepEqual(defaults, { extraction: "only", application: "only" });
  });
});

Deno.test("loadExperimentConfig() names what is wrong", async () => {
  const wrong: [unknown, RegExp][] = [
    ["{", /not JSON/],
    [{ ...CONFIG, defaults: { extraction: "nobody" } }, /default for extraction, nobody/],
    [{ model_variants: { "../x": { model: "pocket" } } }, /model_variants/],
    [{ model_variants: { a: { modle: "pocket" } } }, /modle/],
  ];
  for (const [config, message] of wrong) {
    await withConfig(config, async (options) => {
      await assert.rejects(loadExperimentConfig("mine", options), { name: "InputError", message });
    });
  }
  await assert.rejects(loadExperimentConfig("../outside"), { name: "InputError" });
});

Deno.test("getModelVariant() gives a checkpoint folder that runs, with its own window", async () => {
  await withCheckpoint({ window: 128 }, async (folder) => {
    await withConfig({ model_variants: { tiny: { model: folder } } }, async (options) => {
      const variant = await getModelVariant("mine", "tiny", "extraction", options);
      assert.equal(variant.contextWindow, 128);
      await using model = await openSteerable(variant);
      const ids = model.promptIds([{ role: "user", content: "Hi" }]);
      const { captured } = await model.decoder.forward(ids, { capture: ["residual.1"] });
      assert.equal(captured["residual.1"]?.length, ids.length * model.decoder.hiddenSize);
    });
  });
});
