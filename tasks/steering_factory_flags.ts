/**
 * The flags of the factory of steering vectors.
 * @module
 */
import {
  type Flags,
  numberFlag,
  numbersFlag,
  pathFlag,
  switchFlag,
  textFlag,
} from "../lib/notebooks/task_flags.ts";

/** The flags that say which vectors are made. */
export const VECTOR_FLAGS: Flags = {
  styles: textFlag("A[,B]", "styles that ship, or .yaml files (default: the three that ship)"),
  config: pathFlag("FILE.yaml", "settings: teacher_model, target_model, device, load_in_8bit, ..."),
  experiment: textFlag("NAME", "data/experiments/NAME/config.json names its model variants"),
  "vectors-from": textFlag("VARIANT", "read vectors from this variant (default: the one that is steered)"),
  teacher: textFlag("VARIANT", "have it make the pairs (default: the pairs that ship)"),
  pairs: pathFlag("DIR", "use the {style}_pairs.jsonl of a folder"),
  "max-pairs": numberFlag("N", "most pairs of a style (default all)"),
  form: textFlag(
    "FORM",
    "what the texts of a pair differ in: instructions (default), answers (with --teacher or --pairs), examples",
  ),
  shots: numberFlag("N", "worked examples, for form examples (default 3)"),
  token: numberFlag(
    "N",
    "the token read, from the end of each text (default: the one that vectors are added to; of answers the last)",
  ),
  "raw-keys": switchFlag("keys with their positions, as they are cached"),
  layers: textFlag("8-15", "layers read and steered, a set such as 2,3 or 8-15"),
  seed: numberFlag("N", "draws questions and random vectors"),
};

/** The flags of the factory. */
export const STEERING_FACTORY_FLAGS: Flags = {
  ...VECTOR_FLAGS,
  "model-variant": textFlag("VARIANT", "the variant that is steered, of the experiment (default --model)"),
  keys: numbersFlag("0,1", "c_k: how many times keys are added"),
  values: numbersFlag("1,2,4", "c_v: how many times values are added"),
  questions: pathFlag("FILE", "questions, .jsonl ({question, answer}) or .txt (default our own)"),
  "max-questions": numberFlag("N", "most questions, half to choose on and half to report on"),
  "coherent-share": numberFlag("0..1", "share of coherent answers a strength needs (default 0.75)"),
  "max-output-tokens": numberFlag("N", "cap of an answer"),
  temperature: numberFlag("T", "0 (default) is greedy"),
};
