/**
 * Cosines and sines of rotary position embeddings.
 * @module
 */
import type { DecoderConfig, Rope } from "./config.ts";
import { type Feed, floats } from "./session.ts";

/**
 * Inverse frequencies `[rotaryDim / 2]` in float32, as Hugging Face transformers computes them.
 *
 * @param rope the layers' rotary settings.
 * @param rotaryDim dimensions of a head that positions are applied to.
 * @param length tokens of the whole sequence: longrope has other frequencies past its original window.
 */
export function inverseFrequencies(rope: Rope, rotaryDim: number, length: number): Float32Array {
  const { theta, scaling } = rope;
  const ramp = scaling.type === "yarn" ? yarnRamp(scaling, theta, rotaryDim) : undefined;
  return Float32Array.from({ length: rotaryDim / 2 }, (_, i) => {
    const base = Math.fround(1 / theta ** (2 * i / rotaryDim));
    switch (scaling.type) {
      case "default":
        return base;
      case "linear":
        return base / scaling.factor;
      case "llama3": {
        const { factor, lowFreqFactor, highFreqFactor, originalWindow } = scaling;
        const turns = originalWindow * base / (2 * Math.PI);
        if (turns < lowFreqFactor) return base / factor;
        if (turns > highFreqFactor) return base;
        const smooth = (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
        return (1 - smooth) * base / factor + smooth * base;
      }
      case "yarn": {
        const divided = ramp?.(i) ?? 0;
        return divided * base / scaling.factor + (1 - divided) * base;
      }
      case "longrope": {
        const { shortFactors, longFactors, originalWindow } = scaling;
        const factors = length > originalWindow ? longFactors : shortFactors;
        return 1 / ((factors[i] as number) * theta ** (2 * i / rotaryDim));
      }
    }
  });
}

/** How far each frequency is divided by YaRN's factor: 0 (not at all) to 1, by the turns it makes in the window. */
function yarnRamp(
  scaling: Extract<Rope["scaling"], { type: "yarn" }>,
  theta: number,
  rotaryDim: number,
): (i: number) => number {
  const { betaFast, betaSlow, truncate, originalWindow } = scaling;
  const dimensionOf = (turns: number) =>
    rotaryDim * Math.log(originalWindow / (turns * 2 * Math.PI)) / (2 * Math.log(theta));
  const [first, last] = [dimensionOf(betaFast), dimensionOf(betaSlow)];
  const low = Math.max(truncate ? Math.floor(first) : first, 0);
  const high = Math.min(truncate ? Math.ceil(last) : last, rotaryDim - 1);
  const width = high === low ? 0.001 : high - low;
  return (i) => Math.min(1, Math.max(0, (i - low) / width));
}

/**
 * Most tokens that a sequence of `length` tokens can grow to as it is computed. Under longrope one of up to the
 * original window has other positions than a longer one, for all its tokens, and must be computed anew to become one.
 */
export function lengthLimit(config: DecoderConfig, length: number): number {
  const limits = config.ropes.map(({ scaling }) =>
    scaling.type === "longrope" && length <= scaling.originalWindow ? scaling.originalWindow : Infinity
  );
  return Math.min(config.contextWindow, ...limits);
}

/** Tables for all layers, which grow as positions are asked for, up to the context window. */
export class RopeTables {
  readonly #config: DecoderConfig;
  readonly #tables = new Map<string, Table>();

  /** Empty until it is asked. */
  constructor(config: DecoderConfig) {
    this.#config = config;
  }

  /**
   * The feeds `cos.R` and `sin.R` `[rows, rotaryDim / 2]` of the graphs, for each of the config's ropes.
   *
   * @param positions rows needed, at least.
   * @param length tokens of the whole sequence; the positions asked for unless given.
   */
  feeds(positions: number, length: number = positions): Record<string, Feed> {
    const { ropes, rotaryDim, contextWindow } = this.#config;
    const limit = lengthLimit(this.#config, length);
    const feeds: Record<string, Feed> = {};
    for (const [r, rope] of ropes.entries()) {
      const key = `${r} ${limit}`;
      let table = this.#tables.get(key);
      if (table === undefined) {
        table = new Table(inverseFrequencies(rope, rotaryDim, length), rope.amplitude, contextWindow);
        this.#tables.set(key, table);
      }
      table.reserve(positions);
      feeds[`cos.${r}`] = floats(table.cos, table.rows, rotaryDim / 2);
      feeds[`sin.${r}`] = floats(table.sin, table.rows, rotaryDim / 2);
    }
    return feeds;
  }
}

class Table {
  rows = 0;
  cos = new Float32Array();
  sin = new Float32Array();
  readonly #frequencies: Float32Array;
  readonly #amplitude: number;
  readonly #window: number;

  constructor(frequencies: Float32Array, amplitude: number, window: number) {
    this.#frequencies = frequencies;
    this.#amplitude = amplitude;
    this.#window = window;
  }

  reserve(positions: number): void {
    if (positions <= this.rows) return;
    const rows = Math.min(this.#window, Math.max(positions, 2 * this.rows, 1024));
    const half = this.#frequencies.length;
    this.cos = new Float32Array(rows * half);
    this.sin = new Float32Array(rows * half);
    for (let at = 0, position = 0; position < rows; position++) {
      for (let i = 0; i < half; i++, at++) {
        const angle = Math.fround(position * (this.#frequencies[i] as number));
        this.cos[at] = this.#amplitude * Math.cos(angle);
        this.sin[at] = this.#amplitude * Math.sin(angle);
      }
    }
    this.rows = rows;
  }
}
