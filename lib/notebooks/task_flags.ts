/**
 * The flags of a task: one table that is parsed, and printed as help.
 * @module
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { InputError } from "../base/errors.ts";
import type { Json } from "../base/hash.ts";
import { camelCase } from "../base/names.ts";

/** One flag. Its name in kebab case is the notebook's parameter in camel case. */
export interface Flag {
  /** What stands behind it, as help shows it: `N`, `DIR`; null for a switch. */
  readonly takes: string | null;
  /** What it does, in a few words. */
  readonly help: string;
  /** Reads what stands behind it. @throws {InputError} */
  read(text: string, flag: string): Json;
}

/** Flags by name, in kebab case, in the order of the help. */
export type Flags = Readonly<Record<string, Flag>>;

/** A flag that is there or not. */
export function switchFlag(help: string): Flag {
  return { takes: null, help, read: () => true };
}

/** A flag with a text, changed by `read` when that is given. */
export function textFlag(
  takes: string,
  help: string,
  read: (text: string, flag: string) => Json = (text) => text,
): Flag {
  return { takes, help, read };
}

/** A flag with a number; `10_000` is ten thousand. */
export function numberFlag(takes: string, help: string): Flag {
  return { takes, help, read: numberOf };
}

/** A flag with numbers, separated by commas. */
export function numbersFlag(takes: string, help: string): Flag {
  return { takes, help, read: (text, flag) => text.split(",").map((part) => numberOf(part, flag)) };
}

/** A flag with a file or folder, made absolute; `keep` are words that are no path. */
export function pathFlag(takes: string, help: string, keep: readonly string[] = []): Flag {
  return { takes, help, read: (text) => keep.includes(text) ? text : resolve(text) };
}

function numberOf(text: string, flag: string): number {
  const value = Number(text.replaceAll("_", ""));
  if (text.trim() === "" || !Number.isFinite(value)) {
    throw new InputError(`--${flag} is ${JSON.stringify(text)}: give a number.`);
  }
  return value;
}

/**
 * What was given on the command line, by the flags' names in camel case. Flags that were not given are left out.
 *
 * @throws {InputError} for a flag that is not in the table, and for a value that cannot be read.
 */
export function readFlags(args: readonly string[], flags: Flags, command: string): Record<string, Json> {
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, flag]) => [
      name,
      { type: flag.takes === null ? "boolean" as const : "string" as const },
    ]),
  );
  let values: Record<string, string | boolean | undefined>;
  try {
    values =
      parseArgs({ args: [...args], options: { ...options, help: { type: "boolean", short: "h" } } }).values;
  } catch (error) {
    const message = (error as Error).message.replace(/\.?$/, ".");
    throw new InputError(`${message} Run ${command} --help for the flags.`, { cause: error });
  }
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      camelCase(name),
      typeof value === "string" ? (flags[name] as Flag).read(value, name) : value === true,
    ]),
  );
}

/** The flags as lines of help. */
export function flagsHelp(flags: Flags): string {
  const entries = Object.entries(flags).map(([name, { takes, help }]) =>
    [`--${name}${takes === null ? "" : ` ${takes}`}`, help] as const
  );
  const width = Math.min(28, Math.max(...entries.map(([flag]) => flag.length)));
  return entries.map(([flag, help]) => `  ${flag.padEnd(width)}  ${help}`).join("\n");
}
