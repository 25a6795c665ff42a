/**
 * The flags of splicing and of recording chains.
 * @module
 */
import { resolve } from "node:path";
import { type Flags, numberFlag, pathFlag, switchFlag, textFlag } from "../lib/notebooks/task_flags.ts";

const SAMPLING_FLAGS: Flags = {
  problems: textFlag("ID,ID", "only these problems"),
  "problem-count": numberFlag("N", "problems of our own, where no file is given (default 40; 4 with --test)"),
  seed: numberFlag("N", "draws our own problems; samples have the seeds N, N+1, ... (default 0)"),
  temperature: numberFlag("T", "of the samples (default 0.7)"),
  "top-p": numberFlag("P", "share of probability that is sampled from (default 0.95)"),
  "max-new-tokens": numberFlag("N", "cap of a sample (default 2048; 160 with --test)"),
};
const files = (text: string) => text.split(",").map((part) => resolve(part.trim())).join(",");

/** The flags of recording chains alone. */
export const RECORD_FLAGS: Flags = {
  "problems-file": pathFlag(
    "FILE.json",
    "problems with base_prompt, hinted_prompt, choices and both answers",
  ),
  "num-samples": numberFlag("N", "chains of each problem and prompt (default 10; 6 with --test)"),
  ...SAMPLING_FLAGS,
};

/** The flags of splicing alone. */
export const SPLICE_FLAGS: Flags = {
  "cot-data": textFlag(
    "FILE[,FILE]",
    "recorded chains: cot_responses.json or thought-branches (default: record them)",
    files,
  ),
  "problems-file": pathFlag("FILE.json", "prompts and choices, where the recorded chains lack them"),
  deltas: pathFlag("FILE.csv", "how far each sentence moved the answer"),
  "measure-deltas": switchFlag("measure that, by resampling behind every sentence"),
  "delta-threshold": numberFlag(
    "D",
    "splice sentences that moved it by D or more (default 0.5; 0.3 with --test)",
  ),
  "num-samples": numberFlag("N", "samples of each arm (default 50; 8 with --test)"),
  "record-samples": numberFlag("N", "chains recorded of each problem and prompt (default 10; 6 with --test)"),
  "delta-samples": numberFlag("N", "samples behind each sentence (default: those of each arm)"),
  arms: textFlag("A,B", 'names of arms, "splice" for the splice, its check and the base, or "all" (default)'),
  "max-points": numberFlag("N", "most splice points, largest deltas first"),
  ...SAMPLING_FLAGS,
};
