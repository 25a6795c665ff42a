/**
 * How wide text is in DejaVu Sans.
 * @module
 */
import { textWidth } from "./theme.ts";

/** Advance widths in thousandths of the size, from the font's own table: the characters from space to `~`. */
const ASCII = [
  ...[
    318,
    401,
    460,
    838,
    636,
    950,
    780,
    275,
    390,
    390,
    500,
    838,
    318,
    361,
    318,
    337,
    636,
    636,
    636,
    636,
    636,
    636,
    636,
  ],
  ...[
    636,
    636,
    636,
    337,
    337,
    838,
    838,
    838,
    531,
    1000,
    684,
    686,
    698,
    770,
    632,
    575,
    775,
    752,
    295,
    295,
    656,
    557,
  ],
  ...[
    863,
    748,
    787,
    603,
    787,
    695,
    635,
    611,
    732,
    684,
    989,
    685,
    611,
    685,
    390,
    337,
    390,
    838,
    500,
    500,
    613,
    635,
  ],
  ...[
    550,
    635,
    615,
    352,
    635,
    634,
    278,
    278,
    579,
    278,
    974,
    634,
    612,
    635,
    635,
    411,
    521,
    392,
    634,
    592,
    818,
    592,
  ],
  ...[592, 525, 636, 337, 636, 838],
];
const OTHERS: Readonly<Record<string, number>> = { "\u00A0": 318, "↵": 838, "⇥": 838 };

/** Width of a text in pixels: exact for ASCII, estimated for anything else. */
export function glyphWidth(text: string, size: number): number {
  let width = 0;
  for (const char of text) {
    const known = ASCII[char.charCodeAt(0) - 32] ?? OTHERS[char];
    width += known === undefined ? textWidth(char, size) : known * size / 1000;
  }
  return width;
}
