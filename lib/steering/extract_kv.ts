/**
 * Key and value vectors from pairs: the mean difference of what the two texts of each pair leave in the cache at one
 * token (after cache steering, Belitsky et al. 2025, arXiv 2507.08799).
 *
 * Keys are taken without their rotary position. Texts of different lengths leave keys that are turned by different
 * angles, and the mean of such keys is mostly rotation; without positions they can be averaged, and are given the
 * position of the token that they are added to.
 * @module
 */
import type { Steerable } from "../backends/steerable.ts";
import { InputError } from "../base/errors.ts";
import { unrotateKey } from "../engine/mod.ts";
import type { KvVectors } from "./kv_vectors.ts";
import type { PairText, PairTexts } from "./pair_prompts.ts";

/** How vectors are extracted. */
export interface ExtractKvOptions {
  /** The blocks read. */
  readonly layers: readonly number[];
  /** Takes keys as they are cached, positions applied; values are the same either way. */
  readonly rawKeys?: boolean;
  /** The token read, from the end: -1 (the default) is the last of the text. */
  readonly token?: number;
  /** Stops between texts, with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Told after every pair. */
  readonly onPair?: (done: number, of: number) => void;
}

/** Vectors, and which tokens they were read at. */
export interface ExtractedKv extends Omit<KvVectors, "metadata"> {
  /** Pairs averaged. */
  readonly pairs: number;
  /** The tokens read, by side, most frequent first. */
  readonly read: { readonly positive: readonly ReadToken[]; readonly negative: readonly ReadToken[] };
}

/** A token that was read at, and in how many texts. */
export interface ReadToken {
  /** Its text. */
  readonly text: string;
  /** Its id. */
  readonly id: number;
  /** Texts. */
  readonly count: number;
  /** Its least and greatest position. */
  readonly positions: readonly [number, number];
}

/**
 * Extracts vectors: `mean(positive - negative)` over the pairs, one forward pass for each text, no normalisation. Sums
 * are float64. A beginning that a text shares with one before it is not computed again.
 *
 * @throws {InputError} when there are no pairs, a text is too long for the model, or has no such token.
 * @throws the signal's reason.
 */
export async function extractKv(
  model: Steerable,
  pairs: readonly PairTexts[],
  options: ExtractKvOptions,
): Promise<ExtractedKv> {
  if (pairs.length === 0) throw new InputError("There are no pairs to read: give at least one.");
  const { layers, rawKeys = false, signal, onPair } = options;
  const { numKvHeads: kvHeads, headDim } = model.decoder.config;
  const sums = layers.map(() => ({
    key: new Float64Array(kvHeads * headDim),
    value: new Float64Array(kvHeads * headDim),
  }));
  const read = { positive: new Map<number, MutableToken>(), negative: new Map<number, MutableToken>() };
  for (const [done, pair] of pairs.entries()) {
    for (const side of ["positive", "negative"] as const) {
      signal?.throwIfAborted();
      const cached = await readCache(model, pair[side], options);
      const sign = side === "positive" ? 1 : -1;
      for (const [i, layer] of layers.entries()) {
        const sum = sums[i] as typeof sums[number];
        const key = cached.keys[i] as Float32Array;
        addTo(
          sum.key,
          rawKeys ? key : unrotateKey(model.decoder.config, key, { ...cached.place, layer }),
          sign,
        );
        addTo(sum.value, cached.values[i] as Float32Array, sign);
      }
      note(read[side], cached.token, cached.place.position);
    }
    onPair?.(done + 1, pairs.length);
  }
  const mean = (sum: Float64Array) => Float32Array.from(sum, (x) => x / pairs.length);
  const named = (tokens: Map<number, MutableToken>): ReadToken[] =>
    [...tokens].map(([id, { count, positions }]) => ({
      id,
      text: model.decoder.decode([id]),
      count,
      positions,
    })).sort((a, b) => b.count - a.count || a.id - b.id);
  return {
    layers: layers.map((layer, i) => {
      const sum = sums[i] as typeof sums[number];
      return { layer, key: mean(sum.key), value: mean(sum.value) };
    }),
    kvHeads,
    headDim,
    keys: rawKeys ? "raw" : "unrotated",
    pairs: pairs.length,
    read: { positive: named(read.positive), negative: named(read.negative) },
  };
}

interface MutableToken {
  count: number;
  positions: [number, number];
}

/** What one text leaves in the cache at the token. */
async function readCache(model: Steerable, text: PairText, options: ExtractKvOptions) {
  const { layers, token = -1, signal } = options;
  const { decoder } = model;
  const ids = model.promptIds(text.messages, text.prefix);
  const position = ids.length + token;
  if (!Number.isInteger(token) || token >= 0 || position < 0) {
    throw new InputError(
      `A text of ${ids.length} tokens has no token ${token}: tokens are counted from the end, -1 is the last.`,
    );
  }
  using prefix = await decoder.prefill(ids, { reuse: true, ...(signal ? { signal } : {}) });
  const rows = await prefix.readKV({ layers, slot: position });
  return {
    keys: rows.map(({ key }) => key),
    values: rows.map(({ value }) => value),
    place: { position, length: ids.length },
    token: ids[position] as number,
  };
}

function addTo(sum: Float64Array, vector: Float32Array, sign: number): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + sign * (vector[i] as number);
}

function note(tokens: Map<number, MutableToken>, id: number, position: number): void {
  const known = tokens.get(id);
  if (known === undefined) tokens.set(id, { count: 1, positions: [position, position] });
  else {
    known.count++;
    known.positions = [Math.min(known.positions[0], position), Math.max(known.positions[1], position)];
  }
}

/** Which tokens vectors were read at, for people. */
export function readTokensText({ read, pairs }: Pick<ExtractedKv, "read" | "pairs">): string[] {
  const side = (name: string, tokens: readonly ReadToken[]) => {
    const shown = tokens.slice(0, 6).map(({ text, id, count, positions: [from, to] }) =>
      `${JSON.stringify(text)} (id ${id}) in ${count} of ${pairs} at position${
        from === to ? ` ${from}` : `s ${from} to ${to}`
      }`
    );
    const more = tokens.length > 6 ? `; ${tokens.length - 6} other tokens` : "";
    return `read at, ${name}: ${shown.join("; ")}${more}`;
  };
  return [side("in the style", read.positive), side("plain", read.negative)];
}
