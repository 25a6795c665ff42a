/**
 * Reads a classifier's answer.
 * @module
 */
import { isRefusal } from "../runs/match.ts";
import type { Label } from "./pair_rows.ts";

/** What an answer says. */
export interface ParsedLabel {
  /** 1 flagged, 0 not flagged, null when the answer does not say. */
  readonly label: Label | null;
  /** Why there is no label, or null. */
  readonly unparsed: string | null;
  /** The category of a JSON answer, or null. */
  readonly category: string | null;
  /** Whether the trimmed answer is exactly `0` or `1`. */
  readonly strict: boolean;
  /** Whether the answer refuses the task. */
  readonly refused: boolean;
}

/** Fields of a JSON answer that may hold the label. */
const LABEL_FIELDS = ["label", "binary_label"] as const;

/**
 * Reads the label of an answer: a lone `0` or `1` (quotes, backticks, asterisks and a full stop around it are let
 * through), or one JSON object, bare or in a fence, whose field `label` or `binary_label` is 0, 1, "0" or "1". Anything
 * else holds no label: a label inside a sentence, two labels, half an object. No answer is ever taken for 0.
 */
export function parseLabel(answer: string): ParsedLabel {
  const text = answer.trim();
  const strict = text === "0" || text === "1";
  const lone = /^["'`*\s]*([01])["'`*\s]*\.?["'`*\s]*$/.exec(text)?.[1];
  if (lone !== undefined) {
    return { label: lone === "1" ? 1 : 0, unparsed: null, category: null, strict, refused: false };
  }
  const none = (unparsed: string): ParsedLabel => ({
    label: null,
    unparsed,
    category: null,
    strict: false,
    refused: isRefusal(text),
  });
  if (text === "") return none("the answer is empty");
  const json = /^```(?:json)?\s*\n([^]*?)\n?```$/i.exec(text)?.[1] ?? text;
  if (!json.trim().startsWith("{")) return none("the answer is neither a lone 0 or 1 nor a JSON object");
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return none("the answer begins like a JSON object and is none");
  }
  const fields = value as Record<string, unknown>;
  const named = LABEL_FIELDS.filter((field) => Object.hasOwn(fields, field));
  if (named.length !== 1 || labelKeys(json) !== 1) {
    return none(named.length === 0 ? "the JSON object has no field label" : "the JSON object has two labels");
  }
  const label = fields[named[0] as string];
  if (label !== 0 && label !== 1 && label !== "0" && label !== "1") {
    return none(`the label is ${JSON.stringify(label).slice(0, 60)}, not 0 or 1`);
  }
  const { category } = fields;
  return {
    label: Number(label) as Label,
    unparsed: null,
    category: typeof category === "string" ? category : null,
    strict: false,
    refused: false,
  };
}

/** How often a label field is written: JSON.parse takes the last of equal keys and says nothing. */
function labelKeys(json: string): number {
  return json.match(/(?<!\\)"(?:binary_)?label"\s*:/g)?.length ?? 0;
}
