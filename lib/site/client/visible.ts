/**
 * Text of others, so that nothing in it hides.
 * @module
 */

/** A piece of a text: as it is, or a character that would steer or hide instead of being seen. */
export interface VisiblePart {
  /** The text, or a sign for the character. */
  readonly text: string;
  /** What the sign stands for: `U+202E`. */
  readonly sign?: string;
}

/** Control characters (but tab and line feed), and those that turn direction or have no width. */
const HIDDEN =
  /[^\P{Cc}\t\n]|[\p{Cs}\u00AD\u061C\u180E\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB]/gu;

/** A text with a sign in place of every character that cannot be seen. Nothing is left out. */
export function visibleParts(text: string): VisiblePart[] {
  const parts: VisiblePart[] = [];
  let at = 0;
  for (const match of text.matchAll(HIDDEN)) {
    if (match.index > at) parts.push({ text: text.slice(at, match.index) });
    const code = match[0].codePointAt(0) ?? 0;
    const sign = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
    parts.push({
      text: code < 0x20 ? String.fromCharCode(0x2400 + code) : code === 0x7F ? "\u2421" : sign,
      sign,
    });
    at = match.index + match[0].length;
  }
  if (at < text.length) parts.push({ text: text.slice(at) });
  return parts;
}
