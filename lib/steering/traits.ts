/**
 * Traits: folders of contrastive prompts, as trait-interp lays them out.
 *
 * ```
 * {trait}/definition.txt                 what it is, as a rubric for a judge
 * {trait}/positive.txt  negative.txt     a text to go on from on each line, or
 * {trait}/positive.jsonl negative.jsonl  {"prompt": ..., "system_prompt": ...} on each line
 * {trait}/steering.json                  {"questions": [...], "eval_prompt": ...}
 * ```
 *
 * Line i of one side belongs to line i of the other.
 * @module
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Message } from "../backends/backend.ts";
import { InputError, messageOf } from "../base/errors.ts";
import { readTextIfExists } from "../base/files.ts";
import { checkTrait } from "./layout.ts";

/** One side of a trait. */
export type TraitSide = "positive" | "negative";
/** Both sides. */
export const TRAIT_SIDES: readonly TraitSide[] = ["positive", "negative"];

/** What a model is given: a chat to answer, or a bare text to go on from. */
export interface TraitPrompt {
  /** The chat; empty for a bare text, which is given to the model without its chat template. */
  readonly messages: readonly Message[];
  /** The text to go on from; empty for a chat. */
  readonly text: string;
}

/** What steering.json says. Further fields are kept as they are. */
export interface TraitSteering {
  /** Questions to steer on. */
  readonly questions: readonly string[];
  /** A question for a judge, with `{question}` and `{answer}` in it. */
  readonly eval_prompt?: string | undefined;
  /** Whatever else the file holds. */
  readonly [key: string]: unknown;
}

/** A trait. */
export interface Trait {
  /** `formality/academic` */
  readonly name: string;
  /** What it is; empty when the folder has no definition.txt. */
  readonly definition: string;
  /** With the trait. */
  readonly positive: readonly TraitPrompt[];
  /** Without it; as many, in the same order. */
  readonly negative: readonly TraitPrompt[];
  /** Null when the folder has no steering.json. */
  readonly steering: TraitSteering | null;
}

/** Where traits lie. */
export interface TraitOptions {
  /** The folder of traits; `data/traits` of this project unless given. */
  readonly traits?: string;
}

/** The traits that ship. */
export const TRAITS_FOLDER: string = fileURLToPath(new URL("../../data/traits", import.meta.url));

const chatSchema = z.object({
  prompt: z.string().min(1),
  system_prompt: z.string().nullish(),
});
const steeringSchema = z.looseObject({
  questions: z.array(z.string().min(1)),
  eval_prompt: z.string().min(1).optional(),
});

/**
 * Reads a trait.
 *
 * @throws {InputError} when there is no such folder (the traits there are are listed), a file is missing or cannot be
 * read, or the sides have different numbers of lines.
 */
export async function readTrait(name: string, options: TraitOptions = {}): Promise<Trait> {
  const root = options.traits ?? TRAITS_FOLDER;
  const folder = join(root, checkTrait(name));
  if (!await isFolder(folder)) {
    const known = await listTraits(options);
    throw new InputError(`There is no trait ${name} in ${root}. Traits: ${known.join(", ") || "none"}.`);
  }
  const [positive, negative] = [await readSide(folder, "positive"), await readSide(folder, "negative")];
  if (positive.length !== negative.length) {
    throw new InputError(
      `${folder} has ${positive.length} positive and ${negative.length} negative lines: line i of one side belongs to ` +
        "line i of the other, so there must be as many.",
    );
  }
  const steeringPath = join(folder, "steering.json");
  const steeringText = await readTextIfExists(steeringPath);
  return {
    name,
    definition: (await readTextIfExists(join(folder, "definition.txt")) ?? "").trim(),
    positive,
    negative,
    steering: steeringText === undefined ? null : parsed(steeringSchema, steeringText, steeringPath),
  };
}

/** The names of the traits in a folder, sorted: every folder with a positive side. */
export async function listTraits(options: TraitOptions = {}): Promise<string[]> {
  const found: string[] = [];
  const walk = async (folder: string, name: string): Promise<void> => {
    const folders: string[] = [];
    let isTrait = false;
    for await (const entry of Deno.readDir(folder)) {
      if (entry.isDirectory && !entry.name.startsWith(".")) folders.push(entry.name);
      else if (/^positive\.(txt|jsonl)$/.test(entry.name)) isTrait = true;
    }
    if (isTrait && name !== "") found.push(name);
    for (const one of folders) await walk(join(folder, one), name === "" ? one : `${name}/${one}`);
  };
  const root = options.traits ?? TRAITS_FOLDER;
  if (await isFolder(root)) await walk(root, "");
  return found.sort();
}

async function readSide(folder: string, side: TraitSide): Promise<TraitPrompt[]> {
  const [textPath, chatPath] = [join(folder, `${side}.txt`), join(folder, `${side}.jsonl`)];
  const [texts, chats] = [await readText(textPath), await readText(chatPath)];
  if (texts !== undefined && chats !== undefined) {
    throw new InputError(
      `${folder} has both ${side}.txt and ${side}.jsonl: remove the one that does not count.`,
    );
  }
  const lines = (text: string) => text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const prompts = texts !== undefined
    ? lines(texts).map((text) => text.trimEnd()).filter((text) => text !== "").map((text) => ({
      messages: [],
      text,
    }))
    : chats !== undefined
    ? lines(chats).flatMap((line, i) =>
      line.trim() === "" ? [] : [chatOf(line, `${chatPath}, line ${i + 1}`)]
    )
    : undefined;
  if (prompts === undefined) throw new InputError(`${folder} has neither ${side}.txt nor ${side}.jsonl.`);
  if (prompts.length === 0) throw new InputError(`The ${side} side of ${folder} has no lines.`);
  return prompts;
}

function chatOf(line: string, where: string): TraitPrompt {
  const { prompt, system_prompt } = parsed(chatSchema, line, where);
  const system: Message[] = system_prompt ? [{ role: "system", content: system_prompt }] : [];
  return { messages: [...system, { role: "user", content: prompt }], text: "" };
}

function parsed<T>(schema: z.ZodType<T>, text: string, where: string): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new InputError(`${where} is not JSON: ${messageOf(cause)}`, { cause });
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  throw new InputError(`${where} has wrong fields; correct them:\n${z.prettifyError(result.error)}`, {
    cause: result.error,
  });
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readTextIfExists(path);
  } catch (cause) {
    throw new InputError(`Cannot read ${path}: ${messageOf(cause)}.`, { cause });
  }
}

async function isFolder(path: string): Promise<boolean> {
  return await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false);
}
