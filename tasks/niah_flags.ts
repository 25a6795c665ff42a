/**
 * The flags of NIAH alone.
 * @module
 */
import { resolve } from "node:path";
import {
  type Flags,
  numberFlag,
  numbersFlag,
  pathFlag,
  switchFlag,
  textFlag,
} from "../lib/notebooks/task_flags.ts";

/** The flags of NIAH alone. */
export const NIAH_FLAGS: Flags = {
  lengths: numbersFlag("500,1000", "input lengths in tokens"),
  depths: numbersFlag("0,50,100", "needle depths in percent"),
  trials: numberFlag("N", "rows per cell"),
  seed: numberFlag("N", "draws texts and places"),
  haystack: pathFlag(
    "DIR",
    'of .txt and .md files, or "generated" (default data/PaulGrahamEssays, else generated)',
    ["generated"],
  ),
  "haystack-order": textFlag("ORDER", "sequential or shuffled"),
  needle: textFlag(
    "NAME|FILE.json",
    "low-overlap (default), high-overlap, two-hop, or {needle, question, answer}",
    (text) => text.endsWith(".json") ? resolve(text) : text,
  ),
  "vary-needle": switchFlag("another needle of the same kind in every trial"),
  distractors: numberFlag("0..4", "sentences that look like the needle"),
  "max-output-tokens": numberFlag("N", "cap of an answer"),
  temperature: numberFlag("T", "0 (default) is greedy"),
};
