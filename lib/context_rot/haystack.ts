/**
 * Haystacks: where the text comes from in which a needle is hidden.
 * @module
 */
import { join } from "node:path";
import { InputError, messageOf } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";
import { createRandom } from "../base/random.ts";
import { sentenceStarts } from "./niah_prompt.ts";
import { prose } from "./prose.ts";

/** `sequential`: documents one after another as they are. `shuffled`: their sentences in seeded order. */
export type HaystackOrder = "sequential" | "shuffled";

/** Text of any length, the same for the same seed and trial. */
export interface Haystack {
  /** For people: `49 files of essays/` or `generated prose`. */
  readonly description: string;
  /** Hash of everything the text depends on. */
  readonly fingerprint: string;
  /** Characters before the text repeats itself; Infinity for the generator. */
  readonly uniqueChars: number;
  /** At least `chars` characters. Longer texts of a trial begin with its shorter ones. Trials differ. */
  text(trial: number, chars: number): string;
}

/** Settings of {@linkcode openHaystack}. */
export interface HaystackOptions {
  /** Draws the order of trials and sentences, and the generated prose. */
  readonly seed: number;
  /** `sequential` when left out. */
  readonly order?: HaystackOrder;
}

/**
 * The haystack of a folder, or generated prose where `folder` is null.
 *
 * Every .txt and .md file below the folder is read, in the order of their paths. Trial 0 begins with the first file;
 * other trials take the files in a seeded order. A folder shorter than what is asked for begins again from its start.
 *
 * @throws {InputError} when the folder is missing or holds no text.
 */
export async function openHaystack(folder: string | null, options: HaystackOptions): Promise<Haystack> {
  const { seed, order = "sequential" } = options;
  if (folder === null) return generatedHaystack(seed, order);
  const files = await textFiles(folder);
  const texts: string[] = [];
  for (const file of files) {
    const text = (await readText(file)).trim();
    if (text !== "") texts.push(text);
  }
  if (texts.length === 0) {
    throw new InputError(
      `The haystack folder ${folder} holds no text: put .txt or .md files with some prose there, ` +
        `or leave --haystack out to use generated prose.`,
    );
  }
  const uniqueChars = texts.reduce((sum, text) => sum + text.length, 0);
  return {
    description: `${texts.length} ${texts.length === 1 ? "file" : "files"} of ${folder}, ${order}`,
    fingerprint: sha256(`${order}\0${seed}\0${texts.join("\0")}`).slice(0, 16),
    uniqueChars,
    text: (trial, chars) => {
      const random = createRandom(`haystack/${seed}/${trial}`);
      const parts = order === "shuffled"
        ? random.shuffle(texts.flatMap(sentencesOf))
        : trial === 0
        ? texts
        : random.shuffle(texts);
      const once = parts.join(order === "shuffled" ? " " : "\n\n");
      let text = once;
      while (text.length < chars) text += `\n\n${once}`;
      return text;
    },
  };
}

function generatedHaystack(seed: number, order: HaystackOrder): Haystack {
  return {
    description: "generated prose",
    fingerprint: `prose-1/${order}/${seed}`,
    uniqueChars: Infinity,
    text: (trial, chars) => {
      const text = prose(chars, { seed: `${seed}/${trial}` });
      if (order === "sequential") return text;
      return createRandom(`haystack/${seed}/${trial}`).shuffle(sentencesOf(text)).join(" ");
    },
  };
}

function sentencesOf(text: string): string[] {
  const starts = sentenceStarts(text);
  return starts.map((start, i) => text.slice(start, starts[i + 1]).replaceAll(/\s+/g, " ").trim())
    .filter((sentence) => sentence !== "");
}

async function readText(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    throw new InputError(
      `The haystack file ${file} cannot be read (${messageOf(error)}): make it readable or move it away.`,
      { cause: error },
    );
  }
}

async function textFiles(folder: string): Promise<string[]> {
  const found: string[] = [];
  const walk = async (path: string) => {
    for await (const entry of Deno.readDir(path)) {
      const child = join(path, entry.name);
      if (entry.isDirectory) await walk(child);
      else if (/\.(txt|md)$/i.test(entry.name)) found.push(child);
    }
  };
  try {
    await walk(folder);
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound
      ? "does not exist"
      : `cannot be read (${messageOf(error)})`;
    throw new InputError(
      `The haystack folder ${folder} ${why}: give --haystack a folder of .txt or .md files, ` +
        `or leave it out to use generated prose.`,
      { cause: error },
    );
  }
  return found.sort();
}
