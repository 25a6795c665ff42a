import assert from "node:assert/strict";
import type { Validity } from "../runs/experiment.ts";
import { holm } from "../stats/holm.ts";
import { mcnemarExact } from "../stats/mcnemar_exact.ts";
import { type ComparedRow, type ComparedRun, compareVariants } from "./compare_variants.ts";
import { comparisonPanels } from "./comparison_panels.ts";
import { comparisonReport } from "./comparison_report.ts";

/** A run of `n` rows at each length; `classOf` says what became of a row. */
function run(
  variant: string,
  classOf: (length: number, i: number) => Validity | null,
  options: { lengths?: number[]; n?: number; condition?: string | null; cluster?: (i: number) => string } =
    {},
): ComparedRun {
  const { lengths = [1000, 2000], n = 10, condition = null, cluster = String } = options;
  const rows = lengths.flatMap((length) =>
    Array.from({ length: n }, (_, i): ComparedRow => {
      const validity = classOf(length, i);
      return {
        key: `${length}/${i}`,
        length,
        condition,
        cluster: `${length}/${cluster(i)}`,
        skip: validity === null ? "window" : null,
        validity,
        correct: validity === "correct",
      };
    })
  );
  return { variant, simulated: variant === "sim", rows };
}

Deno.test("compareVariants() pairs the rows that ask the same, and corrects over all pairs", () => {
  const good = run("good", () => "correct");
  const half = run("half", (_, i) => i % 2 === 0 ? "correct" : "wrong");
  const bad = run("bad", (_, i) => i === 0 ? "correct" : "wrong");
  const [only] = compareVariants([good, half, bad], { unit: "tokens" });
  assert.deepEqual(only?.pairs.map(({ first, second }) => `${first} ${second}`), [
    "good half",
    "good bad",
    "half bad",
  ]);
  const tests = only?.pairs.map(({ raw }) => raw) ?? [];
  assert.deepEqual(tests.map((test) => test?.counts.firstOnly), [10, 18, 8]);
  const ps = [mcnemarExact(10, 0), mcnemarExact(18, 0), mcnemarExact(8, 0)];
  assert.deepEqual(tests.map((test) => test?.mcnemarP), ps);
  assert.deepEqual(tests.map((test) => test?.mcnemarHolmP), holm(ps));
  assert.deepEqual(tests.map((test) => test?.holmP), holm(tests.map((test) => test?.p ?? 1)));
  assert.equal(only?.variants[1]?.audit.raw.estimate, 0.5);
  assert.deepEqual(only?.variants[0]?.effective.map(({ rule, length }) => [rule, length]), [
    ["RULER", 2000],
    ["NoLiMa", 2000],
  ]);
});

Deno.test("compareVariants() leaves rows that are not the model's doing out of the valid comparison alone", () => {
  const whole = run("whole", () => "correct");
  const cut = run("cut", (length) => length === 2000 ? "truncated" : "correct");
  const refuses = run("refuses", () => "refused");
  const [only] = compareVariants([whole, cut, refuses], { unit: "tokens" });
  const [wholeCut, wholeRefuses] = only?.pairs ?? [];
  assert.deepEqual([wholeCut?.raw?.n, wholeCut?.raw?.difference.estimate], [20, 0.5]);
  assert.deepEqual([wholeCut?.valid?.n, wholeCut?.valid?.difference.estimate], [10, 0]);
  assert.deepEqual([wholeRefuses?.raw?.n, wholeRefuses?.valid], [20, null]);
  assert.equal(only?.variants[1]?.audit.invalidShare, 0.5);
  assert.deepEqual(only?.variants[2]?.effective, []);
});

Deno.test("compareVariants() takes rows that share chance as groups", () => {
  const cluster = () => "one";
  const good = run("good", () => "correct", { cluster, lengths: [1, 2, 3, 4], n: 20 });
  const bad = run("bad", () => "wrong", { cluster, lengths: [1, 2, 3, 4], n: 20 });
  const test = compareVariants([good, bad], { unit: "tokens" })[0]?.pairs[0]?.raw;
  assert.deepEqual([test?.n, test?.clusters, test?.p], [80, 4, 1 / 8]);
  assert.ok((test?.mcnemarP ?? 1) < 1e-20);
});

Deno.test("compareVariants() compares conditions apart, skipped rows with none, and rows in common alone", () => {
  const pair = (variant: string, full: Validity | null): ComparedRun => ({
    variant,
    simulated: false,
    rows: [
      ...run(variant, () => "correct", { condition: "focused", lengths: [1] }).rows,
      ...run(variant, () => full, { condition: "full", lengths: [2] }).rows,
    ],
  });
  const [focused, full] = compareVariants([pair("a", "wrong"), pair("b", null)], { unit: null });
  assert.deepEqual([focused?.condition, full?.condition], ["focused", "full"]);
  assert.deepEqual(focused?.variants[0]?.effective, [], "no lengths, no effective length");
  assert.equal(focused?.pairs[0]?.raw?.n, 10);
  assert.equal(full?.pairs[0]?.raw, null);
  assert.deepEqual([full?.variants[1]?.audit.sent, full?.variants[1]?.audit.skipped], [0, 10]);
  const other = run("other", () => "correct", { lengths: [2000, 3000] });
  assert.equal(
    compareVariants([run("some", () => "correct"), other], { unit: "tokens" })[0]?.pairs[0]?.raw?.n,
    10,
  );
});

Deno.test("comparisonReport() names simulated variants, invalid rows, failures, and every difference", () => {
  const runs = [
    run("sim", () => "correct"),
    run("cut", (length) => length === 2000 ? "truncated" : "wrong"),
  ];
  const conditions = compareVariants(runs, { unit: "tokens" });
  const experiments = [{ name: "niah", title: "Needle in a haystack", unit: "tokens" as const, conditions }];
  const state = { experiment: "niah", done: 20, errors: 0, skipped: 0, pending: 0, failure: null };
  const { summary, statistics } = comparisonReport({
    test: true,
    experiments,
    runs: [
      { ...state, variant: "sim" },
      { ...state, variant: "cut", errors: 2 },
      { ...state, variant: "down", done: 0, failure: "The server of down does not answer." },
    ],
  });
  assert.match(summary, /^Context rot, sim, cut, down \(test runs\)\nSimulated: sim\. /);
  assert.match(summary, /cut +all rows sent 0\/20 = 0\.0% .*; valid rows 0\/10 = 0\.0%/);
  assert.match(summary, /Warning: 50\.0% of the rows sent are invalid \(10 truncated\)/);
  assert.match(
    summary,
    /sim minus cut, 20 rows in 20 groups\n +all rows sent: \+100\.0 points \(95% interval .*McNemar/,
  );
  assert.match(summary, /valid rows \(10 in common\): \+100\.0 points/);
  assert.match(summary, /Failed:\n {2}niah down: The server of down does not answer\./);
  assert.match(summary, /niah cut: 2 rows ended in an error/);
  assert.equal(JSON.parse(JSON.stringify(statistics)).experiments[0].conditions[0].pairs[0].raw.n, 20);
  const [panel] = comparisonPanels(experiments);
  assert.deepEqual(panel?.curves.map(({ points }) => points.map(({ place }) => place)), [[1000, 2000], [
    1000,
    2000,
  ]]);
  assert.deepEqual([panel?.curves[1]?.invalidShare, panel?.curves[1]?.all.valid.n], [0.5, 10]);
});
