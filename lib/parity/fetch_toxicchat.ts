/**
 * Downloads ToxicChat into the data folder.
 * @module
 */
import { join } from "node:path";
import { InputError } from "../base/errors.ts";
import { fetchFile, type FetchOptions, isThere } from "../base/fetch_file.ts";
import { listDataset } from "../base/hub_dataset.ts";
import { readToxicChat } from "./toxicchat.ts";

/** ToxicChat (Lin et al. 2023), CC-BY-NC 4.0. */
export const TOXICCHAT_DATASET = "lmsys/toxic-chat";

/** Our names of its two halves, and theirs: version 0124. */
const FILES = {
  "toxicchat_test.csv": "data/0124/toxic-chat_annotation_test.csv",
  "toxicchat_train.csv": "data/0124/toxic-chat_annotation_train.csv",
} as const;

const ADVICE =
  `Without a connection: put ${
    Object.keys(FILES).join(" and ")
  } into the data folder by hand, or give a web ` +
  "folder that has them with --from URL. Until then our own sample is compared on.";

/**
 * Downloads `toxicchat_test.csv` and `toxicchat_train.csv` as far as they are not there yet, and opens them.
 *
 * @throws {InputError} when a file cannot be had, or is not what it should be.
 */
export async function fetchToxicChat(options: FetchOptions): Promise<void> {
  const { folder, from = null, log } = options;
  const missing: (keyof typeof FILES)[] = [];
  for (const name of Object.keys(FILES) as (keyof typeof FILES)[]) {
    if (!await isThere(name, options)) missing.push(name);
  }
  if (from !== null) {
    for (const name of missing) {
      await fetchFile({ name, url: `${from.replace(/\/+$/, "")}/${name}`, advice: ADVICE }, options);
    }
  } else if (missing.length > 0) {
    const dataset = await listDataset(TOXICCHAT_DATASET, ADVICE, options);
    for (const name of missing) {
      if (!dataset.files.has(FILES[name])) {
        throw new InputError(`${TOXICCHAT_DATASET} has no ${FILES[name]} any more. ${ADVICE}`);
      }
      await fetchFile(dataset.wanted(FILES[name], name), options);
    }
  }
  for (const name of Object.keys(FILES)) {
    const { items } = await readToxicChat(join(folder, name));
    const toxic = items.filter(({ toxicity }) => toxicity === 1).length;
    log(`${name} is ready: ${items.length} messages with a text, ${toxic} toxic`);
  }
}
