/**
 * `deno task import`: published result files of other programs as runs of ours, audited and drawn.
 * @module
 */
import { parseArgs } from "node:util";
import { INPUT_ERROR_EXIT, InputError, messageOf } from "../lib/base/errors.ts";
import { IMPORT_FIELDS, IMPORT_KINDS, type ImportKind } from "../lib/context_rot/import_fields.ts";
import { type ImportOptions, importRuns } from "../lib/context_rot/import_run.ts";
import { PASS_SCORE } from "../lib/context_rot/import_values.ts";

const HELP = `Reads published result files of other programs, audits their rows and draws them as ours.

deno task import --from FILE[,FILE...] --as KIND [flags]

  --from FILES           result files (CSV, JSON lines, JSON) or a folder of JSON files; give the evaluated file and
                         the results file of a run together: the results file has the true token counts
  --as KIND              ${IMPORT_KINDS.join(", ")}
  --results DIR          where our files are written (default results)
  --name NAME            name of our files (default imported_ and the model's name)
  --variant LABEL        what the model is called in titles
  --window N             the model's context window in tokens, when the files do not say it
  --condition A[,B]      focused or full for each file, when the file names do not say it
  --accept TEXT          an answer that counts as right where the files hold no verdicts; may be given again
  --pass-score N         least score that is right where the files hold scores (default ${PASS_SCORE})
  --max-output-tokens N  output cap of the foreign run
  --where COLUMN=VALUE   only rows with this value; may be given again
  --map OURS=THEIRS      read one of our fields from a column of another name; may be given again
                         Ours: ${Object.keys(IMPORT_FIELDS).join(", ")}

Without verdicts in the files, outputs are compared with the answers, and the report says so.
`;

const FLAGS = {
  from: { type: "string", multiple: true },
  as: { type: "string" },
  results: { type: "string", default: "results" },
  name: { type: "string" },
  variant: { type: "string" },
  window: { type: "string" },
  condition: { type: "string" },
  accept: { type: "string", multiple: true },
  "pass-score": { type: "string" },
  "max-output-tokens": { type: "string" },
  where: { type: "string", multiple: true },
  map: { type: "string", multiple: true },
  help: { type: "boolean", short: "h" },
} as const;

function readFlags(args: string[]) {
  try {
    return parseArgs({ args, options: FLAGS }).values;
  } catch (cause) {
    throw new InputError(
      `${messageOf(cause).replace(/\.?$/, ".")} Run deno task import --help for the flags.`,
      {
        cause,
      },
    );
  }
}

function optionsOf(flags: ReturnType<typeof readFlags>): ImportOptions {
  const list = (texts: readonly string[] | undefined) =>
    (texts ?? []).flatMap((text) => text.split(",")).map((text) => text.trim()).filter((text) => text !== "");
  const from = list(flags.from);
  if (from.length === 0) throw new InputError("--from is missing: give the files to import.");
  const kind = IMPORT_KINDS.find((name) => name === flags.as);
  if (kind === undefined) {
    const said = flags.as === undefined ? "--as is missing" : `--as is ${JSON.stringify(flags.as)}`;
    throw new InputError(`${said}: give one of ${IMPORT_KINDS.join(", ")}.`);
  }
  return {
    from,
    as: kind satisfies ImportKind,
    results: flags.results,
    name: flags.name ?? null,
    variant: flags.variant ?? null,
    window: positive("window", flags.window),
    maxOutputTokens: positive("max-output-tokens", flags["max-output-tokens"]),
    conditions: list(flags.condition === undefined ? [] : [flags.condition]),
    accept: flags.accept ?? [],
    ...(flags["pass-score"] === undefined
      ? {}
      : { passScore: positive("pass-score", flags["pass-score"]) ?? PASS_SCORE }),
    where: pairs("where", flags.where),
    mapping: pairs("map", flags.map),
  };
}

function positive(flag: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const value = Number(text.replaceAll("_", ""));
  if (text.trim() !== "" && Number.isFinite(value) && value > 0) return value;
  throw new InputError(`--${flag} is ${JSON.stringify(text)}: give a number above 0.`);
}

function pairs(flag: string, texts: readonly string[] | undefined): Record<string, string> {
  return Object.fromEntries((texts ?? []).map((text) => {
    const at = text.indexOf("=");
    if (at > 0 && at < text.length - 1) return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
    throw new InputError(`--${flag} is ${JSON.stringify(text)}: give NAME=VALUE.`);
  }));
}

async function main(args: string[]): Promise<void> {
  const flags = readFlags(args);
  if (flags.help) return console.log(HELP);
  for (const { text, written, report } of await importRuns(optionsOf(flags))) {
    const figures = Object.keys(report.figures).map((name) => written.figure(name, "png"));
    console.log(
      `${text}\nRows: ${
        written.csvs.map(({ evaluated }) => evaluated).join(", ")
      }\nReport: ${written.reportJson}\nFigures: ${figures.join(", ")}\n`,
    );
  }
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    console.error(error.message);
    Deno.exitCode = INPUT_ERROR_EXIT;
  }
}
