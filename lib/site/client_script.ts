/**
 * The scripts of pages: TypeScript without its types.
 * @module
 */
import { stripTypeScriptTypes } from "node:module";

/** The name of a script. */
export type ScriptName = "inspector.js" | "live.js";

/** Files of the folder `client` by script, each after those it imports from. */
const SCRIPTS: Record<ScriptName, readonly string[]> = {
  "inspector.js": ["visible.ts", "inspector.ts"],
  "live.js": ["live.ts"],
};

/** A script as a browser runs it: its files one after the other in a scope of their own, without imports and types. */
export async function clientScript(name: ScriptName): Promise<string> {
  const texts = await Promise.all(
    SCRIPTS[name].map((file) => Deno.readTextFile(new URL(`./client/${file}`, import.meta.url))),
  );
  const code = texts.map((text) =>
    stripTypeScriptTypes(text).replace(/^import .*;$/gm, "").replace(
      /^export (?=(async )?(function|const|interface))/gm,
      "",
    )
  ).join("\n");
  return `"use strict";\n{\n${code.replace(/[ \t]+$/gm, "").replace(/\n{3,}/g, "\n\n")}\n}\n`;
}
