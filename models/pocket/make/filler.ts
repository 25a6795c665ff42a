/**
 * Filler text for training: the prose that ships, and text that looks like nothing the model has seen, so that it
 * learns to look past whatever stands around a fact.
 * @module
 */
import type { Random } from "../../../lib/base/random.ts";
import { proseSentence } from "../../../lib/context_rot/prose.ts";

const CONSONANTS =
  "b c d f g h j k l m n p r s t v w z br ch cl dr fl gr kn ph pl pr sh sl sp st str th tr wh".split(" ");
const VOWELS = "a e i o u ai ea ee ie oa oo ou y".split(" ");
const ENDINGS = "n r s t l m d k ng st nd ck ll ss rt".split(" ");
const SMALL =
  `a the of to and in that it is was for you on with as be are this have from not by but what all were when we
  there can an your which their said if do will each about how up out them then she many some so these would other into
  has more her two like him see time could no make than first been its who now people my made over did down only way
  find use may long little very after words called just where most know get through back much go good new write our me
  man too any day same right look think also around another came come work three must because does part even place well
  such here take why help put different away again off went old number great tell men say small every found still
  between name should home big give air line set own under read last never us left end along while might next sound
  below saw something thought both few those always show large often together asked house world going want school
  important until form food keep children feet land side without boy once animal life enough took four head above kind
  began almost live page got earth need far hand high year mother light country father let night picture being study
  second soon story since white ever paper hard near sentence better best across during today however sure knew it's
  try told young sun thing whole hear example heard several change answer room sea against top turned learn point city
  play toward five himself usually money seen didn't car morning I'm body upon family later turn move face door cut
  done group true half red fish plants`.trim().split(/\s+/);

/** A made-up word of one to three syllables. */
export function madeUpWord(random: Random): string {
  let word = "";
  for (let n = 1 + random.int(3); n > 0; n--) word += random.pick(CONSONANTS) + random.pick(VOWELS);
  return random.next() < 0.6 ? word + random.pick(ENDINGS) : word;
}

/** A made-up name: a word with a capital. Where pieces of words are given, half of the names are made of these. */
export function madeUpName(random: Random, pieces: readonly string[] = []): string {
  if (pieces.length > 0 && random.next() < 0.5) return capital(wordOfPieces(random, pieces));
  return capital(madeUpWord(random) + (random.next() < 0.5 ? random.pick(ENDINGS) : "a"));
}

/** A text with a capital at its beginning. */
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** A word of random pieces and letters: nothing but looking back can tell how it goes on. */
function wordOfPieces(random: Random, pieces: readonly string[]): string {
  const letter = () => String.fromCharCode(97 + random.int(26));
  let text = "";
  for (let n = 1 + random.int(3); n > 0 || text.length < 2; n--) {
    text += random.next() < 0.25 ? letter() : random.pick(pieces);
  }
  return text.toLowerCase();
}

/**
 * A sentence of common and made-up words, with the punctuation of essays. Where pieces of words are given, half of the
 * made-up words consist of these, as words that no training text holds do: what a name is made of then stands elsewhere,
 * too.
 */
export function oddSentence(random: Random, pieces: readonly string[] = []): string {
  const odd = random.next() * 0.5;
  const made = () =>
    pieces.length > 0 && random.next() < 0.5 ? wordOfPieces(random, pieces) : madeUpWord(random);
  let text = "";
  for (let n = 4 + random.int(22); n > 0; n--) {
    const word = random.next() < odd
      ? (random.next() < 0.12 ? madeUpName(random, pieces) : made())
      : random.pick(SMALL);
    const roll = random.next();
    text += text === "" ? capital(word) : word;
    if (n === 1) break;
    text += roll < 0.06
      ? ", "
      : roll < 0.07
      ? "; "
      : roll < 0.08
      ? " ("
      : roll < 0.09
      ? ") "
      : roll < 0.1
      ? ` ${random.int(3000)} `
      : roll < 0.11
      ? ' "'
      : roll < 0.12
      ? '" '
      : roll < 0.13
      ? " -- "
      : roll < 0.15
      ? "\n"
      : roll < 0.16
      ? "-"
      : " ";
  }
  return text + random.pick([".", ".", ".", ".", ".", "?", "!", ':"', '."', ".)", "..."]);
}

/** A sentence of a style, chosen per document. */
export function fillerSentence(style: FillerStyle, random: Random, pieces?: readonly string[]): string {
  if (style === "prose") return proseSentence(random);
  if (style === "odd") return oddSentence(random, pieces);
  return random.next() < 0.5 ? proseSentence(random) : oddSentence(random, pieces);
}

/** What a document's filler looks like. */
export type FillerStyle = "prose" | "odd" | "mixed";
