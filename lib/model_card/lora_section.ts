/**
 * How the LoRA variant of the embedded model differs from its base: in what it says about texts.
 * @module
 */
import { comparedRow, compareVariants } from "../context_rot/compare_variants.ts";
import { niahKind, startNiah } from "../context_rot/start_niah.ts";
import { startRepeatedWords } from "../context_rot/start_repeated_words.ts";
import type { ComparedBy } from "../runs/experiment_kind.ts";
import { wilson } from "../stats/wilson.ts";
import { type CardOptions, gradedRows } from "./card_options.ts";
import { type CardSection, differenceText, shareMeasure } from "./card_section.ts";

/** Options of {@linkcode measureLora}. */
export interface LoraCardOptions extends CardOptions {
  /** The variant with the adapter. */
  readonly lora: string;
}

/** Measures base and adapter on the same needles, and on texts to copy, which the adapter is to leave alone. */
export async function measureLora(options: LoraCardOptions): Promise<CardSection> {
  const { model, lora, results, scale = 1, log = () => {} } = options;
  log("LoRA...");
  const quiet = { log: () => {} };
  const both = `${model},${lora}`;
  const needles = await gradedRows(
    await startNiah({
      model: both,
      needle: "high-overlap",
      varyNeedle: true,
      trials: Math.max(1, Math.round(8 * scale)),
      seed: 2027,
      lengths: [512],
      depths: [0, 25, 50, 75, 100],
      results: `${results}/lora_niah`,
    }, quiet),
  );
  const copies = await gradedRows(
    await startRepeatedWords({
      model: both,
      counts: [25],
      positions: [0, 25, 50, 75, 100],
      results: `${results}/lora_words`,
    }, quiet),
  );
  const [comparison] = compareVariants(
    [model, lora].map((variant, i) => ({
      variant,
      simulated: false,
      rows: (needles[i] ?? []).map((row) => comparedRow(row, niahKind.compared as ComparedBy)),
    })),
    { unit: null },
  );
  const test = comparison?.pairs[0]?.raw ?? null;
  const rows = [model, lora].map((variant, i) => {
    const grades = (needles[i] ?? []).map(({ grade }) => grade);
    const kept = (copies[i] ?? []).filter(({ grade }) => grade?.extra?.["foreign_words"] === 0);
    return {
      label: variant,
      measures: [
        wilson(grades.filter((grade) => grade?.correct === true).length, grades.length),
        wilson(grades.filter((grade) => grade?.validity === "abstained").length, grades.length),
        wilson(kept.length, copies[i]?.length ?? 0),
      ].map(shareMeasure),
    };
  });
  const abstained = rows.map(({ measures }) => measures[1]?.estimate ?? 0) as [number, number];
  return {
    name: "lora",
    columns: ["variant", "needles found", "abstained", "copies of the pair's words alone"],
    rows,
    claims: [{
      claim: `${lora} says of documents that they do not tell, where ${model} answers: p < 0.05.`,
      measured: test === null
        ? "no rows in common"
        : `${differenceText(test.difference)} fewer right, p = ${test.holmP.toPrecision(2)}; abstained ${
          rows.map(({ measures }) => measures[1]?.text).join(", then ")
        }`,
      holds: test !== null && test.holmP < 0.05 && test.difference.estimate > 0 &&
        abstained[1] > abstained[0],
    }],
  };
}
