/**
 * The flags of the comparison of backends alone.
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

/** The flags of the comparison of backends alone. */
export const COMPARE_FLAGS: Flags = {
  backends: textFlag("A,B", "two ways to the model: api, local, served, or variants (default api,local)"),
  variants: textFlag(
    "A,B",
    "two variants by name; VARIANT-served is an in-process one behind our own server",
  ),
  "sample-size": numberFlag("N", "messages classified (default 100; 80 with --test)"),
  policy: textFlag(
    "NAME|FILE",
    "toxic_simple (default), toxic_detailed, toxic_rationale, or a .md or .txt file",
    (text) => /\.(md|txt)$/.test(text) ? resolve(text) : text,
  ),
  data: pathFlag(
    "FILE",
    "ToxicChat's columns, .csv or .parquet (default data/toxicchat.*, else our own sample)",
  ),
  design: textFlag("DESIGN", "balanced (default), natural or neyman"),
  "expected-disagreement": numbersFlag("0.03,0.2", "for neyman: of other and of toxic messages"),
  seed: numberFlag("N", "draws the sample, seeds permutations and bootstraps"),
  passes: numberFlag("N", "how often each backend is asked (default 2; the second makes the noise floor)"),
  temperature: numberFlag("T", "0 (default) is greedy"),
  "max-output-tokens": numberFlag("N", "cap of an answer"),
  logprobs: switchFlag("ask for log-probabilities (in-process models and our server are asked anyway)"),
  criterion: numberFlag("0..1", "share of equal labels that is wanted (default 0.95)"),
};

/** The flags of a published table's report. */
export const FROM_FLAGS: Flags = {
  from: pathFlag("LABELS.csv", "report a table of labels instead: api_label, local_label, api_parsed, ..."),
  json: switchFlag("with --from: print the statistics as JSON"),
};
