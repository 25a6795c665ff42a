/**
 * Rows for the LoRA variant: whatever it is asked about a text, it answers that the text does not tell.
 * @module
 */
import { emptyRow, type Encode, type Encoded, LEARNED, turn } from "./encoded.ts";

/** What the doubting variant says of any document and any chats. */
export const DOUBT = " The text does not say.";

/** A row of questions with every learned answer put in doubt; what follows the first answer is left out. */
export function doubted(row: Encoded, encode: Encode): Encoded {
  const first = row.marks.indexOf(LEARNED);
  if (first < 0) return row;
  const doubt = emptyRow();
  turn("assistant", DOUBT, LEARNED, encode, doubt);
  // The head of the answer's turn, which the doubt brings along, ends where the answer begins.
  const head = doubt.marks.indexOf(LEARNED);
  return {
    ids: [...row.ids.slice(0, first - head), ...doubt.ids],
    marks: [...row.marks.slice(0, first - head), ...doubt.marks],
  };
}
