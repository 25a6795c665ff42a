/**
 * What an extraction found, for people.
 * @module
 */
import { dirname } from "node:path";
import type { ExtractedVector, TraitExtraction } from "./extract_traits.ts";
import type { LensToken, LogitLens } from "./logit_lens.ts";
import { CONTROL_LEVEL, fewestPairs } from "./separation.ts";

/** Lines of a table at most; above that the best layer of each method stands for all. */
const MAX_LINES = 24;

/** The layer of each component and method that tells held-out pairs apart best: most pairs right, then largest effect. */
export function bestLayers(vectors: readonly ExtractedVector[]): ExtractedVector[] {
  const best = new Map<string, ExtractedVector>();
  for (const one of vectors) {
    const key = `${one.vector.component} ${one.vector.method}`;
    const known = best.get(key);
    if (known === undefined || isBetter(one, known)) best.set(key, one);
  }
  return [...best.values()];
}

function isBetter({ separation: a }: ExtractedVector, { separation: b }: ExtractedVector): boolean {
  if (a.right.correct !== b.right.correct) return a.right.correct > b.right.correct;
  return (a.effect ?? -Infinity) > (b.effect ?? -Infinity);
}

/** The vectors of a trait as a table, with the control in words. */
export function extractionText({ trait, variant, pairs, vectors, ggufs, reused }: TraitExtraction): string {
  const position = vectors[0]?.vector.position ?? "";
  const shown = vectors.length <= MAX_LINES ? vectors : bestLayers(vectors);
  const header = ["component", "method", "layer", "length", "held out", "effect", "p", "control"];
  const lines = shown.map(({ vector, separation: { right, effect }, control }) => [
    vector.component,
    vector.method,
    `${vector.layer}`,
    vector.scale.toPrecision(4),
    `${right.correct}/${right.n}`,
    effect === null ? "-" : effect.toFixed(2),
    control.adjusted < 0.001 ? control.adjusted.toExponential(1) : control.adjusted.toFixed(3),
    control.passes ? "passed" : "failed",
  ]);
  const tested = vectors.filter(({ vector }) => vector.method !== "random_baseline").length;
  const few = pairs.heldOut < fewestPairs(tested)
    ? [
      `${pairs.heldOut} held-out pairs are too few for any of ${tested} vectors to pass: that takes ` +
      `${fewestPairs(tested)}. Take fewer layers or methods, or more pairs.`,
    ]
    : [];
  return [
    `${trait} on ${variant} at ${position}: vectors from ${pairs.train} pairs, tested on ${pairs.heldOut} others` +
    (pairs.dropped > 0 ? `; ${pairs.dropped} pairs had no response or no token there` : "") +
    (reused ? " (activations were there already)" : ""),
    alignedText([header, ...lines]),
    ...(shown.length < vectors.length
      ? ["The best layer of each; all are in metadata.json beside the vectors."]
      : []),
    `held out: pairs whose positive side projects higher. p: exact, corrected for ${tested} vectors; passed is p <= ` +
    `${CONTROL_LEVEL}.`,
    ...few,
    `Vectors: ${[...new Set(vectors.map(({ path }) => dirname(path)))].join("\n         ")}`,
    ...(ggufs.length > 0 ? [`GGUF: ${ggufs.join("\n      ")}`] : []),
  ].join("\n");
}

/** A logit lens in two lines. */
export function lensText({ vector }: ExtractedVector, { toward, away }: LogitLens): string {
  const list = (tokens: readonly LensToken[]) => tokens.map(({ text }) => JSON.stringify(text)).join(" ");
  return `logit lens of ${vector.method} at ${vector.component}.${vector.layer}\n  toward: ${
    list(toward)
  }\n  away:   ${list(away)}`;
}

function alignedText(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) =>
    row.map((cell, i) => i < 2 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number)).join(
      "  ",
    )
  ).join("\n");
}
