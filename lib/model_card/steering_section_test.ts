import assert from "node:assert/strict";
import type { GradedRow } from "../runs/experiment.ts";
import { loadStyle } from "../steering/style.ts";
import { steeringSection } from "./steering_section.ts";

const style = await loadStyle("step_by_step_reasoning");
const answered = (arm: string, output: string) =>
  ({ row: { params: { arm } }, attempt: { status: "done", output } }) as unknown as GradedRow;
const STEPS = "Step 1: The rain came in. Step 2: Then, the hat got wet. Therefore the hat is wet.";

function result(rows: readonly GradedRow[], steered: { estimate: number; adjusted_p: number | null }) {
  const comparisons = [
    {
      label: "asked for in the prompt against unsteered",
      estimate: 80,
      low: 60,
      high: 95,
      adjusted_p: 0.001,
    },
    { label: "steered against unsteered", low: -5, high: 30, ...steered },
    { label: "steered against random vectors of the same length", low: -4, high: 31, ...steered },
  ];
  return { rows, report: { summary: "", statistics: { comparisons }, figures: {} } };
}

type Result = ReturnType<typeof result> | { rows: readonly GradedRow[]; report: null };
const sectionOf = (cached: readonly Result[], residual: readonly Result[] = []) =>
  steeringSection({ cached, residual, styles: [style] });

Deno.test("steeringSection() counts answers in the style and takes tests from the factory's report", () => {
  const rows = [
    answered("unsteered", "The hat is wet."),
    answered("prompted", STEPS),
    answered("prompted", "No."),
  ];
  const { rows: table, claims } = sectionOf([result(rows, { estimate: 12, adjusted_p: 0.2 })]);
  assert.deepEqual(table.map(({ label }) => label), ["step_by_step_reasoning"]);
  assert.deepEqual(table[0]?.measures.map(({ text }) => text.split(" ")[0]), ["0/1", "1/2"]);
  assert.deepEqual(claims.map(({ holds }) => holds), [true, false, false]);
  assert.match(claims[1]?.measured ?? "", /\+12 \(-5 to 30\), p = 0\.20/);
});

Deno.test("steeringSection() says that a vector moves a style only when its test says so, and for the better", () => {
  const holds = (estimate: number, adjusted_p: number | null) =>
    sectionOf([result([], { estimate, adjusted_p })]).claims.map(({ holds }) => holds);
  assert.deepEqual(holds(12, 0.01), [true, true, false]);
  assert.deepEqual(holds(-12, 0.01), [true, false, false]);
  assert.deepEqual(holds(12, null), [true, false, false]);
});

Deno.test("steeringSection() takes what residual vectors do from the sweeps, against random ones", () => {
  const residual = [result([], { estimate: 12, adjusted_p: 0.01 })];
  const { claims } = sectionOf([result([], { estimate: 0, adjusted_p: 1 })], residual);
  assert.deepEqual(claims.map(({ holds }) => holds), [true, false, true]);
  assert.match(claims[2]?.measured ?? "", /\+12 \(-4 to 31\), p = 0\.010/);
});

Deno.test("steeringSection() shows nothing where there is no report", () => {
  const { claims } = sectionOf([{ rows: [], report: null }], [{ rows: [], report: null }]);
  assert.deepEqual(claims.map(({ holds }) => holds), [false, false, false]);
  assert.match(claims[0]?.measured ?? "", /not compared/);
});
