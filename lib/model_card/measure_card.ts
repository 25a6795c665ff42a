/**
 * All that the embedded model is to show, measured for its card.
 * @module
 */
import type { Variant } from "../backends/variants.ts";
import { InputError } from "../base/errors.ts";
import type { CardOptions } from "./card_options.ts";
import type { CardSection } from "./card_section.ts";
import { measureLongMemEval } from "./longmemeval_section.ts";
import { measureLora } from "./lora_section.ts";
import { measureNiah } from "./niah_section.ts";
import { measureParity } from "./parity_section.ts";
import { measureRepeatedWords } from "./repeated_words_section.ts";
import { measureSplice } from "./splice_section.ts";
import { measureSteering } from "./steering_section.ts";

/** The card's sections, in its order, each with the variants it needs besides the model's own. */
export const CARD_SECTIONS = {
  niah: null,
  longmemeval: null,
  "repeated-words": null,
  splice: null,
  parity: "harmony",
  steering: null,
  lora: "doubt",
} as const;
/** The name of a section. */
export type CardSectionName = keyof typeof CARD_SECTIONS;

/** Options of {@linkcode measureCard}. */
export interface MeasureCardOptions extends CardOptions {
  /** The variants there are, by name. */
  readonly variants: ReadonlyMap<string, Variant>;
  /** Sections to measure; all when left out. */
  readonly only?: readonly string[] | null;
  /** A folder of texts the model has not seen, for NIAH. */
  readonly haystack?: string | null;
}

/**
 * Measures the card's sections, one after the other. A section whose variant (`pocket-harmony`, `pocket-doubt`) is not
 * in models.json is left out, with a line that says so.
 *
 * @throws {InputError} for names that are no sections, and where a run ends in an error.
 */
export async function measureCard(options: MeasureCardOptions): Promise<CardSection[]> {
  const { model, variants, haystack = null, log = () => {} } = options;
  const trainedWindow = variants.get(model)?.trainedWindow;
  if (trainedWindow === undefined) {
    throw new InputError(`The variant ${model} does not say its trainedWindow in models.json: add it.`);
  }
  const measured: CardSection[] = [];
  for (const name of chosenSections(options.only ?? null)) {
    const suffix = CARD_SECTIONS[name];
    const other = `${model}-${suffix}`;
    if (suffix !== null && !variants.has(other)) {
      log(`${name}: not measured, there is no variant ${other}`);
      continue;
    }
    measured.push(
      await {
        niah: () => measureNiah({ ...options, trainedWindow, haystack }),
        longmemeval: () => measureLongMemEval(options),
        "repeated-words": () => measureRepeatedWords(options),
        splice: () => measureSplice(options),
        parity: () => measureParity({ ...options, harmony: other }),
        steering: () => measureSteering(options),
        lora: () => measureLora({ ...options, lora: other }),
      }[name](),
    );
  }
  return measured;
}

function chosenSections(only: readonly string[] | null): CardSectionName[] {
  const all = Object.keys(CARD_SECTIONS) as CardSectionName[];
  const wrong = only?.find((name) => !(all as string[]).includes(name));
  if (wrong !== undefined) {
    throw new InputError(`--only names ${JSON.stringify(wrong)}, which is no section: ${all.join(", ")}.`);
  }
  return all.filter((name) => only === null || only.includes(name));
}
