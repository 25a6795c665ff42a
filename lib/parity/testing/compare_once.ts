/**
 * A comparison in a process of its own: `compare_once.ts SETTINGS_JSON`. Prints its report.
 * @module
 */
import { startCompareBackends } from "../start_compare_backends.ts";

const run = await startCompareBackends(JSON.parse(Deno.args[0] ?? "{}"), { log: () => {} });
console.log((await run.compare())?.text ?? "not compared");
