/**
 * `deno task doctor [--json] [--models file] [--compare A,B] [--timeout seconds]`: is everything in place?
 * @module
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { formatChecks, isBroken, runDoctor } from "../lib/backends/doctor.ts";
import { INPUT_ERROR_EXIT } from "../lib/base/errors.ts";
import { comparisonChecks } from "../lib/parity/comparison_checks.ts";

const HELP =
  `deno task doctor: looks at versions, addons, keys (set or not, never shown), variants, data and disk.
  --json             the checks as JSON on stdout
  --models FILE      another models.json
  --compare A[,B]    a model, or two variants, whose comparison is to be ready (pocket)
  --timeout SECONDS  how long a variant may take to answer one token (10)
It leaves with 0 unless the embedded model, a required addon or the results folder fails.`;

function flags() {
  try {
    const { values } = parseArgs({
      options: {
        json: { type: "boolean", default: false },
        models: { type: "string" },
        compare: { type: "string", default: "pocket" },
        timeout: { type: "string", default: "10" },
        help: { type: "boolean", short: "h", default: false },
      },
      args: Deno.args,
    });
    const seconds = Number(values.timeout);
    if (!(seconds > 0)) throw new Error(`--timeout is ${values.timeout}: give a number of seconds above 0.`);
    return { ...values, seconds };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${HELP}`);
    Deno.exit(INPUT_ERROR_EXIT);
  }
}

const { json, models, compare, seconds, help } = flags();
if (help) {
  console.log(HELP);
  Deno.exit(0);
}
const options = { timeoutMs: seconds * 1000, ...(models === undefined ? {} : { models }) };
const checks = [
  ...await runDoctor({ root: fileURLToPath(new URL("../", import.meta.url)), ...options }),
  ...await comparisonChecks({ compare, ...options }),
];
console.log(json ? JSON.stringify(checks, null, 2) : formatChecks(checks));
Deno.exit(isBroken(checks) ? 1 : 0);
