/**
 * A NIAH run in a process of its own: `start_niah_once.ts SETTINGS_JSON`. Prints `started` when it has begun, and how it
 * ended as JSON.
 * @module
 */
import { startNiah } from "../start_niah.ts";

const run = await startNiah(JSON.parse(Deno.args[0] ?? "{}"), { log: () => {} });
console.log("started");
const results = await run.done;
console.log(
  JSON.stringify(results.map(({ done, errors, error }) => ({ done, errors, error: error?.message ?? null }))),
);
