/**
 * The flags of steering sweeps and of trait dynamics.
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
import { resolve } from "node:path";

/** Where experiments and traits are, and whose vectors. */
const PLACE: Flags = {
  experiment: textFlag("NAME", "the experiment (default styles)"),
  traits: textFlag("A[,B]", "traits (default the styles that ship; the first alone with --test)"),
  "model-variant": textFlag("NAME", "the variant (default the experiment's for application)"),
  "vectors-from": textFlag("NAME", "whose vectors (default the experiment's for extraction)"),
  "prompt-set": textFlag(
    "NAME|FILE",
    "questions: a set of data/prompt_sets, or a .json, .jsonl or .txt file",
    (text) => /\.(json|jsonl|txt)$/i.test(text) ? resolve(text) : text,
  ),
  position: textFlag(
    "FRAME[SLICE]",
    "where vectors are read: response[:5], prompt[-1] (default response[:])",
  ),
  component: textFlag("NAME", "residual (default), attn_out or mlp_out"),
  layers: textFlag("A[,B]", "blocks from 0"),
  "max-output-tokens": numberFlag("N", "most tokens of an answer (default 256; fewer with --test)"),
  temperature: numberFlag("T", "0 (default) is greedy"),
  seed: numberFlag("N", "draws splits and controls, seeds answers above temperature 0"),
  "traits-folder": pathFlag("DIR", "where traits lie (default data/traits)"),
  experiments: pathFlag("DIR", "where experiments lie (default data/experiments)"),
};

/** The flags of a sweep alone. */
export const SWEEP_FLAGS: Flags = {
  ...PLACE,
  layers: textFlag("A[,B]", "blocks from 0; 1+2 steers both together (default the middle half)"),
  methods: textFlag("A[,B]", "mean_diff (default), probe, pca_diff, gradient; probe+mean_diff is their mean"),
  phase: textFlag("WHICH", "tokens steered: response (default), all, prompt, last_prompt"),
  mode: textFlag("HOW", "add (default), ablate or clamp"),
  search: textFlag("HOW", "adaptive (default) or grid"),
  ratios: numbersFlag("0.5,1", "strengths of a grid: length of the steering over that of the activations"),
  start: numberFlag("X", "first strength of an adaptive search (default 0.7)"),
  up: numberFlag("X", "factor after coherent answers (default 1.3)"),
  down: numberFlag("X", "factor after broken ones (default 0.85)"),
  steps: numberFlag("N", "strengths tried in each layer (default 8; 4 with --test)"),
  "coherent-share": numberFlag("0..1", "coherent answers a strength needs (default 0.75)"),
  questions: numberFlag("N", "most questions, half to choose on and half to report on"),
};

/** The flags of trait dynamics alone. */
export const DYNAMICS_FLAGS: Flags = {
  ...PLACE,
  "model-variant": textFlag("A[,B]", "variants side by side (default the experiment's for application)"),
  "responses-from": textFlag("NAME", "all read the responses of this variant"),
  layers: textFlag("A[,B]", "blocks from 0 (default the one in the middle); the first is drawn"),
  method: textFlag("NAME", "mean_diff (default), probe, pca_diff, gradient, random_baseline"),
  prompts: numberFlag("N", "most prompts"),
};

/** One trait, as another word for `--traits`. */
export const TRAIT_FLAG: Flags = { trait: textFlag("A", "the same as --traits, for one") };

/** The switch that shows a plan. */
export const PLAN_FLAG: Flags = {
  test: switchFlag("the small version, in files of its own (test_)"),
  plan: switchFlag("print rows, tokens and time; send and write nothing"),
};
