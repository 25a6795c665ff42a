/**
 * Which positions and which window each layer has, out of config.json.
 * @module
 */
import type { Architecture } from "./architectures.ts";
import type { DecoderConfig, LayerConfig, Refuse, Rope, RopeScaling } from "./config.ts";
import type { ConfigFile, RopeFile } from "./config_file.ts";

const FULL = "full_attention";
const SLIDING = "sliding_attention";

/** Reads the layers' windows and rotary positions. @throws {InputError} for what the engine does not run. */
export function parseRopes(
  file: ConfigFile,
  architecture: Architecture,
  headDim: number,
  refuse: Refuse,
): Pick<DecoderConfig, "layers" | "ropes" | "rotaryDim"> {
  const rotated = rotatedLayers(file, architecture, refuse);
  const windows = layerWindows(file, architecture, rotated, refuse);
  const full = ropeFile(file, architecture, refuse);
  const part = full.partial_rotary_factor ?? file.partial_rotary_factor ?? 1;
  const rotaryDim = Math.trunc(headDim * part);
  if (part !== 1 && !architecture.partialRotary) {
    throw refuse("rotary positions on part of a head", "whole heads for this architecture");
  }
  if (rotaryDim % 2 !== 0 || rotaryDim === 0) {
    throw refuse(`rotary positions on ${rotaryDim} dimensions of a head`, "an even number of them");
  }
  const global = parseRope(full, file, architecture, rotaryDim, refuse);
  const local = architecture.gemma
    ? parseRope(
      { rope_theta: file.rope_local_base_freq, ...file.rope_parameters?.sliding_attention },
      file,
      architecture,
      rotaryDim,
      refuse,
    )
    : global;
  const ropes: Rope[] = [];
  const layers = windows.map((window, layer): LayerConfig => {
    if (!rotated[layer]) return { window, rope: null };
    const rope = window === null ? global : local;
    if (!ropes.includes(rope)) ropes.push(rope);
    return { window, rope: ropes.indexOf(rope) };
  });
  return { layers, ropes, rotaryDim };
}

function rotatedLayers(file: ConfigFile, { unrotatedLayers }: Architecture, refuse: Refuse): boolean[] {
  const count = file.num_hidden_layers;
  const listed = file.no_rope_layers ?? undefined;
  if (!unrotatedLayers) {
    if (listed?.some((on) => !on)) {
      throw refuse("no_rope_layers", "positions in all layers of this architecture");
    }
    return new Array<boolean>(count).fill(true);
  }
  if (listed !== undefined && listed.length < count) {
    throw refuse(`no_rope_layers for ${listed.length} of ${count} layers`, "one entry for each layer");
  }
  const interval = file.no_rope_layer_interval ?? 4;
  return Array.from({ length: count }, (_, i) => Boolean(listed?.[i] ?? (i + 1) % interval !== 0));
}

function layerWindows(
  file: ConfigFile,
  { windows: rule }: Architecture,
  rotated: readonly boolean[],
  refuse: Refuse,
): (number | null)[] {
  const switched = rule === "upper" || rule === "unrotated";
  const window = switched && !file.use_sliding_window ? null : file.sliding_window ?? null;
  if (rule === "none" && (file.use_sliding_window ?? window !== null)) {
    throw refuse("a sliding window", "full attention for this architecture");
  }
  const slides: Record<typeof rule, (layer: number) => boolean> = {
    none: () => false,
    all: () => true,
    upper: (layer) => layer >= (file.max_window_layers ?? 0),
    unrotated: (layer) => !rotated[layer],
    pattern: (layer) => (layer + 1) % (file.sliding_window_pattern ?? 1) !== 0,
  };
  const byRule = rotated.map((_, layer) => window !== null && slides[rule](layer));
  const types = file.layer_types ?? byRule.map((sliding) => sliding ? SLIDING : FULL);
  const strange = types.find((type) => type !== FULL && type !== SLIDING);
  if (strange !== undefined) {
    throw refuse(`the layer type ${JSON.stringify(strange.slice(0, 40))}`, `${FULL} and ${SLIDING}`);
  }
  if (types.length !== rotated.length) {
    throw refuse(`${types.length} layer_types for ${rotated.length} layers`, "one for each layer");
  }
  if (window === null && types.includes(SLIDING)) {
    throw refuse(`${SLIDING} without a sliding window`, `${SLIDING} with sliding_window`);
  }
  if ((rule === "none" || rule === "all") && types.some((type, i) => (type === SLIDING) !== byRule[i])) {
    throw refuse("layer types of its own", "the same attention in all layers of this architecture");
  }
  return types.map((type) => type === SLIDING ? window : null);
}

