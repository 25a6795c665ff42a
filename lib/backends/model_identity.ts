/**
 * What a variant is, wherever it runs.
 * @module
 */
import type { Json } from "../base/hash.ts";
import { variantPrints } from "./checkpoint_print.ts";
import type { Variant } from "./variants.ts";

/** Settings of a variant that do not change what it answers, and folders, which say where and not what. */
const NOT_IDENTITY = new Set([
  ...["description", "limits", "price", "priceModel", "contextWindow", "trainedWindow", "maxOutputTokens"],
  ...["folder", "loraFolder", "device", "deployment", "baseUrl", "baseUrlEnv", "apiKeyEnv", "headers"],
  "latencyMs",
]);

/** What a variant is, for row ids: the same on every machine that shares a run, wherever its checkpoint lies. */
export function modelIdentity(variant: Variant): Json {
  const prints = variant.backend === "local" ? variantPrints(variant) : null;
  const known = new Set([prints?.checkpoint ? "model" : "", prints?.adapter ? "lora" : ""]);
  const identity = Object.entries(variant).filter(([key]) => !NOT_IDENTITY.has(key) && !known.has(key));
  return JSON.parse(JSON.stringify({ ...Object.fromEntries(identity), ...prints })) as Json;
}
