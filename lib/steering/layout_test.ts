import assert from "node:assert/strict";
import fc from "fast-check";
import { layoutPath, type LayoutPlace, parseLayoutPath } from "./layout.ts";
import { METHODS } from "./methods.ts";
import { positionText } from "./position.ts";
import { COMPONENTS } from "./site.ts";

const WORDS = ["a", "raw", "responses", "vectors", "activations", "projections", "inference", "extraction"];
const segment = fc.oneof(
  fc.constantFrom(
    ...WORDS,
    "steering",
    "residual",
    "mean_diff",
    "layer3",
    "all",
    "response",
    "gpt-oss-20b",
    "qwen2.5",
  ),
  fc.stringMatching(/^[A-Za-z0-9_+=@][A-Za-z0-9_+=@-]{0,20}$/).filter((text) =>
    !/^(prompt|response|all)_/.test(text)
  ),
);
const trait = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join("/"));
const edge = fc.option(fc.integer({ min: -99, max: 99 }));
const position = fc.oneof(
  fc.record({
    frame: fc.constantFrom("prompt", "response", "all"),
    index: fc.integer({ min: -99, max: 99 }),
  }),
  fc.record({ frame: fc.constantFrom("prompt", "response", "all"), start: edge, end: edge }),
).map((one) => positionText(one as Parameters<typeof positionText>[0]));

const owner = { experiment: segment, variant: segment };
const site = { ...owner, trait, position, component: fc.constantFrom(...COMPONENTS) };
const run = { ...owner, trait, position, promptSet: segment };
const method = fc.constantFrom(...METHODS);
const layer = fc.nat(9999);
const builders: Readonly<Record<LayoutPlace["kind"], Record<string, fc.Arbitrary<unknown>>>> = {
  extraction_responses: { ...owner, trait },
  activations: site,
  vectors: { ...site, method },
  vector_file: { ...site, method, layer },
  steering: run,
  steering_results_file: run,
  steering_baseline_file: run,
  steering_response_file: {
    ...run,
    component: fc.constantFrom(...COMPONENTS),
    method,
    layers: fc.uniqueArray(layer, { minLength: 1, maxLength: 4 }).map((list) => list.sort((a, b) => a - b)),
    coef: fc.double({ noNaN: true, noDefaultInfinity: true }).map((coef) => coef === 0 ? 0 : coef),
    time: fc.date({ min: new Date(0), max: new Date("9999-12-31T23:59:59.999Z"), noInvalidDate: true }),
  },
  raw: { ...owner, promptSet: segment },
  inference_responses: { ...owner, promptSet: segment },
  projections: { ...owner, trait, promptSet: segment },
};

for (const [kind, fields] of Object.entries(builders)) {
  Deno.test(`parseLayoutPath() reads back every ${kind} that layoutPath() builds`, () => {
    const place = fc.record({ kind: fc.constant(kind), ...fields }, { noNullPrototype: true });
    fc.assert(
      fc.property(place, fc.constantFrom("results", "some/where", "/tmp/elsewhere"), (given, results) => {
        const path = layoutPath(given as LayoutPlace, { results });
        assert.deepEqual(parseLayoutPath(path, { results }), given);
      }),
      { numRuns: 400 },
    );
  });
}

Deno.test("layoutPath() gives the paths that the layout names", () => {
  const run = {
    experiment: "e",
    trait: "rm_hack/ulterior_motive",
    variant: "instruct",
    position: "response[:5]",
  } as const;
  assert.equal(
    layoutPath({ ...run, kind: "vectors", component: "residual", method: "probe" }),
    "results/e/extraction/rm_hack/ulterior_motive/instruct/vectors/response__5/residual/probe",
  );
  const time = new Date("2026-01-31T10:15:00.250Z");
  assert.equal(
    layoutPath({
      ...run,
      kind: "steering_response_file",
      promptSet: "steering",
      component: "residual",
      method: "mean_diff",
      layers: [12],
      coef: -0.5,
      time,
    }),
    "results/e/steering/rm_hack/ulterior_motive/instruct/response__5/steering/responses/residual/mean_diff/" +
      "L12_c-0.5_2026-01-31T10-15-00-250Z.json",
  );
  assert.equal(
    layoutPath({ ...run, kind: "projections", promptSet: "test" }),
    "results/e/inference/instruct/projections/rm_hack/ulterior_motive/test",
  );
});

for (
  const name of [
    "",
    ".",
    "..",
    "../x",
    "a/../../x",
    "/etc",
    "a//b",
    "a/",
    ".hidden",
    "-rf",
    "a b",
    "a\0",
    "a\\b",
    "response_all",
    "x.json",
    "é",
  ]
) {
  Deno.test(`layoutPath() refuses the trait ${JSON.stringify(name)}`, () => {
    assert.throws(
      () => layoutPath({ kind: "extraction_responses", experiment: "e", variant: "v", trait: name }),
      (error: Error) => error.name === "InputError" && error.message.includes(JSON.stringify(name)),
    );
  });
}

Deno.test("layoutPath() refuses names of experiments, variants and prompt sets that leave their folder", () => {
  const place = { kind: "raw", experiment: "e", variant: "v", promptSet: "p" } as const;
  for (const bad of ["..", "a/b", "", "a/../b"]) {
    for (const field of ["experiment", "variant", "promptSet"]) {
      assert.throws(() => layoutPath({ ...place, [field]: bad }), { name: "InputError" }, `${field} ${bad}`);
    }
  }
});

for (
  const path of [
    "results",
    "results/e/extraction/t/responses",
    "results/e/extraction/t/v/vectors/response_5/residual/probe/x",
    "results/e/extraction/t/v/vectors/response[:5]/residual/probe",
    "results/e/extraction/t/v/vectors/response__5/residual/magic",
    "results/e/steering/t/v/response__5",
    "results/e/steering/t/response__5/steering/results.jsonl",
    "results/e/inference/raw/test",
    "other/e/inference/v/raw/test",
    "results/e/extraction/../v/responses",
  ]
) {
  Deno.test(`parseLayoutPath() gives null for ${path}`, () => assert.equal(parseLayoutPath(path), null));
}