/** The rotary settings of full-attention layers. */
function ropeFile(file: ConfigFile, { gemma }: Architecture, refuse: Refuse): RopeFile {
  const { rope_parameters: newer, rope_scaling: older } = file;
  const perType = newer !== null && newer !== undefined && (FULL in newer || SLIDING in newer);
  if (newer && perType !== gemma) {
    throw refuse(
      `rope_parameters ${perType ? "for each layer type" : "for all layers at once"}`,
      gemma
        ? "one set for each layer type of this architecture"
        : "one set for all layers of this architecture",
    );
  }
  return (perType ? newer?.[FULL] : newer) ?? older ?? {};
}

function parseRope(
  rope: RopeFile,
  file: ConfigFile,
  architecture: Architecture,
  rotaryDim: number,
  refuse: Refuse,
): Rope {
  const theta = rope.rope_theta ?? file.rope_theta ?? 10_000;
  const scaling = parseScaling(rope, file, architecture, rotaryDim, refuse);
  return { theta, scaling, amplitude: amplitudeOf(rope, scaling, file.max_position_embeddings) };
}

function parseScaling(
  rope: RopeFile,
  file: ConfigFile,
  { ropeTypes }: Architecture,
  rotaryDim: number,
  refuse: Refuse,
): RopeScaling {
  const named = rope.rope_type ?? rope.type ?? "default";
  // Up to max_position_embeddings, the most the engine runs, dynamic scaling changes nothing.
  const aliases: Record<string, string> = ropeTypes.includes("longrope")
    ? { su: "longrope", yarn: "longrope" }
    : { dynamic: "default" };
  const type = ropeTypes.find((known) => known === (aliases[named] ?? named));
  if (type === undefined) {
    throw refuse(
      `rope scaling ${JSON.stringify(named.slice(0, 40))}`,
      [...ropeTypes, ...Object.keys(aliases)].join(", "),
    );
  }
  const need = <K extends keyof RopeFile>(key: K): NonNullable<RopeFile[K]> => {
    const value = rope[key];
    if (value === undefined || value === null) {
      throw refuse(`rope scaling ${type} without ${String(key)}`, `${type} with ${String(key)}`);
    }
    return value;
  };
  const originalWindow = file.original_max_position_embeddings ?? rope.original_max_position_embeddings ??
    file.max_position_embeddings;
  switch (type) {
    case "default":
      return { type };
    case "linear":
      return { type, factor: need("factor") };
    case "llama3":
      return {
        type,
        factor: need("factor"),
        lowFreqFactor: need("low_freq_factor"),
        highFreqFactor: need("high_freq_factor"),
        originalWindow,
      };
    case "yarn":
      return {
        type,
        factor: need("factor"),
        betaFast: rope.beta_fast ?? 32,
        betaSlow: rope.beta_slow ?? 1,
        truncate: rope.truncate ?? true,
        originalWindow,
      };
    case "longrope": {
      const [shortFactors, longFactors] = [need("short_factor"), need("long_factor")];
      for (const { length } of [shortFactors, longFactors]) {
        if (length !== rotaryDim / 2) {
          throw refuse(`${length} longrope factors`, `one for each of ${rotaryDim / 2} frequencies`);
        }
      }
      return { type, shortFactors, longFactors, originalWindow };
    }
  }
}

/** Factor of cosines and sines that the scaling asks for, where the file does not give it. */
function amplitudeOf(rope: RopeFile, scaling: RopeScaling, contextWindow: number): number {
  if (scaling.type !== "yarn" && scaling.type !== "longrope") return 1;
  if (rope.attention_factor !== null && rope.attention_factor !== undefined) return rope.attention_factor;
  const { originalWindow } = scaling;
  const factor = rope.factor ?? contextWindow / originalWindow;
  if (factor <= 1) return 1;
  if (scaling.type === "longrope") return Math.sqrt(1 + Math.log(factor) / Math.log(originalWindow));
  const scale = (weight: number) => 0.1 * weight * Math.log(factor) + 1;
  const [own, all] = [rope.mscale ?? 0, rope.mscale_all_dim ?? 0];
  return own !== 0 && all !== 0 ? scale(own) / scale(all) : scale(1);
}
