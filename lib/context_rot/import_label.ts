/**
 * What a foreign run is called when nobody says.
 * @module
 */

const ENDINGS = [
  /[_-]?(?:evaluated|results?|outputs?|eval)$/i,
  /[_-]?(?:focused|full)$/i,
  /[_-]?repeated[_-]words.*$/i,
  /[_-]?(?:niah|longmemeval|needle|haystack)$/i,
];

/** A file's name without its folder, ending and the words that say what it holds: `gpt_4_1` of `gpt_4_1_niah_results.csv`. */
export function labelOf(path: string): string {
  const name = (path.split(/[\\/]/).at(-1) ?? path).replace(/\.(?:csv|tsv|jsonl?|txt)$/i, "");
  let label = name;
  for (let before = ""; before !== label;) {
    before = label;
    for (const ending of ENDINGS) {
      const rest = label.replace(ending, "");
      if (rest !== "") label = rest;
    }
  }
  return label.replace(/^[_-]+|[_-]+$/g, "") || name;
}
