/**
 * Checkpoints of the Hugging Face hub, in the folder layout that its own libraries keep:
 * `models--OWNER--NAME/{refs/REVISION, blobs/DIGEST, snapshots/COMMIT/FILE -> blobs/DIGEST}`.
 * So what they have downloaded is found here, and the other way round.
 * @module
 */
import { homedir } from "node:os";
import { dirname, join, relative } from "node:path";
import { type Clock, systemClock } from "../base/clock.ts";
import { downloadFile } from "../base/download.ts";
import { InputError } from "../base/errors.ts";
import { readTextIfExists, unwritable, writeAtomic } from "../base/files.ts";
import { COMMIT, contentOf, hubRefusal, HubRepository, isRepository } from "../base/hub_repository.ts";
import { EXPORT_FILES, type ExportDtype, noExport } from "./export_files.ts";
import { shardNames } from "./shard_index.ts";

/** Options of {@linkcode fetchCheckpoint}. */
export interface HubOptions {
  /** Branch, tag or commit; `main` unless given. */
  readonly revision?: string;
  /** Which ONNX export is wanted of a repository that has no safetensors; `fp32` unless given. */
  readonly dtype?: ExportDtype;
  /** Where downloads are kept; HF_HUB_CACHE, or HF_HOME/hub, or ~/.cache/huggingface/hub unless given. */
  readonly cacheDir?: string;
  /** Asks no server; true when HF_HUB_OFFLINE is 1. */
  readonly offline?: boolean;
  /** Stops; what has come is kept for the next time. */
  readonly signal?: AbortSignal;
}

/** What a test replaces. */
export interface HubSurroundings {
  /** Reads HF_ENDPOINT, HF_TOKEN, HF_HUB_CACHE, HF_HOME and HF_HUB_OFFLINE. */
  readonly env: (name: string) => string | undefined;
  /** Waits between tries. */
  readonly clock: Clock;
}

const surroundings: HubSurroundings = { env: (name) => Deno.env.get(name), clock: systemClock };

const REVISION = /^(?!.*(?:\.\.|\/\/|\/$))[\w][\w./-]{0,199}$/;

/** Small files that are fetched where they exist. */
const SMALL = [
  "config.json",
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "chat_template.jinja",
  "adapter_config.json",
];
const OFFLINE = "With `offline: true` only what is on this disk is used.";
const INDEX = "model.safetensors.index.json";
const WEIGHTS = ["model.safetensors", "adapter_model.safetensors"];

/**
 * The folder of a hub repository's checkpoint or adapter, downloaded as far as it is not there yet: configuration,
 * tokenizer, chat template and safetensors, or the ONNX export of the dtype where there are none, nothing else. The revision is pinned to its commit first, and every file
 * is checked against the digest that the hub lists for it.
 *
 * @param repo OWNER/NAME.
 * @throws {InputError} when it cannot be had, saying why and what to do.
 */
export async function fetchCheckpoint(
  repo: string,
  options: HubOptions = {},
  { env, clock }: HubSurroundings = surroundings,
): Promise<string> {
  const { revision = "main", dtype = "fp32", signal } = options;
  if (!isRepository(repo)) {
    throw new InputError(`${JSON.stringify(repo.slice(0, 120))} is not a repository: write OWNER/NAME.`);
  }
  if (!REVISION.test(revision)) {
    throw new InputError(
      `${JSON.stringify(revision.slice(0, 120))} is not a revision: give a branch, a tag or a commit.`,
    );
  }
  signal?.throwIfAborted();
  const folder = join(options.cacheDir ?? defaultCache(env), `models--${repo.replace("/", "--")}`);
  const cached = await cachedSnapshot(folder, revision, dtype);
  if (COMMIT.test(revision) && cached !== undefined) return cached;
  if (options.offline ?? /^(1|true|yes|on)$/i.test(env("HF_HUB_OFFLINE") ?? "")) {
    if (cached !== undefined) return cached;
    throw new InputError(
      `${repo} at ${revision} is not whole on this disk and offline was asked for. ${await inventory(
        folder,
        dtype,
      )} ` +
        "Load it once without offline, or give a revision that is there.",
    );
  }
  const hub = new HubRepository(repo, { env, advice: OFFLINE });
  const { commit, files } = await hub.list(revision, signal);
  const snapshot = join(folder, "snapshots", commit);
  const fetchFile = async (name: string) => {
    const entry = files.get(name);
    if (entry === undefined) return false;
    const { digest, size } = contentOf(repo, entry);
    const blob = join(folder, "blobs", digest.hex);
    if ((await statOf(join(snapshot, name)))?.size === size) return true;
    if ((await statOf(blob))?.size !== size) {
      await downloadFile({ url: hub.url(commit, name), name: `${repo}/${name}`, size, digest }, blob, {
        token: hub.token,
        clock,
        signal,
        server: "the hub",
        advice: OFFLINE,
        partial: ".incomplete",
        refuse: hubRefusal,
      });
    }
    await link(blob, snapshot, name);
    return true;
  };
  for (const name of SMALL) await fetchFile(name);
  if (!await fetchAny(WEIGHTS, fetchFile)) {
    if (await fetchFile(INDEX)) {
      for (const shard of await shardNames(join(snapshot, INDEX))) {
        if (!await fetchFile(shard)) {
          throw new InputError(`${repo} at ${revision} lacks ${shard}, which its ${INDEX} names.`);
        }
      }
    } else await fetchExport(repo, [...files.keys()], dtype, fetchFile);
  }
  await unlinkData(folder, snapshot, dtype);
  if (!COMMIT.test(revision)) await writeAtomic(join(folder, "refs", revision), commit);
  return snapshot;
}

