/**
 * Styles: how a model is told to write, and how writing in the style is told from plain writing.
 * @module
 */
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import type { Message } from "../backends/backend.ts";
import { InputError, messageOf } from "../base/errors.ts";
import { hashJson } from "../base/hash.ts";

/** The styles that ship, in `lib/steering/styles`. */
export const STYLES = ["researcher_style", "step_by_step_reasoning", "creative_explorer"] as const;
/** The name of a style that ships. */
export type StyleName = typeof STYLES[number];

/** Which of the two prompts of a style is given. */
export type Side = "positive" | "neutral";

/** A style. */
export interface Style {
  /** Its name: the file's, without its ending. */
  readonly name: string;
  /** One line for people. */
  readonly description: string;
  /** What a model is told so that it writes in the style. */
  readonly positive: string;
  /** What it is told so that it writes plainly. */
  readonly neutral: string;
  /** By name: what a sentence in the style holds. */
  readonly markers: Readonly<Record<string, RegExp>>;
  /** Questions to ask a teacher. */
  readonly questions: readonly string[];
  /** Hash of all of it. */
  readonly hash: string;
}

const text = z.string().trim().min(1);
const expression = text.max(1000).transform((source, context) => {
  try {
    return new RegExp(source, "iu");
  } catch (error) {
    context.addIssue({ code: "custom", message: `not a regular expression: ${messageOf(error)}` });
    return z.NEVER;
  }
});
const styleSchema = z.strictObject({
  description: text,
  positive: text,
  neutral: text,
  markers: z.record(z.string().min(1), expression).refine((all) => Object.keys(all).length > 0, {
    message: "at least one",
  }),
  questions: z.array(text).min(1),
}).refine(({ positive, neutral }) => positive !== neutral, {
  message: "the positive and the neutral prompt are the same",
});
/** The name of a style as it was given: its own, or that of its file. */
export function styleNameOf(given: string): string {
  return basename(given).replace(/\.ya?ml$/, "");
}

const NAME = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;

/**
 * A style that ships, or a `.yaml` file of your own with the same fields.
 *
 * @throws {InputError} when there is no such style, or its file is wrong: each field is named.
 */
export async function loadStyle(name: string): Promise<Style> {
  const ships = (STYLES as readonly string[]).includes(name);
  if (!ships && !/\.ya?ml$/.test(name)) {
    throw new InputError(
      `There is no style ${JSON.stringify(name)}: choose ${STYLES.join(", ")}, or give a .yaml file.`,
    );
  }
  const path = ships ? fileURLToPath(new URL(`./styles/${name}.yaml`, import.meta.url)) : name;
  let source: unknown;
  try {
    source = parseYaml(await Deno.readTextFile(path));
  } catch (error) {
    throw new InputError(`Cannot read the style ${path}: ${messageOf(error)}`, { cause: error });
  }
  const parsed = styleSchema.safeParse(source);
  if (!parsed.success) {
    throw new InputError(
      `The style ${path} has wrong fields; correct them:\n${z.prettifyError(parsed.error)}`,
      {
        cause: parsed.error,
      },
    );
  }
  const own = styleNameOf(path);
  if (!NAME.test(own)) {
    throw new InputError(`The style ${path} cannot be named after its file: name it such as my_style.yaml.`);
  }
  const { markers } = parsed.data;
  const sources = Object.fromEntries(Object.entries(markers).map(([marker, { source }]) => [marker, source]));
  return { name: own, ...parsed.data, hash: hashJson({ ...parsed.data, markers: sources }) };
}

/**
 * The chat that asks a question under one of a style's prompts. The prompt stands in the user's message, because not
 * every model knows a system role.
 */
export function styleMessages(
  style: Pick<Style, "positive" | "neutral">,
  side: Side,
  question: string,
): Message[] {
  return [{ role: "user", content: `${style[side]}\n\n${question}` }];
}
