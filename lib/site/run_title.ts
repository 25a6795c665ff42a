/**
 * What a run is called on pages.
 * @module
 */
import type { FoundRun } from "../runs/find_runs.ts";

/** `niah on pocket, test run`. */
export function runTitle(
  run: Pick<FoundRun, "experiment" | "variant" | "mode" | "shard" | "imported">,
): string {
  const notes = [
    ...(run.mode === "test" ? ["test run"] : []),
    ...(run.imported ? ["imported"] : []),
    ...(run.shard === null ? [] : [`shard ${run.shard}`]),
  ];
  return [`${run.experiment} on ${run.variant}`, ...notes].join(", ");
}
