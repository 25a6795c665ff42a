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
  ];
  return { rows, report: { summary: "", statistics: { comparisons }, figures: {} } };
}

Deno.test("steeringSection() counts answers in the style and takes tests from the factory's report", () => {
  const rows = [
    answered("unsteered", "The hat is wet."),
    answered("prompted", STEPS),
    answered("prompted", "No."),
  ];
  const { rows: table, claims } = steeringSection([result(rows, { estimate: 12, adjusted_p: 0.2 })], [style]);
  assert.deepEqual(table.map(({ label }) => label), ["step_by_step_reasoning"]);
  assert.deepEqual(table[0]?.measures.map(({ text }) => text.split(" ")[0]), ["0/1", "1/2"]);
  assert.deepEqual(claims.map(({ holds }) => holds), [true, false]);
  assert.match(claims[1]?.measured ?? "", /\+12 \(-5 to 30\), p = 0\.20/);
});

Deno.test("steeringSection() says that a vector moves a style only when its test says so, and for the better", () => {
  const holds = (estimate: number, adjusted_p: number | null) =>
    steeringSection([result([], { estimate, adjusted_p })], [style]).claims[1]?.holds;
  assert.equal(holds(12, 0.01), true);
  assert.equal(holds(-12, 0.01), false);
  assert.equal(holds(12, null), false);
});

Deno.test("steeringSection() shows nothing where there is no report", () => {
  const { claims } = steeringSection([{ rows: [], report: null }], [style]);
  assert.deepEqual(claims.map(({ holds }) => holds), [false, false]);
  assert.match(claims[0]?.measured ?? "", /not compared/);
});
