/**
 * Trait dynamics: responses of variants as a kind of experiment, and what is read of them afterwards.
 * @module
 */
import { basename, extname, join } from "node:path";
import { openSteerable } from "../backends/steerable.ts";
import { snakeName, type Variant } from "../backends/variants.ts";
import { InputError } from "../base/errors.ts";
import { writeAtomic } from "../base/files.ts";
import type { Json } from "../base/hash.ts";
import { log as logLine } from "../base/log.ts";
import { svgToPng } from "../figures/svg_to_png.ts";
import type { Report } from "../runs/experiment.ts";
import { defineKind, type ExperimentKind, splitSettings } from "../runs/experiment_kind.ts";
import { finishedResults, type RunSequence } from "../runs/sequence.ts";
import { type StartOptions, startRuns } from "../runs/start_runs.ts";
import { type DynamicsConfig, dynamicsConfigSchema } from "./dynamics_config.ts";
import { createResponses, promptsOf, readResponses, responsesFile } from "./dynamics_experiment.ts";
import { dynamicsReport, type VariantProjections } from "./dynamics_report.ts";
import { getModelVariant } from "./experiment_config.ts";
import { resultsExperiment } from "./extract_settings.ts";
import { layoutPath } from "./layout.ts";
import { projectText, type TextProjection, writeProjections } from "./project_traits.ts";
import { loadPromptSet } from "./prompt_set.ts";
import { captureRaw, readRaw } from "./raw_activations.ts";
import { configOptions, modelNamed, traitNames } from "./start_steering_sweep.ts";
import { loadVectors } from "./sweep_vectors.ts";

/** The responses that trait dynamics are read of, for tasks and notebooks. */
export const traitDynamicsKind: ExperimentKind = defineKind({
  name: "trait-dynamics",
  title: "Trait dynamics",
  short: "dynamics",
  config: dynamicsConfigSchema,
  experiments: (config) => {
    const name = `trait-dynamics-${config.experiment}-${setName(config)}`;
    return [{
      name,
      title: "Trait dynamics",
      create: async (options) =>
        createResponses(config, name, await loadPromptSet(config.promptSet), options),
    }];
  },
  choose: (config, model) => answeringVariants(withModel(config, model)),
});

/** A config whose variants are those of the setting `model`, where that names some. */
function withModel(config: DynamicsConfig, model: string): DynamicsConfig {
  return { ...config, modelVariant: config.modelVariant ?? modelNamed(model) };
}

/** Variants that are read: those named, or the experiment's default. @throws {InputError} */
async function readVariants(config: DynamicsConfig): Promise<Variant[]> {
  const names = (config.modelVariant ?? "").split(",").map((name) => name.trim()).filter((name) =>
    name !== ""
  );
  const variants: Variant[] = [];
  for (const name of names.length === 0 ? [null] : [...new Set(names)]) {
    variants.push(await getModelVariant(config.experiment, name, "application", configOptions(config)));
  }
  return variants;
}

/** Variants whose responses are read: one for all, or each its own. */
async function answeringVariants(config: DynamicsConfig): Promise<Variant[]> {
  const { experiment, responsesFrom } = config;
  return responsesFrom === null
    ? await readVariants(config)
    : [await getModelVariant(experiment, responsesFrom, "application", configOptions(config))];
}

const setName = ({ promptSet }: DynamicsConfig) => basename(promptSet, extname(promptSet));

/** The trait dynamics of one trait. */
export interface TraitDynamics {
  /** The trait. */
  readonly trait: string;
  /** Figures and numbers. */
  readonly report: Report;
  /** Figures by name, as PNG. */
  readonly figures: Readonly<Record<string, string>>;
  /** Where the projections are, by variant. */
  readonly projections: Readonly<Record<string, string>>;
}

/** Responses that go on, and the dynamics that follow. */
export interface DynamicsRun extends RunSequence {
  /**
   * Waits for the responses, captures activations, projects them onto every trait's vectors and draws; null when the runs were
   * stopped. What is on disk already is not captured again.
   *
   * @throws {InputError} for what the user can mend.
   */
  read(): Promise<readonly TraitDynamics[] | null>;
}

/** Starts the responses of all variants, see {@linkcode startRuns}. @throws {InputError} */
export async function startTraitDynamics(input: unknown, options: StartOptions = {}): Promise<DynamicsRun> {
  const parsed = traitDynamicsKind.parse(input);
  const { own } = splitSettings(parsed.json as Record<string, unknown>);
  const config = withModel(dynamicsConfigSchema.parse(own), parsed.settings.model);
  const sequence = await startRuns(traitDynamicsKind, input, options);
  return {
    ...sequence,
    async read() {
      const results = finishedResults(await sequence.done);
      if (results.some(({ stoppedBy }) => stoppedBy !== null)) return null;
      return await readDynamics(config, { results: parsed.settings.results, ...options });
    },
  };
}

