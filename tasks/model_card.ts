/**
 * `deno task model-card`: measures the embedded model and writes the tables of its card; `--check` compares instead.
 * @module
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { INPUT_ERROR_EXIT, InputError } from "../lib/base/errors.ts";
import { writeAtomic } from "../lib/base/files.ts";
import { log } from "../lib/base/log.ts";
import { getVariant, loadVariants } from "../lib/backends/variants.ts";
import { cardProblems, sectionText, withSections } from "../lib/model_card/card_section.ts";
import { CARD_SECTIONS, measureCard } from "../lib/model_card/measure_card.ts";

const HELP = `Measures the embedded model and writes the tables of models/pocket/README.md.

deno task model-card [--haystack DIR] [--only A,B] [--check]

  --haystack DIR   texts it has never seen (.txt, .md), measured besides the generated prose
  --only A,B       these sections alone: ${Object.keys(CARD_SECTIONS).join(", ")}
  --check          write nothing; exit 1 where a share lies outside the interval on the card, or something that the
                   card says is shown no longer is
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
    const only = flags.only === undefined ? null : flags.only.split(",").map((name) => name.trim());
    const sections = await measureCard({
      model: (await getVariant("pocket")).name,
      variants: await loadVariants(),
      results,
      only,
      haystack: flags.haystack ?? null,
      log,
    });
    if (!flags.check) {
      const written = withSections(card, sections);
      await writeAtomic(path, written);
      console.log(sections.map(sectionText).join("\n\n"));
      return 0;
    }
    const problems = cardProblems(card, sections);
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
        only: { type: "string" },
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
