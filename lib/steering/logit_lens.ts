/**
 * What a vector of the residual stream says in words: the logit lens (nostalgebraist 2020).
 * @module
 */
import type { Decoder, Steer } from "../engine/types.ts";
import { norm } from "./steering_vector.ts";

/** A token and how far the vector speaks for it. */
export interface LensToken {
  /** Its id. */
  readonly token: number;
  /** Its text. */
  readonly text: string;
  /** Its logit by the lens, less the mean over all tokens. */
  readonly logit: number;
}

/** The tokens that a vector speaks for and against. */
export interface LogitLens {
  /** The highest logits, highest first. */
  readonly toward: readonly LensToken[];
  /** The lowest logits, lowest first. */
  readonly away: readonly LensToken[];
}

/**
 * The final norm and the unembedding of a vector, whatever the architecture: the output of the last block at one token
 * is replaced by the vector, and by its opposite; half the difference of the logits is what depends on the vector
 * (a norm's bias falls out of it). The vector is brought to the length of the output it replaces, so that the norm's
 * epsilon means as little as it does in the model.
 *
 * @param vector `[hiddenSize]`, of any length but 0
 * @param options.tokens how many on each side; 10 unless given
 * @throws {InputError} when the vector's width is not the model's.
 */
export async function logitLens(
  decoder: Decoder,
  vector: Float32Array,
  options: {
    readonly tokens?: number;
    readonly text?: (id: number) => string;
    readonly signal?: AbortSignal;
  } = {},
): Promise<LogitLens> {
  const layer = decoder.numLayers - 1;
  const site = `residual.${layer}`;
  const ids = [decoder.encode("a")[0] ?? 0];
  const cancel = options.signal === undefined ? {} : { signal: options.signal };
  const { captured } = await decoder.forward(ids, { capture: [site], ...cancel });
  const replaced = captured[site] as Float32Array;
  const length = norm(replaced) / norm(vector);
  const logitsOf = async (sign: number) => {
    const steer: Steer = {
      component: "residual",
      layer,
      vector: vector.map((x, j) => sign * length * x - (replaced[j] as number)),
      coef: 1,
      mode: "add",
      phase: "all",
    };
    return (await decoder.forward(ids, { steer: [steer], ...cancel })).logits;
  };
  const [forth, back] = [await logitsOf(1), await logitsOf(-1)];
  const half = Float64Array.from(forth, (x, token) => (x - (back[token] as number)) / 2);
  const mean = half.reduce((sum, x) => sum + x, 0) / half.length;
  const order = Array.from({ length: half.length }, (_, token) => token)
    .sort((a, b) => (half[b] as number) - (half[a] as number) || a - b);
  const text = options.text ?? ((id: number) => decoder.decode([id]));
  const named = (token: number): LensToken => ({
    token,
    text: text(token),
    logit: (half[token] as number) - mean,
  });
  const count = options.tokens ?? 10;
  return { toward: order.slice(0, count).map(named), away: order.toReversed().slice(0, count).map(named) };
}
