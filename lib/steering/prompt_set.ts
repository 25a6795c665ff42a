/**
 * Prompt sets: questions that models are steered or watched on.
 * @module
 */
import { basename, extname, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { InputError } from "../base/errors.ts";
import { readTextIfExists } from "../base/files.ts";
import { isSegment } from "./layout.ts";

/** A prompt of a set. */
export interface SetPrompt {
  /** Names its files; unique in the set. */
  readonly id: string;
  /** What is asked. */
  readonly text: string;
}

/** Questions with a name. */
export interface PromptSet {
  /** As folders are named after it. */
  readonly name: string;
  /** In their order. */
  readonly prompts: readonly SetPrompt[];
}

/** Where prompt sets lie that are given by name. */
export const PROMPT_SETS: string = fileURLToPath(new URL("../../data/prompt_sets", import.meta.url));

const text = z.string().trim().min(1);
const id = z.union([z.string().min(1).max(100), z.int().nonnegative()]).transform(String)
  .refine(isSegment, "letters, digits and _ . - as a file is named");
const entrySchema = z.union([
  text.transform((prompt) => ({ prompt, id: undefined })),
  z.looseObject({ id: id.optional(), prompt: text }),
  z.looseObject({ id: id.optional(), text }).transform(({ text: prompt, id }) => ({ prompt, id })),
  z.looseObject({ id: id.optional(), question: text }).transform(({ question: prompt, id }) => ({
    prompt,
    id,
  })),
]);
const listSchema = z.union([
  z.array(entrySchema),
  z.looseObject({ prompts: z.array(entrySchema) }).transform(({ prompts }) => prompts),
  z.looseObject({ questions: z.array(entrySchema) }).transform(({ questions }) => questions),
]);
const ENDINGS = ["json", "jsonl", "txt"];

/**
 * Reads a prompt set: a name of `data/prompt_sets`, or a file. `.json` holds a list, or an object with `prompts` or
 * `questions`; `.jsonl` and `.txt` have a prompt in each line. A prompt is a text, or an object with `prompt`, `text` or
 * `question`, and an `id` where it is to have one.
 *
 * @throws {InputError} when there is no such set, or it is empty or damaged.
 */
export async function loadPromptSet(nameOrFile: string, folder: string = PROMPT_SETS): Promise<PromptSet> {
  const ending = extname(nameOrFile).slice(1).toLowerCase();
  const isFile = ENDINGS.includes(ending) || isAbsolute(nameOrFile);
  const name = isFile ? basename(nameOrFile, extname(nameOrFile)) : nameOrFile;
  if (!isSegment(name)) {
    throw new InputError(
      `The prompt set ${
        JSON.stringify(nameOrFile)
      } cannot name a folder: name it with letters, digits and _ . -`,
    );
  }
  const paths = isFile ? [nameOrFile] : ENDINGS.map((known) => join(folder, `${name}.${known}`));
  for (const path of paths) {
    const content = await readTextIfExists(path);
    if (content !== undefined) return { name, prompts: parsePrompts(content, path) };
  }
  throw new InputError(
    `There is no prompt set ${
      JSON.stringify(nameOrFile)
    }: give a .json, .jsonl or .txt file, or put one into ${folder}. ` +
      `There are: ${await promptSetNames(folder) || "none"}.`,
  );
}

async function promptSetNames(folder: string): Promise<string> {
  try {
    const names: string[] = [];
    for await (const { name } of Deno.readDir(folder)) names.push(basename(name, extname(name)));
    return names.sort().join(", ");
  } catch {
    return "";
  }
}

/** The prompts of a list of texts, numbered from 1. */
export function numberedPrompts(texts: readonly string[]): SetPrompt[] {
  const digits = String(texts.length).length;
  return texts.map((text, i) => ({ id: String(i + 1).padStart(digits, "0"), text }));
}

function parsePrompts(content: string, path: string): SetPrompt[] {
  const lines = content.split(/\r?\n/).filter((line) => line.trim() !== "");
  let list: unknown;
  try {
    list = /\.txt$/i.test(path)
      ? lines.map((line) => line.trim())
      : /\.jsonl$/i.test(path)
      ? lines.map((line) => JSON.parse(line) as unknown)
      : JSON.parse(content);
  } catch (cause) {
    throw new InputError(`The prompt set ${path} is not JSON: ${(cause as Error).message}`, { cause });
  }
  const parsed = listSchema.safeParse(list);
  if (!parsed.success) {
    throw new InputError(
      `The prompt set ${path} is no list of prompts; correct it:\n${z.prettifyError(parsed.error)}`,
      { cause: parsed.error },
    );
  }
  if (parsed.data.length === 0) throw new InputError(`The prompt set ${path} is empty: add a prompt.`);
  const numbered = numberedPrompts(parsed.data.map(({ prompt }) => prompt));
  const prompts = numbered.map((one, i) => ({ ...one, id: parsed.data[i]?.id ?? one.id }));
  const ids = prompts.map((one) => one.id);
  const twice = ids.find((one, i) => ids.indexOf(one) !== i);
  if (twice !== undefined) {
    throw new InputError(`The prompt set ${path} has two prompts with the id ${twice}: give each its own.`);
  }
  return prompts;
}
