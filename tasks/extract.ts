/**
 * `deno task extract --experiment NAME`: vectors of traits, from a model's activations.
 * @module
 */
import { resolve } from "node:path";
import { tokenTexts } from "../lib/backends/local_decoding.ts";
import { openSteerable } from "../lib/backends/steerable.ts";
import { INTERRUPTED_EXIT } from "../lib/base/errors.ts";
import { log } from "../lib/base/log.ts";
import { setExitCode } from "../lib/notebooks/run_experiment_task.ts";
import {
  type Flags,
  flagsHelp,
  numberFlag,
  numbersFlag,
  pathFlag,
  readFlags,
  switchFlag,
  textFlag,
} from "../lib/notebooks/task_flags.ts";
import { stopOnSignal } from "../lib/runs/stop_on_signal.ts";
import {
  type ExtractSettings,
  parseExtractSettings,
  resultsExperiment,
} from "../lib/steering/extract_settings.ts";
import { bestLayers, extractionText, lensText } from "../lib/steering/extract_text.ts";
import { extractionSubjects, extractTraits, responseSampling } from "../lib/steering/extract_traits.ts";
import { describeVectorFile } from "../lib/steering/formats/describe_file.ts";
import { discover, foundText, listExperiments } from "../lib/steering/discover.ts";
import { layoutPath } from "../lib/steering/layout.ts";
import { logitLens } from "../lib/steering/logit_lens.ts";
import { responseRows } from "../lib/steering/trait_responses.ts";

const FLAGS: Flags = {
  experiment: textFlag("NAME", "the experiment (default styles)"),
  traits: textFlag("A[,B]", "traits (default all in the folder of the experiment's name)"),
  trait: textFlag("A", "the same"),
  "model-variant": textFlag("NAME", "whose activations are read (default the experiment's for extraction)"),
  position: textFlag("FRAME[SLICE]", "which tokens: response[:5], prompt[-1], all[:] (default response[:])"),
  component: textFlag("A[,B]", "residual, attn_out, mlp_out, k, v (default residual)"),
  method: textFlag(
    "A[,B]",
    "mean_diff, probe, pca_diff, gradient, random_baseline (default all but gradient)",
  ),
  layers: numbersFlag("N[,N]", "blocks, counted from 0 (default all)"),
  "max-output-tokens": numberFlag("N", "most tokens of a response (default 32)"),
  temperature: numberFlag("N", "of the responses (default 0)"),
  "held-out": numberFlag("N", "share of the pairs that vectors are tested on (default 0.3)"),
  pairs: numberFlag("N", "only the first so many pairs"),
  seed: numberFlag("N", "draws what is held out (default 0)"),
  gguf: textFlag("WHO", "also as GGUF, layers counted as by repeng, llama.cpp or easysteer"),
  "traits-folder": pathFlag("DIR", "where traits lie (default data/traits)"),
  experiments: pathFlag("DIR", "where experiments lie (default data/experiments)"),
  results: pathFlag("DIR", "where everything is written (default results)"),
  test: switchFlag("at most 40 pairs of each trait, in an experiment of its own (test_)"),
  plan: switchFlag("print what would be done; ask and write nothing"),
  list: switchFlag("print what is there of every experiment, or of --experiment"),
  show: pathFlag(
    "FILE",
    "print what a .safetensors, .gguf or .pt file of vectors holds; nothing in it is executed",
  ),
};

const COMMAND = "deno task extract";

async function main(args: readonly string[]): Promise<number> {
  const { help, plan, list, show, trait, ...given } = readFlags(args, FLAGS, COMMAND);
  if (help) {
    console.log(
      `Makes steering vectors of traits: draws responses to both sides, reads their activations, and makes a vector in\n` +
        `each layer by each method, tested on pairs that were held out.\n\n${COMMAND} [--test] [flags]\n\n${
          flagsHelp(FLAGS)
        }\n\n` +
        "Stop with Ctrl+C; the same command goes on where it was.\n",
    );
    return 0;
  }
  const both = [trait, given["traits"]].filter((names) => typeof names === "string");
  const settings = parseExtractSettings({
    results: resolve("results"),
    ...given,
    ...(both.length > 0 ? { traits: both.join(",") } : {}),
  });
  if (typeof show === "string") {
    console.log(await describeVectorFile(show, settings.gguf));
    return 0;
  }
  if (list) {
    const names = typeof given["experiment"] === "string"
      ? [settings.experiment]
      : await listExperiments(settings);
    for (const name of names) console.log(`${name}\n${foundText(await discover(name, settings))}\n`);
    if (names.length === 0) console.log(`There is no experiment in ${settings.results}.`);
    return 0;
  }
  if (plan) {
    console.log(await planText(settings));
    return 0;
  }
  const stop = new AbortController();
  using signals = stopOnSignal(() => stop.abort(), { onFirst: () => log("Stopping; what is done is kept.") });
  try {
    await extractTraits(settings, {
      log,
      signal: stop.signal,
      async onTrait(extraction, { steerable: { decoder } }) {
        const text = tokenTexts(decoder);
        const lenses: string[] = [];
        for (const best of bestLayers(extraction.vectors)) {
          const { component, method, vector } = best.vector;
          if (component !== "residual" || method === "random_baseline") continue;
          lenses.push(
            lensText(best, await logitLens(decoder, vector, { text, tokens: 8, signal: stop.signal })),
          );
        }
        console.log([extractionText(extraction), ...lenses, ""].join("\n"));
      },
    });
  } catch (error) {
    if (!signals.interrupted) throw error;
    console.error(`To go on: ${[COMMAND, ...args].join(" ")}`);
    return INTERRUPTED_EXIT;
  }
  return 0;
}

async function planText(settings: ExtractSettings): Promise<string> {
  const { variant, traits } = await extractionSubjects(settings);
  await using model = await openSteerable(variant);
  const sampling = responseSampling(settings);
  const layers = settings.layers?.length ?? model.decoder.numLayers;
  const lines = traits.map((trait) => {
    const rows = responseRows(trait, model, sampling);
    const prompt = rows.reduce((sum, { tokens }) => sum + tokens, 0);
    const most = rows.length * sampling.maxOutputTokens;
    const folder = layoutPath({
      kind: "extraction_responses",
      experiment: resultsExperiment(settings),
      trait: trait.name,
      variant: variant.name,
    }, settings);
    return `${trait.name}: ${
      rows.length / 2
    } pairs, ${prompt} prompt tokens, at most ${most} of responses, ` +
      `${layers * settings.component.length * settings.method.length} vectors -> ${folder}`;
  });
  return [
    `${variant.name} at ${settings.position}, ${settings.component.join(", ")}, ${
      settings.method.join(", ")
    }`,
    ...lines,
    "Nothing was asked or written.",
  ].join("\n");
}

if (import.meta.main) await setExitCode(() => main(Deno.args));
