import assert from "node:assert/strict";
import { BackendError } from "../backends/backend.ts";
import { BudgetError } from "../backends/budget.ts";
import { InputError } from "../base/errors.ts";
import { runFiles } from "./run_files.ts";
import { finishedResults } from "./sequence.ts";
import type { ExperimentResult } from "./workflow.ts";

function resultWith(error: Error | null): ExperimentResult {
  return {
    ...{
      experiment: "niah",
      variant: "pocket",
      done: 1,
      errors: 0,
      skipped: 0,
      pending: 0,
      rows: [],
      report: null,
    },
    files: runFiles({ results: "results", experiment: "niah", variant: "pocket", test: false }),
    stoppedBy: error === null ? null : "error",
    error,
  };
}

Deno.test("finishedResults() gives results back, and says as wrong input what the user can mend", () => {
  const whole = [resultWith(null), resultWith(null)];
  assert.equal(finishedResults(whole), whole);
  for (const error of [new BudgetError(0.01, 0.009, 0.002), new BackendError("auth", "The key is refused")]) {
    assert.throws(() => finishedResults([resultWith(null), resultWith(error)]), (thrown) => {
      assert.ok(thrown instanceof InputError);
      assert.ok(thrown.message.startsWith(error.message));
      assert.match(thrown.message, /--max-usd|check the variant's key/);
      assert.equal(thrown.cause, error);
      return true;
    });
  }
});

Deno.test("finishedResults() throws a fault of the program as it is", () => {
  const fault = new TypeError("x is not a function");
  assert.throws(() => finishedResults([resultWith(fault)]), (thrown) => thrown === fault);
});
