/**
 * A published table of labels, compared.
 * @module
 */
import { basename } from "node:path";
import { compareTable } from "./compare.ts";
import { readLabelTable } from "./label_table.ts";
import { writeComparison, type WrittenComparison } from "./write_comparison.ts";

/**
 * Reads a table of labels (`--from labels.csv`), compares its backends and writes the files of the comparison.
 *
 * @throws {InputError} when the table is wrong or the folder cannot be written; nothing is written for a wrong table.
 */
export async function comparePublished(
  path: string,
  options: { readonly results: string; readonly seed?: number; readonly log?: (line: string) => void },
): Promise<WrittenComparison> {
  const { results, seed = 0, log } = options;
  const table = await readLabelTable(path);
  const comparison = compareTable(table, { seed });
  const stem = basename(path).replace(/\.[^.]+$/, "").replaceAll(/[^\w]+/g, "_");
  const title = `${table.sides.join(" and ")} compared, from ${table.name}`;
  return await writeComparison(comparison, {
    results,
    name: `${stem}_comparison`,
    title,
    notes: [`From ${table.name}: labels alone, so there is no noise floor and no cause`],
    about: { from: table.name },
    ...(log === undefined ? {} : { log }),
  });
}
