import assert from "node:assert/strict";
import { breaksAt } from "./dose_report.ts";

Deno.test("breaksAt() gives the lowest strength of those that break up to the highest", () => {
  const at = (coherent: Record<number, boolean>) =>
    breaksAt(
      Object.entries(coherent).map(([strength, coherent]) => ({ strength: Number(strength), coherent })),
      ({ strength }) => strength,
      ({ coherent }) => coherent,
    );
  assert.equal(at({ 4: false, 1: true, 2: false }), 2);
  assert.equal(at({ 1: false, 2: true, 4: false }), 4, "a break below a coherent strength is none");
  assert.equal(at({ 1: false, 2: true }), null);
  assert.equal(at({}), null);
});
