/**
 * The flags of LongMemEval alone.
 * @module
 */
import { type Flags, numberFlag, pathFlag } from "../lib/notebooks/task_flags.ts";

/** The flags of LongMemEval alone. */
export const LONGMEMEVAL_FLAGS: Flags = {
  data: pathFlag(
    "DIR",
    'with cleaned_longmemeval_s_{focused,full}.csv, or "sample" (default data, else our own sample)',
    ["sample"],
  ),
  "question-types": pathFlag("FILE", "LongMemEval's own JSON file (default: beside the data)"),
  seed: numberFlag("N", "draws answers when the temperature is above 0"),
  "max-output-tokens": numberFlag("N", "cap of an answer"),
  temperature: numberFlag("T", "0 (default) is greedy"),
};
