import assert from "node:assert/strict";
import fc from "fast-check";
import { layoutPath, type LayoutPlace, parseLayoutPath } from "../layout.ts";
import { type MigrationNames, planMigration } from "./plan_migration.ts";

const names: MigrationNames = {
  variants: new Set(["base", "instruct"]),
  extraction: "base",
  application: "instruct",
  position: "response_all",
};
const to = (path: string, others: readonly string[] = []) =>
  planMigration([path, ...others], names).moves.find(({ from }) => from === path)?.to;

for (
  const [from, expected] of [
    ["extraction/t/responses/pos.json", "extraction/t/base/responses/pos.json"],
    [
      "extraction/rm_hack/ulterior_motive/vectors/response__5/residual/probe/layer3.pt",
      "extraction/rm_hack/ulterior_motive/base/vectors/response__5/residual/probe/layer3.pt",
    ],
    ["extraction/t/base/responses/pos.json", "extraction/t/base/responses/pos.json"],
    ["extraction/t/instruct/vectors/x", "extraction/t/instruct/vectors/x"],
    ["extraction/summary.json", "extraction/summary.json"],
    ["steering/t/response__5/results.json", "steering/t/instruct/response__5/steering/results.json"],
    [
      "steering/a/b/response__5/responses/residual/L3_c1.json",
      "steering/a/b/instruct/response__5/steering/responses/residual/L3_c1.json",
    ],
    ["steering/t/base/response__5/results.json", "steering/t/base/response__5/steering/results.json"],
    ["steering/t/response__5/set/results.json", "steering/t/instruct/response__5/set/results.json"],
    [
      "steering/t/instruct/response__5/set/results.jsonl",
      "steering/t/instruct/response__5/set/results.jsonl",
    ],
    ["steering/t/results.json", "steering/t/instruct/response_all/steering/results.json"],
    [
      "steering/t/responses/baseline.json",
      "steering/t/instruct/response_all/steering/responses/baseline.json",
    ],
    ["inference/raw/set/1.pt", "inference/instruct/raw/set/1.pt"],
    ["inference/responses/set/1.json", "inference/instruct/responses/set/1.json"],
    ["inference/projections/a/b/set/1.json", "inference/instruct/projections/a/b/set/1.json"],
    ["inference/base/raw/set/1.pt", "inference/base/raw/set/1.pt"],
    ["inference/stranger/raw/set/1.pt", "inference/stranger/raw/set/1.pt"],
    ["notes.md", "notes.md"],
  ] as const
) {
  Deno.test(`planMigration() puts ${from} at ${expected}`, () => assert.equal(to(from), expected));
}

Deno.test("planMigration() takes along what else lies in a trait's folder, and leaves a trait inside it to itself", () => {
  const files = [
    "extraction/a/responses/x",
    "extraction/a/notes.txt",
    "extraction/a/b/vectors/y",
    "extraction/a/b/z",
  ];
  assert.deepEqual(planMigration(files, names).moves.map((move) => move.to), [
    "extraction/a/b/base/vectors/y",
    "extraction/a/b/base/z",
    "extraction/a/base/notes.txt",
    "extraction/a/base/responses/x",
  ]);
});

const word = fc.constantFrom(
  "a",
  "b",
  "c",
  "raw",
  "responses",
  "vectors",
  "base",
  "instruct",
  "response__5",
  "steering",
);
const path = fc.tuple(
  fc.constantFrom("extraction", "steering", "inference", "other"),
  fc.array(word, { minLength: 0, maxLength: 6 }),
  fc.constantFrom("f.json", "results.json", "results.jsonl", "baseline.json", "x.pt"),
).map(([area, folders, file]) => [area, ...folders, file].join("/"));

Deno.test("planMigration() moves every file of any tree once, to a place that it then leaves alone", () => {
  fc.assert(
    fc.property(fc.uniqueArray(path, { maxLength: 30 }), (files) => {
      const { moves } = planMigration(files, names);
      assert.deepEqual(moves.map(({ from }) => from), [...files].sort());
      for (const move of moves) {
        assert.equal(move.to.split("/").at(-1), move.from.split("/").at(-1));
        // Levels are added and none is taken away.
        let at = 0;
        for (const part of move.to.split("/")) if (part === move.from.split("/")[at]) at++;
        assert.equal(at, move.from.split("/").length, `${move.from} -> ${move.to}`);
      }
      const places = moves.map(({ to }) => to);
      if (new Set(places).size < places.length) return; // a clash, which is refused
      const again = planMigration(places, names).moves;
      assert.deepEqual(again.map(({ to }) => to), again.map(({ from }) => from));
    }),
    { numRuns: 2000 },
  );
});

const segment = fc.constantFrom("a", "b", "gpt-2", "set_1");
const trait = fc.array(segment, { minLength: 1, maxLength: 3 }).map((list) => list.join("/"));
const position = fc.constantFrom("response[:5]", "response[1:3]", "prompt[-1]", "all[:]");
const shared = {
  experiment: fc.constant("e"),
  variant: fc.constantFrom("base", "instruct"),
  trait,
  position,
};
const component = fc.constantFrom("residual", "attn_out");
const places = fc.oneof(
  fc.record({
    kind: fc.constant("vector_file"),
    ...shared,
    component,
    method: fc.constant("probe"),
    layer: fc.nat(40),
  }),
  fc.record({ kind: fc.constant("steering_results_file"), ...shared, promptSet: fc.constant("steering") }),
  fc.record({ kind: fc.constant("steering_baseline_file"), ...shared, promptSet: fc.constant("steering") }),
) as fc.Arbitrary<LayoutPlace & { readonly variant: string }>;

Deno.test("planMigration() puts files of the layout without its variant where the layout has them", () => {
  fc.assert(fc.property(fc.array(places, { minLength: 1, maxLength: 12 }), (places) => {
    const wanted = places.map((place) => ({
      ...place,
      variant: place.kind === "vector_file" ? "base" : "instruct",
    }));
    const whole = [...new Set(wanted.map((place) => layoutPath(place).slice("results/e/".length)))];
    const older = whole.map((path) => path.replace(/\/(base|instruct)\//, "/").replace("/steering/r", "/r"));
    const { moves } = planMigration([...new Set(older)], names);
    assert.deepEqual(moves.map(({ to }) => to).sort(), whole.sort());
    for (const { to } of moves) assert.notEqual(parseLayoutPath(`results/e/${to}`), null);
  }));
});
