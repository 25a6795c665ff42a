/**
 * A models.json whose one API variant is a fault server.
 * @module
 */
import { join } from "node:path";
import { parseVariants, pickVariant, type Variant } from "../../backends/variants.ts";

/** The variant's name. */
export const FAULT = "fault";

/** The answer of {@linkcode answerFault}, and of the needle that ships. */
const ANSWER = "A compass, in the left pocket.";

/** Right when the shipped needle is in the prompt, else beside the point. Give it to `startFaultServer`. */
export function answerFault(prompt: string): string {
  return prompt.includes("Odalys never leaves the house") ? ANSWER : "A lantern hung by the door.";
}

/** The text of a models.json: variant `fault` at `url`, without a token limit unless `fields` sets one. */
export function faultModels(url: string, fields: Readonly<Record<string, unknown>> = {}): string {
  const variant = {
    backend: "api",
    description: "a server that fails on purpose",
    model: "fault",
    baseUrl: url,
    contextWindow: 100_000,
    limits: { tokensPerMinute: null, concurrency: 4 },
    ...fields,
  };
  return JSON.stringify({ variants: { [FAULT]: variant } });
}

/** The same as a parsed variant. */
export function faultVariant(url: string, fields: Readonly<Record<string, unknown>> = {}): Variant {
  return pickVariant(parseVariants(faultModels(url, fields), "models.json"), FAULT);
}

/** Writes a models.json into a folder. @returns its path, for PROBEBOOK_MODELS. */
export async function writeModels(folder: string, text: string): Promise<string> {
  const path = join(folder, "models.json");
  await Deno.writeTextFile(path, text);
  return path;
}
