import assert from "node:assert/strict";
import { InputError } from "../base/errors.ts";
import { loadVariants, parseVariants } from "../backends/variants.ts";
import { chooseBackends } from "./choose_backends.ts";

const api = { backend: "api", description: "x", contextWindow: 1000 };
const local = { backend: "local", description: "x", contextWindow: 1000 };
const known = parseVariants(
  JSON.stringify({
    variants: {
      tiny: { ...local, model: "./tiny" },
      big: { ...api, model: "big", baseUrl: "http://localhost:1/v1", deployment: "local" },
      "big-api": { ...api, model: "org/big", baseUrl: "https://example.com/v1" },
      alone: { ...api, model: "alone", baseUrl: "https://example.com/v1" },
      "both": { ...local, model: "./both" },
      "both-router": { ...api, model: "org/both", baseUrl: "https://example.com/v1" },
    },
  }),
  "models.json",
);

const names = (model: string, backends: string | null = null, variants: string | null = null) =>
  chooseBackends({ backends, variants }, model, known).map(({ name }) => name);

Deno.test("chooseBackends() finds both ways to a model by its kind of backend", () => {
  assert.deepEqual(names("big"), ["big-api", "big"]);
  assert.deepEqual(names("big", "local,api"), ["big", "big-api"]);
  assert.deepEqual(names("both"), ["both-router", "both"]);
  assert.deepEqual(names("tiny"), ["tiny-served", "tiny"]);
  assert.deepEqual(names("both", "served,local"), ["both-served", "both"]);
  assert.deepEqual(names("big", "local,alone"), ["big", "alone"]);
});

Deno.test("chooseBackends() takes two variants by name", () => {
  assert.deepEqual(names("pocket", null, "alone,tiny"), ["alone", "tiny"]);
  assert.deepEqual(names("pocket", "api,local", "tiny, tiny-served"), ["tiny", "tiny-served"]);
  assert.deepEqual(names("alone,big"), ["alone", "big"]);
});

Deno.test("chooseBackends() says what is missing and what to do", () => {
  const wrong: [() => unknown, RegExp][] = [
    [
      () => names("alone"),
      /no in-process variant or server of your own of alone in models\.json: add one named alone-local/,
    ],
    [() => names("nothing"), /There is no variant "nothing"/],
    [() => names("big", "api"), /--backends names 1 \(api\): give two/],
    [() => names("big", "api,local,served"), /--backends names 3/],
    [() => names("big", "served,api"), /no in-process variant of big/],
    [() => names("x", null, "tiny,tiny"), /Both backends are tiny: give two different ones/],
    [() => names("x", null, "tiny,tni"), /There is no variant "tni".*Did you mean "tiny"/],
    [() => names("x", null, "alone-served,tiny"), /There is no variant "alone-served"/],
    [() => names("tiny", "tiny,local"), /Both backends are tiny/],
  ];
  for (const [choose, message] of wrong) {
    assert.throws(choose, (error) => {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("chooseBackends() finds both backends of gpt-oss-20b and of pocket in the models.json that ships", async () => {
  const ships = await loadVariants();
  const found = (model: string) => chooseBackends({ backends: "api,local", variants: null }, model, ships);
  assert.deepEqual(found("gpt-oss-20b").map(({ name }) => name), ["gpt-oss-20b-api", "gpt-oss-20b"]);
  assert.deepEqual(found("pocket").map(({ name }) => name), ["pocket-served", "pocket"]);
});
