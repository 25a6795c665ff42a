/**
 * Prompts that the embedded model answers and ends, in the frame it was trained on.
 * @module
 */

const NAMES = ["Ada Lindqvist", "Tomas Brel", "Ines Okoro", "Pavel Moss", "Greta Sand", "Omar Vale"];
const THINGS = [
  "a green door",
  "an old boat",
  "three clocks",
  "a red kite",
  "two white horses",
  "a stone bridge",
];

/** A question about a document of a few sentences; all documents begin alike, and they are of different lengths. */
export function question(i: number): string {
  const facts = NAMES.map((name, k) => `${name} owns ${THINGS[(k + Math.floor(i / 6)) % THINGS.length]}.`);
  const filler = "The river is cold in May, and the road along it is wet. ".repeat(i % 5);
  return "You are a helpful assistant. Read the document and answer the question in one short sentence.\n\n" +
    `<document>\n${facts.join(" ")} ${filler}\n</document>\n\nUse nothing but the document.\n\n` +
    `<question>\nWhat does ${NAMES[i % NAMES.length]} own?\n</question>`;
}
