/**
 * The files of a dataset on the Hugging Face hub.
 * @module
 */
import { messageOf } from "./errors.ts";
import { contentOf, type HubFile, HubRepository } from "./hub_repository.ts";
import type { FetchOptions, WantedFile } from "./fetch_file.ts";

/** A dataset's files at one commit. */
export interface DatasetListing {
  /** By their names in the dataset. */
  readonly files: ReadonlyMap<string, HubFile>;
  /** A file to be fetched, under another name if it is given. */
  wanted(name: string, as?: string): WantedFile;
}

/**
 * A dataset's files now.
 *
 * @param advice what to do without a connection, as a sentence
 * @throws {InputError} when the hub does not answer in three tries, or refuses.
 */
export async function listDataset(
  dataset: string,
  advice: string,
  { env, signal, clock }: FetchOptions,
): Promise<DatasetListing> {
  const hub = new HubRepository(dataset, { type: "dataset", env, advice });
  const { commit, files } = await patiently(() => hub.list("main", signal), clock, signal);
  return {
    files,
    wanted(name, as = name) {
      const known = contentOf(dataset, files.get(name) as HubFile);
      return { name: as, url: hub.url(commit, name), known, token: hub.token, advice };
    },
  };
}

/** Three tries. */
async function patiently<T>(
  ask: () => Promise<T>,
  clock: FetchOptions["clock"],
  signal: AbortSignal | undefined,
): Promise<T> {
  for (let wait = 1000;; wait *= 4) {
    try {
      return await ask();
    } catch (error) {
      if (wait > 4000 || signal?.aborted || !/^Cannot ask/.test(messageOf(error))) throw error;
      await clock.sleep(wait, signal);
    }
  }
}
