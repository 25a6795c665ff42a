/**
 * Policies: what a classifier is told.
 * @module
 */
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import type { Message } from "../backends/backend.ts";
import { InputError, messageOf } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";

/** A policy. */
export interface Policy {
  /** Its name: the file's, without its ending. */
  readonly name: string;
  /** What the classifier is told. */
  readonly text: string;
  /** SHA-256 of the text. */
  readonly hash: string;
}

/** The policies that ship, in `lib/parity/policies`. */
export const POLICIES = ["toxic_simple", "toxic_detailed", "toxic_rationale"] as const;

/** How a message is put before the classifier; changes whenever the same message would read differently. */
export const CLASSIFY_VERSION = 1;

/**
 * A policy that ships, or a `.md` or `.txt` file of your own.
 *
 * @throws {InputError} when there is no such policy, or the file is empty or cannot be read.
 */
export async function loadPolicy(name: string): Promise<Policy> {
  const ships = (POLICIES as readonly string[]).includes(name);
  if (!ships && !/\.(md|txt)$/.test(name)) {
    throw new InputError(
      `There is no policy ${JSON.stringify(name)}: choose ${
        POLICIES.join(", ")
      }, or give a .md or .txt file.`,
    );
  }
  const path = ships ? fileURLToPath(new URL(`./policies/${name}.md`, import.meta.url)) : name;
  let text: string;
  try {
    text = (await Deno.readTextFile(path)).trim();
  } catch (error) {
    throw new InputError(`Cannot read the policy ${path}: ${messageOf(error)}.`, { cause: error });
  }
  if (text === "") {
    throw new InputError(`The policy ${path} is empty: write what the classifier is to be told.`);
  }
  return { name: basename(path).replace(/\.(md|txt)$/, ""), text, hash: sha256(text) };
}

/** The chat that asks for a message's label. Marks inside the message are broken, so that it cannot end itself. */
export function classifyMessages(policy: Pick<Policy, "text">, message: string): Message[] {
  const inert = message.replaceAll(/<(\/?message>)/gi, "< $1");
  return [
    { role: "system", content: policy.text },
    { role: "user", content: `<message>\n${inert}\n</message>` },
  ];
}
