/**
 * The words that are repeated, and the one that stands among them.
 * @module
 */
import { InputError } from "../base/errors.ts";
import { hashJson } from "../base/hash.ts";
import { parseUnits } from "./repeated_words_units.ts";

/** A word or phrase, and the one that stands once in its place. */
export interface WordPair {
  /** What is repeated: `apple`, `Golden Gate Bridge`. */
  readonly base: string;
  /** What stands once among it: `apples`. */
  readonly modified: string;
}

/** The pairs that ship, after Chroma's Context Rot (Hong et al. 2025). The first is the default. */
export const WORD_PAIRS: readonly [WordPair, ...WordPair[]] = [
  { base: "apple", modified: "apples" },
  { base: "apples", modified: "apple" },
  { base: "golden", modified: "Golden" },
  { base: "orange", modified: "run" },
  { base: "orange", modified: "San Francisco" },
  { base: "San Francisco", modified: "sf" },
  { base: "Golden Gate Bridge", modified: "Golden Gate Park" },
];

/** Most characters of a word or phrase. */
const LONGEST = 200;

/** `apple/apples`. */
export function pairName({ base, modified }: WordPair): string {
  return `${base}/${modified}`;
}

/**
 * A pair in file names: `apple-apples`, `san-francisco-sf`. Pairs that do not ship and are more than two plain
 * lower-case words end in a part of their hash, so that no two pairs share files.
 */
export function pairSlug(pair: WordPair): string {
  const plain = `${pair.base} ${pair.modified}`.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 40).replaceAll(/^-+|-+$/g, "");
  const shipped = WORD_PAIRS.some((known) => pairName(known) === pairName(pair));
  const faithful = [pair.base, pair.modified].every((word) => /^[a-z0-9]{1,20}$/.test(word));
  return shipped || faithful
    ? plain
    : [plain, hashJson([pair.base, pair.modified]).slice(0, 6)].filter((part) => part !== "").join("-");
}

/**
 * Reads pairs: `apple/apples`, several separated by commas; `all` stands for those that ship. Runs of white space count
 * as one space. A pair that is given twice is taken once.
 *
 * @throws {InputError} when a pair is not `base/modified`, its words are the same, or a text of them could be read in
 * two ways.
 */
export function parsePairs(text: string): readonly WordPair[] {
  const given = text.split(",").flatMap((part) => part.trim() === "all" ? WORD_PAIRS : [parsePair(part)]);
  return [...new Map(given.map((pair) => [pairName(pair), pair])).values()];
}

function parsePair(text: string): WordPair {
  const words = text.split("/").map((word) => word.trim().replaceAll(/\s+/g, " "));
  const shown = JSON.stringify(text.trim());
  const remedy =
    `Give --pair "apple/apples", or --pairs with several separated by commas, or all for the ${WORD_PAIRS.length} that ship.`;
  const [base = "", modified = ""] = words;
  if (words.length !== 2 || base === "" || modified === "") {
    throw new InputError(`${shown} is not a pair of words such as apple/apples. ${remedy}`);
  }
  if (base === modified) {
    throw new InputError(
      `The words of ${shown} are the same: there would be nothing to keep track of. ${remedy}`,
    );
  }
  if (Math.max(base.length, modified.length) > LONGEST) {
    throw new InputError(`A word of ${shown} has more than ${LONGEST} characters. ${remedy}`);
  }
  if (!text.isWellFormed()) {
    throw new InputError(`${shown} holds half a character (a lone surrogate). ${remedy}`);
  }
  const pair = { base, modified };
  for (const [before, after] of [[3, 3], [0, 3], [3, 0]] as const) {
    const words = [...new Array<string>(before).fill(base), modified, ...new Array<string>(after).fill(base)];
    const kinds = parseUnits(words.join(" "), pair).map((unit) => unit.kind).join(" ");
    const meant = [...new Array(before).fill("base"), "modified", ...new Array(after).fill("base")].join(" ");
    if (kinds !== meant) {
      throw new InputError(
        `In a text of ${shown} it cannot be said where the other word stands: ${
          JSON.stringify(words.join(" "))
        } can be read in two ways. ${remedy}`,
      );
    }
  }
  return pair;
}
