/**
 * Cosines and sines of rotary position embeddings.
 * @module
 */
import type { DecoderConfig } from "./config.ts";

/**
 * Inverse frequencies `[headDim / 2]` in float32, as Hugging Face transformers computes them
 * (default, linear, and the llama3 scaling of Meta's Llama 3.1).
 */
export function inverseFrequencies(config: DecoderConfig): Float32Array {
  const { headDim, ropeTheta, ropeScaling: scaling } = config;
  return Float32Array.from({ length: headDim / 2 }, (_, i) => {
    const base = Math.fround(1 / ropeTheta ** (2 * i / headDim));
    if (scaling.type === "default") return base;
    if (scaling.type === "linear") return base / scaling.factor;
    const { factor, lowFreqFactor, highFreqFactor, originalWindow } = scaling;
    const turns = originalWindow * base / (2 * Math.PI);
    if (turns < lowFreqFactor) return base / factor;
    if (turns > highFreqFactor) return base;
    const smooth = (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
    return (1 - smooth) * base / factor + smooth * base;
  });
}

/** A table that grows as positions are asked for, up to the context window. */
export class RopeTable {
  readonly #frequencies: Float32Array;
  readonly #window: number;
  #rows = 0;
  #cos = new Float32Array();
  #sin = new Float32Array();

  /** Empty until it is asked. */
  constructor(config: DecoderConfig) {
    this.#frequencies = inverseFrequencies(config);
    this.#window = config.contextWindow;
  }

  /** Cosines and sines `[rows, headDim / 2]`, with `rows` at least `positions`. */
  upTo(positions: number): { readonly rows: number; readonly cos: Float32Array; readonly sin: Float32Array } {
    if (positions > this.#rows) this.#grow(Math.min(this.#window, Math.max(positions, 2 * this.#rows, 1024)));
    return { rows: this.#rows, cos: this.#cos, sin: this.#sin };
  }

  #grow(rows: number): void {
    const half = this.#frequencies.length;
    this.#cos = new Float32Array(rows * half);
    this.#sin = new Float32Array(rows * half);
    for (let at = 0, position = 0; position < rows; position++) {
      for (let i = 0; i < half; i++, at++) {
        const angle = Math.fround(position * (this.#frequencies[i] as number));
        this.#cos[at] = Math.cos(angle);
        this.#sin[at] = Math.sin(angle);
      }
    }
    this.#rows = rows;
  }
}
