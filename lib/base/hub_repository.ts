/**
 * A repository of the Hugging Face hub: what is in it, and where.
 * @module
 */
import { z } from "zod";
import type { Digest } from "./download.ts";
import { InputError, messageOf } from "./errors.ts";

const REPOSITORY = /^[A-Za-z0-9][\w.-]{0,95}\/[A-Za-z0-9][\w.-]{0,95}$/;
/** A commit of a repository. */
export const COMMIT: RegExp = /^[0-9a-f]{40}$/;

const listed = z.looseObject({
  type: z.string(),
  path: z.string().max(1000),
  size: z.int().nonnegative(),
  oid: z.string().regex(/^[0-9a-f]{40}$/).optional(),
  lfs: z.looseObject({ oid: z.string().regex(/^[0-9a-f]{64}$/), size: z.int().nonnegative() }).nullish(),
});
/** A file as the hub lists it. */
export interface HubFile {
  /** `file` or `directory`. */
  readonly type: string;
  /** In the repository. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Git's hash of the file. */
  readonly oid?: string | undefined;
  /** Where the contents lie in the large file store: their SHA-256 and size. */
  readonly lfs?: { readonly oid: string; readonly size: number } | null | undefined;
}

/** Whether a text has the form OWNER/NAME of a hub repository. */
export function isRepository(text: string): boolean {
  return REPOSITORY.test(text) && !text.includes("..");
}

/** How a repository is asked for. */
export interface HubRepositoryOptions {
  /** What it holds; a model when left out. */
  readonly type?: "model" | "dataset";
  /** Reads HF_ENDPOINT and HF_TOKEN. */
  readonly env: (name: string) => string | undefined;
  /** What to do without a connection, as a sentence. */
  readonly advice: string;
}

/** One repository on the hub. */
export class HubRepository {
  /** Address of the hub. */
  readonly endpoint: string;
  /** HF_TOKEN, where it is set. */
  readonly token: string | undefined;
  readonly #repo: string;
  readonly #options: HubRepositoryOptions;

  /**
   * Nothing is asked yet.
   *
   * @param repo OWNER/NAME
   * @throws {InputError} when HF_ENDPOINT or HF_TOKEN is none.
   */
  constructor(repo: string, options: HubRepositoryOptions) {
    const { env } = options;
    this.#repo = repo;
    this.#options = options;
    this.endpoint = (env("HF_ENDPOINT") || "https://huggingface.co").replace(/\/+$/, "");
    if (!/^https?:$/.test(URL.parse(this.endpoint)?.protocol ?? "")) {
      throw new InputError("HF_ENDPOINT is not an address: give one such as https://huggingface.co.");
    }
    this.token = env("HF_TOKEN")?.trim() || undefined;
    if (this.token !== undefined && !/^hf_\w+$/.test(this.token)) {
      throw new InputError("HF_TOKEN does not look like a token of the hub: those begin with hf_.");
    }
  }

  /** Address of a file. */
  url(commit: string, name: string): string {
    const kind = this.#options.type === "dataset" ? "datasets/" : "";
    return `${this.endpoint}/${kind}${this.#repo}/resolve/${commit}/${
      name.split("/").map(encodeURIComponent).join("/")
    }`;
  }

  /**
   * The commit a revision stands for now, and its files.
   *
   * @throws {InputError} when the hub cannot be asked, refuses, or lists what it must not.
   */
  async list(
    revision: string,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly commit: string; readonly files: ReadonlyMap<string, HubFile> }> {
    const { datasetInfo, listFiles, modelInfo } = await import("@huggingface/hub");
    const { type = "model", advice } = this.#options;
    const params = {
      hubUrl: this.endpoint,
      fetch: (input: RequestInfo | URL, init?: RequestInit) =>
        fetch(input, { ...init, ...(signal ? { signal } : {}) }),
      ...(this.token === undefined ? {} : { accessToken: this.token }),
    };
    try {
      const wanted = { name: this.#repo, revision, ...params };
      const { sha } = type === "model"
        ? await modelInfo({ ...wanted, additionalFields: ["sha"] })
        : await datasetInfo({ ...wanted, additionalFields: ["sha"] });
      if (!COMMIT.test(sha)) {
        throw new InputError(`The hub names no commit for ${this.#repo} at ${revision}.`);
      }
      const files = new Map<string, HubFile>();
      for await (const raw of listFiles({ repo: { type, name: this.#repo }, revision: sha, ...params })) {
        const { success, data: entry, error } = listed.safeParse(raw);
        if (!success) {
          throw new InputError(`The hub lists a malformed file of ${this.#repo}: ${z.prettifyError(error)}`);
        }
        if (!isPlainPath(entry.path)) {
          throw new InputError(
            `${this.#repo} lists the file ${
              JSON.stringify(entry.path.slice(0, 100))
            }, whose name leads out of a ` +
              "folder: do not use this repository.",
          );
        }
        if (entry.type === "file") files.set(entry.path, entry);
      }
      return { commit: sha, files };
    } catch (error) {
      if (error instanceof InputError || signal?.aborted) throw error;
      const status: unknown = error instanceof Error ? Reflect.get(error, "statusCode") : undefined;
      if (typeof status === "number" && status < 500) {
        throw hubRefusal(status, `${this.#repo} at ${revision}`);
      }
      throw new InputError(
        `Cannot ask ${this.endpoint} for ${this.#repo}: ${
          typeof status === "number" ? `it answers ${status}` : messageOf(error)
        }. Check the connection and HF_ENDPOINT. ${advice}`,
      );
    }
  }
}

/** Whether a listed path stays inside the folder it is put into, on any system. */
function isPlainPath(path: string): boolean {
  return !/[\\:\0]/.test(path) &&
    path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

/** Size and digest of a listed file. @throws {InputError} when the hub lists no digest. */
export function contentOf(
  repo: string,
  { lfs, oid, size, path }: HubFile,
): { readonly size: number; readonly digest: Digest } {
  if (lfs) return { size: lfs.size, digest: { kind: "sha256", hex: lfs.oid } };
  if (oid !== undefined) return { size, digest: { kind: "git", hex: oid } };
  throw new InputError(`The hub lists no digest for ${repo}/${path}: it cannot be checked.`);
}
/** The error for a status with which the hub refuses for good. */
export function hubRefusal(status: number, what: string, cause?: unknown): InputError {
  if (status === 401 || status === 403) {
    return new InputError(
      `The hub refuses ${what} (${status}): it does not exist, or is private or gated. Check the name; otherwise ` +
        "accept its terms on its page and put a token that may read it into HF_TOKEN.",
      { cause },
    );
  }
  if (status === 404) {
    return new InputError(`The hub has no ${what} (404): check the name and the revision.`, { cause });
  }
  return new InputError(`The hub refuses ${what} (${status}).`, { cause });
}
