/**
 * Takes out of texts what is nobody else's business: secrets, and where things lie on this machine.
 * @module
 */
import { homedir } from "node:os";
import { redact, REDACTED } from "../backends/redact.ts";

/** What a scrubber takes out. */
export interface ScrubOptions {
  /** Exact values to hide. */
  readonly secrets?: readonly string[];
  /** What is written for folders of this machine, by their absolute path. */
  readonly folders?: Readonly<Record<string, string>>;
  /** The home folder; this user's when left out. */
  readonly home?: string;
}

/** Names of environment variables whose values are taken for secrets. */
const SECRET_NAME = /(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$/i;

/** The values of all environment variables that are named like secrets. For scrubbing alone. */
export function environmentSecrets(env: Readonly<Record<string, string>> = Deno.env.toObject()): string[] {
  return Object.entries(env).filter(([name, value]) => SECRET_NAME.test(name) && value.length >= 8).map((
    [, value],
  ) => value);
}

/**
 * Makes a scrubber: known secrets and what looks like one, then known folders, then anybody's home folder. Separators may
 * be doubled, as they are in JSON.
 */
export function createScrubber(options: ScrubOptions = {}): (text: string) => string {
  const { secrets = [], folders = {}, home = homedir() } = options;
  const known = Object.entries({ [home]: "~", ...folders })
    .filter(([folder]) => folder.length > 1)
    .sort(([a], [b]) => b.length - a.length)
    .map(([folder, name]) => [pathPattern(folder), name] as const);
  return (text) => {
    let clean = redact(text, secrets);
    for (const [pattern, name] of known) clean = clean.replace(pattern, name);
    return clean
      .replace(/(?<![\w.])(?:\/(?:home|Users)\/[^/\s"'<>:;,&]+|\/root)(?=[/\s"'<>:;,&)]|$)/g, "~")
      .replace(/\b[A-Za-z]:(?:\\\\?|\/)Users(?:\\\\?|\/)[^\\/\s"'<>:;,&]+/g, "~");
  };
}

/** A folder's path, also as a file URL and with separators doubled, but not as a part of a longer name. */
function pathPattern(folder: string): RegExp {
  const parts = folder.split(/[\\/]/).map((part) => part.replace(/[.*+?^${}()|[\]]/g, "\\$&"));
  return new RegExp(`(?:file://)?${parts.join("(?:\\\\\\\\?|/)")}(?![\\w-])`, "g");
}

/** A JSON value with every text in it scrubbed; images are left as they are, but keys are not. */
export function scrubJson<T>(value: T, scrub: (text: string) => string): T {
  if (typeof value === "string") return scrub(value) as T;
  if (Array.isArray(value)) return value.map((item) => scrubJson(item, scrub)) as T;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [
    scrub(key),
    /^image\/(?!svg)/.test(key) ? item : scrubJson(item, scrub),
  ]);
  return Object.fromEntries(entries) as T;
}

export { REDACTED };
