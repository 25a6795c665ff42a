/**
 * Whether an output holds an answer, abstains or refuses, without a judge model.
 * @module
 */
import { InputError } from "../base/errors.ts";

/** Characters of an output that are looked at: its beginning. Output is hostile and may be of any length. */
export const MATCH_LIMIT = 100_000;

/** Where an answer was found. */
export interface Match {
  /** Index of the answer found first in the output, or -1. */
  readonly index: number;
  /** Whether the last words of the output are the answer: there an output cap may have cut a longer one. */
  readonly atEnd: boolean;
}

const NO_MATCH: Match = { index: -1, atEnd: false };
const ARTICLES = new Set(["a", "an", "the"]);
/** Scripts written without spaces: each character is a word. */
const UNSPACED =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/gu;

/**
 * A text as words for comparison: NFKC, case folded, Latin accents dropped, thousands commas dropped, everything but
 * letters, marks, digits and the point inside a number turned to spaces, English articles left out.
 * Only the first {@linkcode MATCH_LIMIT} characters count. Linear in the length.
 */
export function matchWords(text: string): string[] {
  const words = allWords(text);
  return words.filter((word) => !ARTICLES.has(word));
}

function allWords(text: string): string[] {
  return text.slice(0, MATCH_LIMIT).normalize("NFKC").toUpperCase().toLowerCase()
    .normalize("NFD").replace(/[\u0300-\u036f]/g, "").normalize("NFC")
    .replace(/(\d),(?=\d{3}(?!\d))/g, "$1")
    .replace(/(\d)\.(?=\d)/g, "$1\uE000")
    .replace(UNSPACED, " $& ")
    .replace(/[^\p{L}\p{M}\p{N}\uE000]+/gu, " ")
    .replaceAll("\uE000", ".")
    .split(" ").filter((word) => word !== "");
}

/**
 * Finds the first of several accepted answers in an output, as whole words in order: `apple` is not in `apples`, and
 * an answer restated inside a sentence counts. Comparison as in {@linkcode matchWords}.
 *
 * It reads no meaning: `the answer is not X` matches X, and so does an output that lists many candidates or copies
 * the document. Use a judge model where that matters.
 *
 * @throws {InputError} when an answer holds no letter or digit.
 *
 * @example
 * ```ts
 * import { matchAnswer } from "./match.ts";
 * matchAnswer("You should eat a sandwich.", ["Eat sandwich"]).index; // 0
 * ```
 */
export function matchAnswer(output: string, answers: readonly string[]): Match {
  const words = allWords(output);
  const full = ` ${words.join(" ")} `;
  const bare = ` ${words.filter((word) => !ARTICLES.has(word)).join(" ")} `;
  let first = Infinity;
  let match = NO_MATCH;
  for (const [index, answer] of answers.entries()) {
    const wanted = allWords(answer);
    if (wanted.length === 0) {
      throw new InputError(
        `The answer ${JSON.stringify(answer)} holds no letter or digit to look for: give one that does.`,
      );
    }
    const wantedBare = wanted.filter((word) => !ARTICLES.has(word));
    // An answer that is only an article ("A") is looked for as it stands.
    const [needle, hay] = wantedBare.length > 0
      ? [` ${wantedBare.join(" ")} `, bare]
      : [` ${wanted.join(" ")} `, full];
    const at = hay.indexOf(needle);
    if (at === -1) continue;
    const position = at / hay.length;
    if (position < first) [first, match] = [position, { index, atEnd: at + needle.length === hay.length }];
  }
  return match;
}

const ADVERB = "(?:(?:explicitly|directly|specifically|actually|clearly|seem to|appear to) )?";
const ABSTENTIONS = [
  `(?:does not|doesn t|do not|don t|did not|didn t) ${ADVERB}` +
  "(?:mention|contain|specify|state|say|provide|include|give|indicate|describe|discuss|reveal|offer|know|have|tell|see)\\b",
  `(?:not|isn t|wasn t|aren t|never) ${ADVERB}(?:mentioned|specified|stated|provided|given|found|included|described|` +
  "available|contained|present|discussed|indicated|known|sure|in (?:document|text|context|passage))\\b",
  "\\bno (?:information|mention|answer|reference|evidence|details?|indication|data|relevant|such)\\b",
  "\\b(?:cannot|can not|can t|could not|couldn t|unable to|not able to|not possible to|impossible to) " +
  `${ADVERB}(?:be )?(?:find|found|determined?|locate|located|identify|identified|tell|know|infer|say)\\b`,
  "\\b(?:cannot|can not|can t|could not|unable to) (?:be answered|answer)\\b.{0,80}\\b" +
  "(?:based|from|given|using|document|context|text|information)\\b",
  "\\b(?:not enough|insufficient|lack of|lacks) (?:information|context|details?)\\b",
  // "N/A" is `n` once the article is gone.
  "^(?:unknown|unanswerable|none|n|not found|not sure|no answer|no)$",
].map((pattern) => new RegExp(pattern));

/**
 * Whether an output says that the answer is not there or not known ("not mentioned", "cannot find", "unknown").
 * English phrases, in the first 2,000 characters.
 */
export function isAbstention(output: string): boolean {
  const text = matchWords(output.slice(0, 2000)).join(" ");
  return ABSTENTIONS.some((pattern) => pattern.test(text));
}

const UNWILLING =
  "(?:cannot|can not|can t|won t|will not|am unable to|m unable to|unable to|am not able to|m not able to|" +
  "m not allowed to|am not allowed to|must decline to|decline to|refuse to|not comfortable)";
const REFUSALS = [
  `\\b${UNWILLING} (?:help|assist|comply|fulfill|fulfil|provide|answer|do|continue|discuss|engage|process|complete|` +
  "support|share|respond|participate|create|generate|produce|write|give|offer|reproduce|proceed|with)\\b",
  "\\b(?:i|we) (?:must|have to|respectfully)? ?(?:decline|refuse)\\b",
  "\\b(?:against|violates?|goes against) (?:my|our) (?:guidelines|polic(?:y|ies)|programming|principles)\\b",
  "\\bas (?:ai|large language model|language model)\\b.{0,80}\\b(?:cannot|can t|unable|not able)\\b",
  "^(?:i m|i am) sorry (?:but )?(?:i )?(?:cannot|can not|can t|won t|m unable|am unable)\\b",
].map((pattern) => new RegExp(pattern));

/**
 * Whether an output refuses the task ("I can't help with that"). English phrases, in the first 2,000 characters.
 * An output that abstains ("I'm sorry, but I cannot find it in the document") is no refusal.
 */
export function isRefusal(output: string): boolean {
  const text = matchWords(output.slice(0, 2000)).join(" ");
  return REFUSALS.some((pattern) => pattern.test(text)) && !isAbstention(output);
}