async function fetchAny(names: readonly string[], fetchFile: (name: string) => Promise<boolean>) {
  for (const name of names) if (await fetchFile(name)) return true;
  return false;
}

/** Fetches an export, the files that its weights lie in first: where the graph is, the rest is too. */
async function fetchExport(
  repo: string,
  names: readonly string[],
  dtype: ExportDtype,
  fetchFile: (name: string) => Promise<boolean>,
): Promise<void> {
  const path = exportPaths(dtype).find((candidate) => names.includes(candidate));
  if (path === undefined) {
    const found = names.filter((name) => /^(?:onnx\/)?model\w*\.onnx$/.test(name));
    throw found.length > 0 ? noExport(repo, dtype, found) : noWeights(repo, names);
  }
  for (const name of names) if (isDataOf(name, path)) await fetchFile(name);
  await fetchFile(path);
}

/** Whether a file holds weights of an export. */
function isDataOf(name: string, path: string): boolean {
  return name.startsWith(path) && /^[._]data(?:_\d+)?$/.test(name.slice(path.length));
}

/**
 * Makes the weights of an export files of the snapshot's own, by hard links: onnxruntime refuses symbolic ones, which
 * this layout has. Only links to the repository's own blobs are followed.
 */
async function unlinkData(folder: string, snapshot: string, dtype: ExportDtype): Promise<void> {
  for (const path of exportPaths(dtype).map((name) => join(snapshot, name))) {
    const names = await Array.fromAsync(Deno.readDir(dirname(path)), ({ name }) => name).catch(() => []);
    for (
      const data of names.map((name) => join(dirname(path), name)).filter((name) => isDataOf(name, path))
    ) {
      if (!(await Deno.lstat(data)).isSymlink) continue;
      const blob = await Deno.realPath(data);
      if (dirname(blob) !== await Deno.realPath(join(folder, "blobs"))) continue; // onnxruntime refuses it
      const temporary = `${data}.${crypto.randomUUID().slice(0, 8)}.tmp`;
      try {
        await Deno.link(blob, temporary).catch(() => Deno.copyFile(blob, temporary));
        await Deno.rename(temporary, data);
      } catch (error) {
        throw unwritable(data, error);
      }
    }
  }
}

/** Where an export of a dtype may lie in a repository. */
function exportPaths(dtype: ExportDtype): string[] {
  return [`onnx/${EXPORT_FILES[dtype]}`, EXPORT_FILES[dtype]];
}

function noWeights(repo: string, names: readonly string[]): InputError {
  const pickles = names.filter((name) => /\.(bin|pt|pth|ckpt|pkl)$/.test(name));
  return new InputError(
    `${repo} has neither ${WEIGHTS.join(" nor ")} nor ${INDEX}` +
      (pickles.length > 0
        ? `, only pickled weights (${
          pickles.slice(0, 2).join(", ")
        }), which can run code and are never read: ` +
          "use a repository or a revision with safetensors."
        : ": it is not a decoder checkpoint."),
  );
}

/** The snapshot of a revision, when it is on the disk and whole. */
async function cachedSnapshot(
  folder: string,
  revision: string,
  dtype: ExportDtype,
): Promise<string | undefined> {
  const commit = COMMIT.test(revision)
    ? revision
    : (await readTextIfExists(join(folder, "refs", revision)))?.trim();
  if (commit === undefined || !COMMIT.test(commit)) return undefined;
  const snapshot = join(folder, "snapshots", commit);
  if (!await isWhole(snapshot, dtype)) return undefined;
  await unlinkData(folder, snapshot, dtype);
  return snapshot;
}

async function isWhole(snapshot: string, dtype: ExportDtype): Promise<boolean> {
  const has = async (name: string) => (await statOf(join(snapshot, name)))?.isFile === true;
  if (await has("adapter_config.json") && await has("adapter_model.safetensors")) return true;
  if (!await has("config.json")) return false;
  if (await has("model.safetensors")) return true;
  for (const path of exportPaths(dtype)) if (await has(path)) return true; // it comes after its data
  if (!await has(INDEX)) return false;
  for (const shard of await shardNames(join(snapshot, INDEX))) if (!await has(shard)) return false;
  return true;
}

/** What of a repository is on the disk, in words. */
async function inventory(folder: string, dtype: ExportDtype): Promise<string> {
  const names = async (path: string) => {
    try {
      return await Array.fromAsync(Deno.readDir(path), ({ name }) => name);
    } catch {
      return [];
    }
  };
  const lines: string[] = [];
  for (const commit of await names(join(folder, "snapshots"))) {
    const snapshot = join(folder, "snapshots", commit);
    const files = (await names(snapshot)).sort();
    lines.push(
      `${commit} (${await isWhole(snapshot, dtype) ? "whole" : `parts: ${files.join(", ") || "nothing"}`})`,
    );
  }
  return lines.length === 0
    ? `Nothing of it is in ${folder}.`
    : `In ${folder} there is: ${lines.sort().join("; ")}.`;
}

/** Puts a name for a blob into a snapshot; a copy where links cannot be made. */
async function link(blob: string, snapshot: string, name: string): Promise<void> {
  const path = join(snapshot, name);
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    const temporary = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
    await Deno.symlink(relative(dirname(path), blob), temporary)
      .catch(() => Deno.copyFile(blob, temporary));
    await Deno.rename(temporary, path);
  } catch (error) {
    throw unwritable(path, error);
  }
}

async function statOf(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch {
    return undefined;
  }
}

function defaultCache(env: HubSurroundings["env"]): string {
  const home = () =>
    env("HF_HOME") || join(env("XDG_CACHE_HOME") || join(homedir(), ".cache"), "huggingface");
  return env("HF_HUB_CACHE") || join(home(), "hub");
}
