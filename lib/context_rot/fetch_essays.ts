/**
 * Downloads the essays that needle searches are usually run on into the data folder.
 * @module
 */
import { ESSAY_FILES, ESSAYS_FROM, type PublishedFile } from "./essay_files.ts";
import { fetchFile, type FetchOptions, isThere } from "../base/fetch_file.ts";

/** The folder of the essays, in the data folder. */
const FOLDER = "PaulGrahamEssays";
const ADVICE =
  "Without a connection: give a web folder that has the essays with --from URL, or do without them: the " +
  "generated haystack needs no download.";

/**
 * Downloads the essays into `PaulGrahamEssays/` as far as they are not there yet. Each must have the digest that is
 * known of it. They are Paul Graham's; use them as input, and publish no passage of them.
 *
 * @throws {InputError} when one cannot be had, or is not what it should be.
 */
export async function fetchEssays(
  options: FetchOptions,
  files: readonly PublishedFile[] = ESSAY_FILES,
): Promise<void> {
  const { from = null, log } = options;
  const quiet = { ...options, log: () => {} };
  const base = (from ?? ESSAYS_FROM).replace(/\/+$/, "");
  log(`fetching what is missing of ${files.length} essays from ${base}`);
  let there = 0;
  for (const { name, size, sha256 } of files) {
    const known = { size, digest: { kind: "sha256", hex: sha256 } as const };
    const path = `${FOLDER}/${name}`;
    if (await isThere(path, quiet, known)) there++;
    else await fetchFile({ name: path, url: `${base}/${name}`, known, advice: ADVICE }, quiet);
  }
  log(`${files.length} essays are in ${FOLDER}, ${there} of them from before; NIAH uses them from now on`);
}
