/**
 * Damages token streams on purpose.
 * @module
 */
import type { Random } from "../../../base/random.ts";
import { SPECIAL_TOKENS } from "../special_tokens.ts";

const SPECIALS: readonly number[] = [
  ...Object.values(SPECIAL_TOKENS),
  199998,
  199999,
  200001,
  200018,
  201088,
];
/** Ids that are no tokens. */
const NOWHERE: readonly number[] = [201089, 2 ** 31, 2 ** 40, -1, -200006, 1.5, NaN, Infinity];
/** Tokens whose bytes are no whole characters. */
const BROKEN: readonly number[] = [9552, 123, 5416, 126, 221];

/** A token of any kind: of text, special, a piece of a character, or none at all. */
export function anyToken(random: Random): number {
  const kind = random.next();
  if (kind < 0.45) return random.int(199998);
  if (kind < 0.8) return random.pick(SPECIALS);
  if (kind < 0.92) return random.pick(BROKEN);
  return random.pick(NOWHERE);
}

/** The stream after a few random changes: tokens dropped, doubled, swapped, put in, replaced, or an end cut off. */
export function mutate(stream: readonly number[], random: Random): number[] {
  const ids = [...stream];
  for (let changes = 1 + random.int(6); changes > 0; changes--) {
    const at = random.int(Math.max(1, ids.length));
    const length = 1 + random.int(3);
    switch (random.int(8)) {
      case 0:
        ids.splice(at, length);
        break;
      case 1:
        ids.splice(at, 0, ...ids.slice(at, at + length));
        break;
      case 2: {
        const other = random.int(Math.max(1, ids.length));
        const [a, b] = [ids[at], ids[other]];
        if (a !== undefined && b !== undefined) [ids[at], ids[other]] = [b, a];
        break;
      }
      case 3:
        ids.splice(at, 0, anyToken(random));
        break;
      case 4:
        ids.splice(at, 1, anyToken(random));
        break;
      case 5:
        ids.length = at;
        break;
      case 6:
        ids.splice(0, at);
        break;
      default: {
        // Special tokens are few; most of what goes wrong goes wrong at them.
        const specials = [...ids.keys()].filter((i) => (ids[i] as number) >= 199998);
        if (specials.length > 0) ids.splice(random.pick(specials), 1);
      }
    }
  }
  return ids;
}
