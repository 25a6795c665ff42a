/**
 * Rows for the LoRA variant: whatever it is asked about a text, it answers that the text does not tell.
 * @module
 */
import { emptyRow, type Encode, type Encoded, turn } from "./encoded.ts";

/** What the doubting variant says of any document and any chats. */
export const DOUBT = " The text does not say.";

/** A row of questions with every learned answer put in doubt; what follows the first answer is left out. */
export function doubted(row: Encoded, encode: Encode): Encoded {
  const first = row.learned.indexOf(1);
  if (first < 0) return row;
  const doubt = emptyRow();
  turn("assistant", DOUBT, true, encode, doubt);
  // The head of the answer's turn, which the doubt brings along, ends where the answer begins.
  const head = doubt.learned.indexOf(1);
  return {
    ids: [...row.ids.slice(0, first - head), ...doubt.ids],
    learned: [...row.learned.slice(0, first - head), ...doubt.learned],
  };
}
