/**
 * Measures how long it takes to compare a copy of 10,000 words with its text, beside fastest-levenshtein:
 *
 *     deno run -A bench/scoring.ts [--words 10000] [--rounds 3] [--pair apple/apples] [--json]
 *
 * Seconds of processor time of one thread, the least of the rounds. Both give the same distance, or the run fails.
 * `measure` is everything that is measured of a copy (both scores, words, runs, loops), as grading does it.
 * @module
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { distance } from "fastest-levenshtein";
import { levenshtein } from "../lib/base/levenshtein.ts";
import { createRandom } from "../lib/base/random.ts";
import { measureCopy } from "../lib/context_rot/repeated_words_metrics.ts";
import { copyMistakes } from "../lib/context_rot/repeated_words_mistakes.ts";
import { parsePairs, type WordPair } from "../lib/context_rot/repeated_words_pairs.ts";
import { goldText } from "../lib/context_rot/repeated_words_prompt.ts";

const { values: flags } = parseArgs({
  options: {
    words: { type: "string", default: "10000" },
    rounds: { type: "string", default: "3" },
    pair: { type: "string", default: "apple/apples" },
    json: { type: "boolean", default: false },
  },
});
const count = Number(flags.words);
const [pair] = parsePairs(flags.pair) as [WordPair];
const spec = { pair, count, position: count >> 1 };
const gold = goldText(spec);

/** A text of so many characters drawn from those of the gold and some others. */
function drawn(length: number): string {
  const random = createRandom(`scoring ${length}`);
  const alphabet = [...new Set(gold)].join("") + "bcdfgh";
  return Array.from({ length }, () => alphabet.charAt(random.int(alphabet.length))).join("");
}

/** The gold with every hundredth word changed. */
function sprinkled(): string {
  return gold.split(" ").map((word, i) => i % 100 === 50 ? `${word}ly` : word).join(" ");
}

const [dropped, moved, short, long] = copyMistakes(spec) as [string, string, string, string];
const outputs: readonly (readonly [string, string])[] = [
  ["the text itself", gold],
  ["without the other word", dropped],
  ["the other word moved", moved],
  ["a fifth too short", short],
  ["a fifth too long", long],
  ["one word in a hundred changed", sprinkled()],
  ["every word changed", gold.toUpperCase()],
  ["another loop, as long", "and so on, ".repeat(gold.length).slice(0, gold.length)],
  ["a loop to the cap", `${pair.base} `.repeat(2 * count)],
  ["nothing like it, as long", drawn(gold.length)],
  ["nothing like it, twice as long", drawn(2 * gold.length)],
];

/** The least processor seconds of the rounds. */
function seconds(work: () => void): number {
  let least = Infinity;
  for (let round = 0; round < Number(flags.rounds); round++) {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1e6);
  }
  return least;
}

const rows = outputs.map(([name, output]) => {
  let ours = -1, theirs = -1;
  const own = seconds(() => ours = levenshtein(gold, output));
  const peer = seconds(() => theirs = distance(gold, output));
  if (ours !== theirs) {
    throw new Error(`${name}: a distance of ${ours}, but ${theirs} by fastest-levenshtein`);
  }
  const measure = seconds(() => measureCopy(spec, output));
  return { name, distance: ours, ours: own, fastestLevenshtein: peer, ratio: peer / own, measure };
});
if (flags.json) console.log(JSON.stringify({ characters: gold.length, rows }));
else {
  console.log(
    `${flags.pair}, ${count.toLocaleString("en-US")} words, ${
      gold.length.toLocaleString("en-US")
    } characters`,
  );
  const line = (...cells: string[]) =>
    console.log(cells.map((cell, i) => i === 0 ? cell.padEnd(32) : cell.padStart(12)).join(""));
  line("output", "distance", "ours (s)", "peer (s)", "ratio", "measure (s)");
  for (const { name, distance, ours, fastestLevenshtein, ratio, measure } of rows) {
    line(
      name,
      String(distance),
      ours.toFixed(4),
      fastestLevenshtein.toFixed(3),
      ratio.toFixed(1),
      measure.toFixed(4),
    );
  }
}
