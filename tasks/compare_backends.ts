/**
 * `deno task compare-backends --from labels.csv`: reports a published table of two backends' labels.
 * @module
 */
import { resolve } from "node:path";
import { INPUT_ERROR_EXIT, InputError } from "../lib/base/errors.ts";
import { log } from "../lib/base/log.ts";
import {
  type Flags,
  flagsHelp,
  numberFlag,
  pathFlag,
  readFlags,
  switchFlag,
} from "../lib/notebooks/task_flags.ts";
import { comparePublished } from "../lib/parity/compare_published.ts";

const FROM_FLAGS: Flags = {
  from: pathFlag(
    "LABELS.csv",
    "a table of two backends' labels: columns api_label, local_label, api_parsed, ...",
  ),
  json: switchFlag("print the statistics as JSON instead of the report"),
  seed: numberFlag("N", "seeds bootstraps"),
  results: pathFlag("DIR", "where everything is written (default results)"),
};

try {
  const given = readFlags(Deno.args, FROM_FLAGS, "deno task compare-backends");
  const { from, json, seed, results = resolve("results"), help } = given;
  if (help) console.log(`Do two backends serve the same model?\n\n${flagsHelp(FROM_FLAGS)}`);
  else if (typeof from !== "string") {
    throw new InputError("Give a table: deno task compare-backends --from labels.csv.");
  } else {
    const written = await comparePublished(from, {
      results: String(results),
      log,
      ...(typeof seed === "number" ? { seed } : {}),
    });
    console.log(json ? JSON.stringify(written.json, null, 2) : written.text);
    for (const [kind, path] of Object.entries(written.files)) log(`${kind}: ${path}`);
  }
} catch (error) {
  if (!(error instanceof InputError)) throw error;
  console.error(error.message);
  Deno.exitCode = INPUT_ERROR_EXIT;
}
