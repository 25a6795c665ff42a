/**
 * Trait dynamics of one trait: figures and numbers from projections.
 * @module
 */
import type { Json } from "../base/hash.ts";
import { createRandom } from "../base/random.ts";
import { type DynamicsSeries, traitDynamics } from "../figures/trait_dynamics.ts";
import { type CurvePoint, type VariantCurve, variantCurves } from "../figures/variant_curves.ts";
import type { Report } from "../runs/experiment.ts";
import { pairedMean } from "../stats/paired_mean.ts";
import type { TextProjection, VectorProjection } from "./project_traits.ts";

/** The projections of one variant. */
export interface VariantProjections {
  /** The variant. */
  readonly variant: string;
  /** Its texts. */
  readonly texts: readonly TextProjection[];
}

/** Texts that have a figure of their own. */
const SHOWN_TEXTS = 3;

/**
 * The report of one trait at one vector: the course of the first texts, and all variants side by side with paired
 * differences from the first.
 *
 * @param which the place of the vector among those projected onto.
 */
export async function dynamicsReport(
  trait: string,
  variants: readonly VariantProjections[],
  which: number,
): Promise<Report> {
  const vectorOf = (text: TextProjection) => text.vectors[which] as VectorProjection;
  const curves = variants.map(({ variant, texts }): VariantCurve => {
    const from = texts[0]?.responses_from ?? null;
    const responses = texts.map((text) => vectorOf(text).cosine.slice(text.response_start));
    const longest = Math.max(0, ...responses.map((cosines) => cosines.length));
    // A course is drawn as far as half of the responses reach: beyond, ever fewer and other texts would make it.
    const needed = Math.max(1, Math.ceil(responses.length / 2));
    const byToken = Array.from(
      { length: longest },
      (_, t) => responses.flatMap((cosines) => cosines[t] ?? []),
    )
      .filter((values) => values.length >= needed);
    return {
      label: from === null ? variant : `${variant} (responses of ${from})`,
      mean: pointOf(texts.flatMap((text) => vectorOf(text).mean.response ?? []), `${variant} mean`),
      byToken: byToken.map((values, t) => pointOf(values, `${variant} ${t}`, 512)),
    };
  });
  const figures: Record<string, { svg: string; alt: string }> = {};
  const first = variants[0]?.texts ?? [];
  const site = first[0] === undefined ? "" : siteOf(vectorOf(first[0]));
  for (const text of first.slice(0, SHOWN_TEXTS)) {
    if (text.tokens.length === 0) continue;
    const same = variants.flatMap(({ variant, texts }) => {
      const other = texts.find(({ id }) => id === text.id);
      // Side by side over one text: only where both read the same tokens.
      return other !== undefined && sameTokens(other, text) ? [{ variant, other }] : [];
    });
    figures[`dynamics_${text.id}`] = traitDynamics(
      same.map(({ variant, other }): DynamicsSeries => {
        const { cosine, average, velocity } = vectorOf(other);
        return { label: variant, cosines: cosine, averages: average, velocities: velocity };
      }),
      {
        title: `Trait dynamics: ${trait}, ${same.map(({ variant }) => variant).join(" and ")}`,
        notes: [`${site}; prompt ${text.id}: ${clip(text.prompt)}`],
        tokens: text.tokens,
        responseStart: text.response_start,
      },
    );
  }
  if (curves.length > 0) {
    figures["variants"] = await variantCurves(curves, {
      title: `${trait}: ${curves.length === 1 ? "course along the response" : "variants side by side"}`,
      notes: [site],
    });
  }
  const comparisons = variants.slice(1).map(({ variant, texts }) => {
    const base = new Map(first.map((text) => [text.id, vectorOf(text).mean.response]));
    const differences = texts.flatMap((text) => {
      const [own, other] = [vectorOf(text).mean.response, base.get(text.id) ?? null];
      return own === null || other === null ? [] : [own - other];
    });
    const random = createRandom(`dynamics/${trait}/${variant}`);
    return { label: `${variant} minus ${variants[0]?.variant}`, ...pairedMean(differences, { random }) };
  });
  const summary = [
    `${trait}, ${site}`,
    ...curves.map(({ label, mean }) => `${label}: mean cosine over the response ${intervalText(mean)}`),
    ...comparisons.map((one) =>
      `${one.label}: ${intervalText(one)}, p = ${one.p === null ? "?" : one.p.toFixed(3)} (paired by prompt)`
    ),
  ].join("\n");
  const statistics = JSON.parse(JSON.stringify({ trait, site, curves, comparisons })) as Json;
  return { summary, statistics, figures };
}

function sameTokens(a: TextProjection, b: TextProjection): boolean {
  return a.response_start === b.response_start && a.tokens.length === b.tokens.length &&
    a.tokens.every((token, i) => token === b.tokens[i]);
}

function siteOf({ vector: { component, layer, position, method } }: VectorProjection): string {
  return `${method} vector of ${component}.${layer} at ${position}`;
}

function pointOf(values: readonly number[], seed: string, draws?: number): CurvePoint {
  const random = createRandom(`curve/${seed}`);
  const { estimate, low, high, n } = pairedMean(values, {
    random,
    ...(draws === undefined ? {} : { draws }),
  });
  return { estimate, low, high, n };
}

function intervalText({ estimate, low, high, n }: CurvePoint): string {
  if (estimate === null) return "unknown (no response)";
  const interval = low === null || high === null
    ? n < 6 ? "too few prompts for a 95% interval" : "all prompts alike: no interval"
    : `95% interval ${low.toFixed(3)} to ${high.toFixed(3)}`;
  return `${estimate.toFixed(3)} (${interval}, n = ${n})`;
}

function clip(text: string): string {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length > 150 ? `${line.slice(0, 149)}…` : line;
}
