/**
 * Input files as text and as checked JSON.
 * @module
 */
import { z } from "zod";
import { InputError, messageOf } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";
import { type Letter, LETTERS } from "./types.ts";

/** A file that was read. */
export interface InputText {
  /** Where it is. */
  readonly path: string;
  /** Its text, without a byte order mark. */
  readonly text: string;
  /** SHA-256 of its bytes. */
  readonly sha256: string;
}

/** Above this many bytes a file is refused: it would not fit into one text. */
const MOST_BYTES = 256 * 2 ** 20;

/**
 * Reads a text file whole.
 *
 * @param flag names the file on the command line, for messages
 * @param most most bytes, 256 MiB unless given
 * @throws {InputError} when it is missing, a folder, too large, empty, or no text in UTF-8.
 */
export async function readInputText(
  path: string,
  flag: string,
  most: number = MOST_BYTES,
): Promise<InputText> {
  const wrong = (what: string, cause?: unknown) =>
    new InputError(`${path} ${what}`, cause === undefined ? {} : { cause });
  let bytes: Uint8Array;
  try {
    const info = await Deno.stat(path);
    if (info.isDirectory) throw wrong(`is a folder: give a file with ${flag}.`);
    if (info.size > most) {
      throw wrong(
        `has ${info.size.toLocaleString("en-US")} bytes, at most ${
          most.toLocaleString("en-US")
        } are read at once: ` +
          `split it and give the parts.`,
      );
    }
    bytes = await Deno.readFile(path);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw wrong(`cannot be read (${messageOf(error)}): give a file that exists with ${flag}.`, error);
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw wrong("is not a text file in UTF-8: save it as UTF-8.", error);
  }
  if (text.startsWith("version https://git-lfs")) {
    throw wrong("is a Git LFS pointer, not the file: fetch it with git lfs pull.");
  }
  if (text.trim() === "") throw wrong("is empty: give the whole file.");
  return { path, text, sha256: sha256(bytes) };
}

/**
 * JSON of a file.
 *
 * @throws {InputError} when it is cut off or no JSON.
 */
export function parseJson({ path, text }: Pick<InputText, "path" | "text">): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const torn = /[}\]]\s*$/.test(text) ? "" : " It looks cut off.";
    throw new InputError(`${path} is not JSON (${messageOf(error)}).${torn} Get the whole file again.`, {
      cause: error,
    });
  }
}

/**
 * A value of a file, checked.
 *
 * @param place where the value stands in the file: `record 3 (question_id 12)`
 * @throws {InputError} naming file, place, field and what was expected.
 */
export function checkedValue<T>(schema: z.ZodType<T>, value: unknown, path: string, place: string): T {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  const issues = error.issues.slice(0, 3).map((issue) => {
    const field = issue.path.map((key) => typeof key === "number" ? `[${key}]` : `.${String(key)}`).join("");
    return `${field.replace(/^\./, "") || "the record"}: ${issue.message}`;
  });
  const more = error.issues.length > 3 ? ` (and ${error.issues.length - 3} more)` : "";
  throw new InputError(
    `${path}, ${place}: ${issues.join("; ")}${more}. Correct the file or leave the record out.`,
    {
      cause: error,
    },
  );
}

/** A letter as files write it: `A`, `a`, `(A)`, `A.`; null for anything else. */
export function letterOf(value: unknown): Letter | null {
  if (typeof value !== "string") return null;
  const found = /^\s*[([]?\s*([A-Za-z])\s*[)\]]?\s*[.:]?\s*$/.exec(value)?.[1]?.toUpperCase();
  return LETTERS.find((letter) => letter === found) ?? null;
}

/** An id as files write it. */
export const idSchema = z.union([z.string().trim().min(1), z.number()], {
  error: "an id, a text or a number, was expected",
});

/** Where a record stands in its file: `record 3 (pn 12)`. */
export function placeOf(index: number, record: unknown, key: string): string {
  const id = typeof record === "object" && record !== null
    ? (record as Record<string, unknown>)[key]
    : undefined;
  const name = typeof id === "string" || typeof id === "number" ? ` (${key} ${String(id).slice(0, 40)})` : "";
  return `record ${index + 1}${name}`;
}

/** An id as text: `12` and `"12"` are the same. */
export function idOf(value: string | number): string {
  return String(value).trim();
}

/** Ids in the order people expect: numbers by value, then texts. */
export function compareIds(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true }) || (a < b ? -1 : a > b ? 1 : 0);
}
