/**
 * A comparison as its figure takes it.
 * @module
 */
import type { ComparedCurve, ComparedPanel } from "../figures/comparison_figure.ts";
import { wilson } from "../stats/wilson.ts";
import type { ExperimentComparison } from "./comparison_report.ts";

/** One panel for each experiment: by length, or with a column for each condition. */
export function comparisonPanels(experiments: readonly ExperimentComparison[]): ComparedPanel[] {
  return experiments.map(({ title, unit, conditions }) => {
    const names = conditions.flatMap(({ condition }) => condition ?? []);
    const variants = [...new Set(conditions.flatMap((c) => c.variants.map(({ variant }) => variant)))];
    const curves = variants.map((variant): ComparedCurve => {
      const audits = conditions.flatMap((c, place) =>
        c.variants.filter((one) => one.variant === variant).map(({ audit }) => ({ place, audit }))
      );
      const sum = (of: (audit: typeof audits[number]["audit"]) => number) =>
        audits.reduce((total, { audit }) => total + of(audit), 0);
      const sent = sum((audit) => audit.sent);
      return {
        variant,
        points: names.length > 0
          ? audits.map(({ place, audit: { valid, raw } }) => ({ place, valid, raw }))
          : audits.flatMap(({ audit }) =>
            audit.lengths.map(({ length, valid, raw }) => ({ place: length, valid, raw }))
          ),
        all: {
          valid: wilson(sum((audit) => audit.valid.correct), sum((audit) => audit.valid.n)),
          raw: wilson(sum((audit) => audit.raw.correct), sum((audit) => audit.raw.n)),
        },
        invalidShare: sent === 0 ? 0 : sum((audit) => audit.sent - audit.valid.n) / sent,
      };
    });
    return { title, unit, conditions: names, curves };
  });
}
