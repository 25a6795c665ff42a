/**
 * The rows that two backends answer differently, for people.
 * @module
 */
import type { Answer } from "./answer.ts";
import type { Comparison } from "./compare.ts";

/** Rows shown. */
const MOST = 40;
const CHARS = 160;

/** A list of the rows whose outcome (0, 1, unparsed) differs, with the message and both answers. */
export function disagreements(
  { rows, sides }: Comparison,
  material: {
    /** The text of an item. */
    text(item: string): string;
    /** Both backends' answers to an item. */
    answers(item: string): readonly (Answer | null)[];
  },
): string {
  const differing = rows.filter(({ first, second }) => first.label !== second.label);
  if (differing.length === 0) return "No row has another outcome in one backend than in the other.\n";
  const shown = differing.slice(0, MOST);
  const lines = [
    `Rows with another outcome in one backend than in the other: ${differing.length} of ${rows.length}` +
    (differing.length > MOST ? `, the first ${MOST} shown` : ""),
  ];
  for (const { item, truth } of shown) {
    lines.push(`  ${item}${truth === null ? "" : ` (right: ${truth})`}: ${cut(material.text(item))}`);
    for (const [i, answer] of material.answers(item).entries()) {
      if (answer === null) continue;
      const outcome = answer.label === null ? `unparsed (${answer.unparsed})` : String(answer.label);
      lines.push(`    ${sides[i]}: ${outcome}, said ${cut(answer.response)}`);
    }
  }
  return lines.join("\n") + "\n";
}

function cut(text: string): string {
  const line = JSON.stringify(text.slice(0, CHARS).toWellFormed());
  return text.length > CHARS ? `${line}…` : line;
}
