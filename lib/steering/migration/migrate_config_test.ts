import assert from "node:assert/strict";
import { migrateConfig } from "./migrate_config.ts";

const migrated = (config: unknown, variant: string | null = null) =>
  migrateConfig(JSON.stringify(config), "c.json", variant);

Deno.test("migrateConfig() makes base and instruct of two models", () => {
  assert.deepEqual(
    migrated({ extraction_model: "a/b", application_model: "a/b-it", application_lora: "l" }),
    {
      defaults: { extraction: "base", application: "instruct" },
      model_variants: { base: { model: "a/b" }, instruct: { model: "a/b-it", lora: "l" } },
    },
  );
});

for (
  const [config, variant, expected] of [
    [{ model: "a/b" }, null, "base"],
    [{ model: "a/b-Instruct" }, null, "instruct"],
    [{ extraction_model: "a/b-it", application_model: "a/b-it" }, null, "instruct"],
    [{ application_model: "a/b" }, null, "base"],
    [{ model: "a/b", lora: "l" }, "tuned", "tuned"],
  ] as const
) {
  Deno.test(`migrateConfig() calls the one model of ${JSON.stringify(config)} ${expected} when ${variant} is asked for`, () => {
    const { defaults, model_variants } = migrated(config, variant);
    assert.deepEqual(defaults, { extraction: expected, application: expected });
    assert.deepEqual(Object.keys(model_variants), [expected]);
  });
}

Deno.test("migrateConfig() leaves today's form as it is", () => {
  const config = {
    defaults: { extraction: "base", application: "tuned" },
    model_variants: { base: { model: "a/b" }, tuned: { model: "a/b", lora: "l" } },
  };
  assert.deepEqual(migrated(config), config);
  assert.deepEqual(migrated(config, "tuned"), config);
});

for (
  const [what, text, variant] of [
    ["it is not JSON", "{", null],
    ["it names no model", "{}", null],
    ["it is a list", "[]", null],
    ["a model is a number", '{"model": 3}', null],
    [
      "the default is none of its variants",
      '{"defaults":{"extraction":"x"},"model_variants":{"a":{"model":"m"}}}',
      null,
    ],
    ["a variant's name would leave its folder", '{"model_variants":{"../a":{"model":"m"}}}', null],
    ["the variant asked for is none of two", '{"extraction_model":"a","application_model":"b"}', "tuned"],
  ] as const
) {
  Deno.test(`migrateConfig() refuses a configuration when ${what}`, () => {
    assert.throws(() => migrateConfig(text, "c.json", variant), (error: Error) => {
      assert.equal(error.name, "InputError");
      assert.match(error.message, /c\.json/);
      return true;
    });
  });
}
