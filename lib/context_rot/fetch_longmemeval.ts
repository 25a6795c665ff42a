/**
 * Downloads the published LongMemEval files into the data folder.
 * @module
 */
import { join } from "node:path";
import { stringify } from "csv-stringify/sync";
import { digestOf } from "../base/download.ts";
import { InputError, messageOf } from "../base/errors.ts";
import { writeAtomic } from "../base/files.ts";
import { readDataLock, recordInDataLock } from "../base/data_lock.ts";
import { fetchFile, type FetchOptions, isThere, now, type WantedFile } from "../base/fetch_file.ts";
import { listDataset } from "../base/hub_dataset.ts";
import { openMemoryData } from "./longmemeval_data.ts";
import { type Condition, CONDITIONS, openMemoryFile } from "./longmemeval_file.ts";

/** Chroma's cleaned LongMemEval_S, both conditions in one CSV. */
export const CLEANED_DATASET = "kellyhongg/cleaned-longmemeval-s";
/** LongMemEval itself; its smallest file has the types of all questions. */
export const UPSTREAM_DATASET = "xiaowu0162/longmemeval";

const TYPES_FILE = "longmemeval_oracle.json";
const nameOf = (condition: Condition) => `cleaned_longmemeval_s_${condition}.csv`;
const ADVICE =
  `Without a connection: put ${nameOf("focused")} and ${nameOf("full")} into the data folder by hand, or ` +
  "give a web folder that has them with --from URL. Until then --data sample works.";

/**
 * Downloads `cleaned_longmemeval_s_focused.csv`, `..._full.csv` and `longmemeval_oracle.json` (question types) as far as
 * they are not there yet, and opens them to see that they belong together.
 *
 * From the hub, every download is checked against the digest that the hub lists for it. From a web folder nobody lists
 * one: it is recorded at the first download, and later ones must be the same.
 *
 * @throws {InputError} when a file cannot be had, or is not what it should be.
 */
export async function fetchLongMemEval(options: FetchOptions): Promise<void> {
  const { folder, from = null, log } = options;
  const missing: Condition[] = [];
  for (const condition of CONDITIONS) if (!await isThere(nameOf(condition), options)) missing.push(condition);
  if (from !== null) {
    for (const condition of missing) await fetchFile(ofWebFolder(from, nameOf(condition)), options);
  } else if (missing.length > 0) await fetchCleaned(missing, options);
  if (!await isThere(TYPES_FILE, options)) await fetchTypes(options);
  const [focused, full] = CONDITIONS.map((condition) => join(folder, nameOf(condition))) as [string, string];
  const types = await Deno.stat(join(folder, TYPES_FILE)).then(() => join(folder, TYPES_FILE), () => null);
  const { items, untyped } = await openMemoryData({ focused, full, types, sample: false });
  log(
    `LongMemEval is ready: ${items.length} questions under both conditions` +
      (types === null
        ? ", without their types"
        : untyped > 0
        ? `, the types of all but ${untyped}`
        : " and their types"),
  );
}

function ofWebFolder(from: string, name: string): WantedFile {
  return { name, url: `${from.replace(/\/+$/, "")}/${name}`, advice: ADVICE };
}

/** The files of the missing conditions from the hub: as they are where it has them, else out of its one CSV. */
async function fetchCleaned(missing: readonly Condition[], options: FetchOptions): Promise<void> {
  const { folder, log, clock } = options;
  const hub = await listDataset(CLEANED_DATASET, ADVICE, options);
  if (missing.every((condition) => hub.files.has(nameOf(condition)))) {
    for (const condition of missing) await fetchFile(hub.wanted(nameOf(condition)), options);
    return;
  }
  const csvs = [...hub.files.keys()].filter((name) => name.endsWith(".csv"));
  const [name] = csvs;
  if (name === undefined || csvs.length > 1) {
    throw new InputError(
      `${CLEANED_DATASET} is laid out in another way than it was: of ${
        [...hub.files.keys()].join(", ")
      } none is the one ` +
        `CSV that was expected. Download it from its page and put ${
          CONDITIONS.map(nameOf).join(" and ")
        } into ${folder}.`,
    );
  }
  const wanted = hub.wanted(name, `.downloads/${name}`);
  const combined = join(folder, wanted.name);
  if (!await isThere(wanted.name, options, wanted.known)) await fetchFile(wanted, options);
  for (const condition of missing) {
    log(`writing ${join(folder, nameOf(condition))} from it`);
    await writeAtomic(join(folder, nameOf(condition)), oneCondition(combined, condition));
  }
  const before = await readDataLock(folder);
  for (const condition of missing) {
    const path = join(folder, nameOf(condition));
    const entry = {
      size: (await Deno.stat(path)).size,
      sha256: (await digestOf(path, "sha256")).hex,
      from: `${wanted.url} (${condition})`,
      recorded: now(clock),
    };
    const locked = before[nameOf(condition)];
    if (locked && locked.sha256 !== entry.sha256) {
      log(
        `${path} is not byte for byte what was recorded on ${locked.recorded}; it was made from the same download`,
      );
    }
    await recordInDataLock(folder, { [nameOf(condition)]: entry });
  }
  await Deno.remove(combined);
  await Deno.remove(join(folder, ".downloads")).catch(() => {}); // somebody else's download may go on in it
}

/** The rows of one condition as a file of its own, in pieces. */
async function* oneCondition(combined: string, condition: Condition): AsyncGenerator<string> {
  const file = await openMemoryFile(combined, condition);
  yield stringify([["custom_id", "question", "answer", `${condition}_prompt`, "token_count"]]);
  for (const entry of file.entries) {
    const { id, question, answer, fileTokens } = entry;
    yield stringify([[id, question, answer, await file.text(entry), fileTokens ?? ""]], {
      quoted_match: /\r/,
    });
  }
}

/** The types are worth having and not needed: a failure is said and passed over. */
async function fetchTypes(options: FetchOptions): Promise<void> {
  const { from = null, log, signal } = options;
  try {
    if (from !== null) return await fetchFile(ofWebFolder(from, TYPES_FILE), options);
    const hub = await listDataset(UPSTREAM_DATASET, ADVICE, options);
    const name = [TYPES_FILE, "longmemeval_oracle"].find((candidate) => hub.files.has(candidate));
    if (name === undefined) throw new InputError(`${UPSTREAM_DATASET} has no ${TYPES_FILE} any more.`);
    await fetchFile(hub.wanted(name, TYPES_FILE), options);
  } catch (error) {
    if (signal?.aborted || !(error instanceof InputError)) throw error;
    log(`the types of the questions were not fetched: ${messageOf(error)}`);
  }
}
