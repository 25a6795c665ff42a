import assert from "node:assert/strict";
import { factoryConfigSchema, withFactoryFile } from "./factory_config.ts";

const chosen = (settings: Record<string, unknown>) => {
  const { form, token, mark } = withFactoryFile(factoryConfigSchema.parse(settings));
  return [form, token, mark];
};

Deno.test("withFactoryFile() reads prompts where vectors are added, and answers that somebody wrote at their ends", () => {
  assert.deepEqual(chosen({}), ["instructions", -2, ""]);
  assert.deepEqual(chosen({ teacher: "simulated" }), ["answers", -1, ""]);
  assert.deepEqual(chosen({ pairs: "mine" }), ["answers", -1, ""]);
});

Deno.test("withFactoryFile() takes form and token as they are given, and marks files that are not the default's", () => {
  assert.deepEqual(chosen({ form: "answers", rawKeys: true }), ["answers", -1, "_answers_raw"]);
  assert.deepEqual(chosen({ form: "examples", token: -1 }), ["examples", -1, "_examples"]);
  assert.deepEqual(chosen({ teacher: "simulated", form: "instructions" }), [
    "instructions",
    -2,
    "_instructions",
  ]);
});