/** Options of {@linkcode readDynamics}. */
export interface ReadOptions {
  /** The results folder. */
  readonly results: string;
  /** Receives lines for people; stderr when left out. */
  readonly log?: (line: string) => void;
  /** Stops; the next call goes on. */
  readonly signal?: AbortSignal;
}

/**
 * Captures the activations of responses that are on disk, projects them, and draws.
 *
 * @throws {InputError} when responses are missing, or a vector does not fit.
 */
export async function readDynamics(config: DynamicsConfig, options: ReadOptions): Promise<TraitDynamics[]> {
  const { results, log = logLine, signal } = options;
  const set = await loadPromptSet(config.promptSet);
  const ids = new Set(promptsOf(config, set).map(({ id }) => id));
  const experiment = resultsExperiment(config);
  const byTrait = new Map<string, VariantProjections[]>();
  const folders = new Map<string, Record<string, string>>();
  const traits = traitNames({ traits: config.traits, test: false });
  for (const variant of await readVariants(config)) {
    const from = config.responsesFrom === null || config.responsesFrom === variant.name
      ? null
      : config.responsesFrom;
    const file = responsesFile({ experiment, variant: from ?? variant.name, promptSet: set.name }, results);
    const texts = (await readResponses(file)).filter(({ id }) => ids.has(id));
    // Another's responses are another set: their files stand beside the variant's own.
    const promptSet = from === null ? set.name : `${set.name}@${snakeName(from)}`;
    const folder = layoutPath({ kind: "raw", experiment, variant: variant.name, promptSet }, { results });
    await using model = await openSteerable(variant, signal ? { signal } : {});
    const layers = layersOf(config, model.decoder.numLayers);
    const sites = layers.map((layer) => `${config.component}.${layer}`);
    const captured = await captureRaw(model, texts, { sites, folder, ...(signal ? { signal } : {}) });
    log(
      `${variant.name}: ${
        sites.join(", ")
      } of ${texts.length} texts captured (${captured} anew) in ${folder}`,
    );
    for (const trait of traits) {
      const loaded = await loadVectors({ ...config, trait, results }, {
        methods: [config.method],
        layers,
        model,
        seed: config.seed,
        log,
        ...(signal ? { signal } : {}),
      });
      const vectors = layers.flatMap((layer) => loaded.vectors.get(config.method)?.get(layer) ?? []);
      const projections: TextProjection[] = [];
      for (const { id } of texts) {
        const raw = await readRaw(folder, id, sites);
        projections.push(projectText(raw, vectors, { trait, variant: variant.name, responses_from: from }));
      }
      const place = { kind: "projections", experiment, variant: variant.name, trait, promptSet } as const;
      const target = layoutPath(place, { results });
      await writeProjections(target, projections);
      byTrait.set(trait, [...byTrait.get(trait) ?? [], { variant: variant.name, texts: projections }]);
      folders.set(trait, { ...folders.get(trait), [variant.name]: target });
    }
  }
  const found: TraitDynamics[] = [];
  for (const [trait, variants] of byTrait) {
    const report = await dynamicsReport(trait, variants, 0);
    const figures = await writeReport(report, join(results, dynamicsName(config, trait)));
    found.push({ trait, report, figures, projections: folders.get(trait) ?? {} });
  }
  return found;
}

/** The layers of a config; without any the one in the middle. @throws {InputError} for one that does not exist. */
function layersOf({ layers }: DynamicsConfig, numLayers: number): number[] {
  if (layers === null) return [Math.floor(numLayers / 2)];
  return [
    ...new Set(
      layers.split(",").map((text) => {
        const layer = /^\s*\d+\s*$/.test(text) ? Number(text) : NaN;
        if (layer < numLayers) return layer;
        throw new InputError(
          `There is no layer ${text}: the model has layers 0 to ${numLayers - 1}. Give --layers such as 1,2.`,
        );
      }),
    ),
  ];
}

/** Name of the dynamics of a trait in files, without ending. */
export function dynamicsName(config: DynamicsConfig, trait: string): string {
  const parts = ["trait_dynamics", config.experiment, trait.replaceAll("/", "_"), setName(config)];
  return `${config.test ? "test_" : ""}${parts.map(snakeName).join("_")}`;
}

async function writeReport(report: Report, prefix: string): Promise<Record<string, string>> {
  const figures: Record<string, string> = {};
  for (const [name, { svg }] of Object.entries(report.figures)) {
    figures[name] = `${prefix}_${name}.png`;
    await writeAtomic(`${prefix}_${name}.svg`, svg);
    await writeAtomic(figures[name], await svgToPng(svg, { width: 1600 }));
  }
  await writeAtomic(`${prefix}_report.txt`, report.summary.trimEnd() + "\n");
  await writeAtomic(`${prefix}_report.json`, JSON.stringify(report.statistics as Json, null, 2) + "\n");
  return figures;
}
