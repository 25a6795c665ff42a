/**
 * `deno task model-card`: measures the embedded model and writes the table of its card; `--check` compares instead.
 * @module
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { INPUT_ERROR_EXIT, InputError } from "../lib/base/errors.ts";
import { log } from "../lib/base/log.ts";
import {
  measureNiahCard,
  niahCardProblems,
  niahCardTable,
  withNiahTable,
} from "../lib/context_rot/niah_card.ts";

const HELP = `Measures the embedded model and writes the table of models/pocket/README.md.

deno task model-card [--haystack DIR] [--check]

  --haystack DIR   texts it has never seen (.txt, .md), measured besides the generated prose
  --check          write nothing; exit 1 where a share lies outside the interval on the card
`;

async function main(args: string[]): Promise<number> {
  const flags = parseFlags(args);
  if (flags.help) {
    console.log(HELP);
    return 0;
  }
  const path = fileURLToPath(new URL("../models/pocket/README.md", import.meta.url));
  const card = await Deno.readTextFile(path);
  const results = await Deno.makeTempDir({ prefix: "probebook-card-" });
  try {
    const rows = await measureNiahCard({ model: "pocket", results, haystack: flags.haystack ?? null, log });
    if (!flags.check) {
      await Deno.writeTextFile(path, withNiahTable(card, niahCardTable(rows)));
      console.log(niahCardTable(rows));
      return 0;
    }
    const problems = niahCardProblems(card, rows);
    console.log(problems.length === 0 ? "The card holds." : problems.join("\n"));
    return problems.length === 0 ? 0 : 1;
  } finally {
    await Deno.remove(results, { recursive: true });
  }
}

function parseFlags(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        haystack: { type: "string" },
        check: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    throw new InputError(`${(error as Error).message} Run deno task model-card --help for the flags.`, {
      cause: error,
    });
  }
}

try {
  Deno.exitCode = await main(Deno.args);
} catch (error) {
  if (!(error instanceof InputError)) throw error;
  console.error(error.message);
  Deno.exitCode = INPUT_ERROR_EXIT;
}
