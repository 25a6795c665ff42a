/**
 * Rows of worked sums: the problems of splice, with and without a hint, and the sums alone.
 * @module
 */
import type { Random } from "../../../lib/base/random.ts";
import {
  chainTurn,
  choiceList,
  choosing,
  sampleAnswer,
  type SampleChain,
  sampleChain,
  sampleProblem,
} from "../../../lib/splicing/sample_problems.ts";
import { add, emptyRow, type Encode, type Encoded, LEARNED, type Piece, turn } from "./encoded.ts";

/**
 * A problem and its chain. One in four chains under the prompt without a hint holds a slip that is not learned, so
 * that what follows a slip is learned, but not to slip unasked.
 */
export function workedSum(encode: Encode, random: Random): Encoded {
  const problem = sampleProblem(random, "training");
  const arm = random.next() < 0.5 ? "hinted" as const : "base" as const;
  const chain = arm === "hinted" || random.next() < 0.7
    ? sampleChain(problem, random, { arm })
    : sampleChain(problem, random, { arm, wrong: random.pick(["sum", "belief"] as const) });
  const row = emptyRow();
  turn("user", arm === "hinted" ? problem.hintedPrompt : problem.basePrompt, 0, encode, row);
  turn("assistant", arm === "hinted" ? chainTurn(chain) : pieces(chain), LEARNED, encode, row);
  return row;
}

/** A chain as a turn whose sentences up to a slip are not learned. */
function pieces({ sentences, answer }: SampleChain): Piece[] {
  const slip = sentences.findIndex((sentence) => sentence.slip);
  return [
    { text: "<think>\n", mark: slip < 0 ? LEARNED : 0 },
    ...sentences.map(({ text }, i) => ({ text: i === 0 ? text : ` ${text}`, mark: i > slip ? LEARNED : 0 })),
    { text: `\n</think>\n\n${sampleAnswer(answer)}`, mark: LEARNED },
  ];
}

/** Choices, and the letters of some of them. */
export function letters(encode: Encode, random: Random): Encoded {
  const { choices } = sampleProblem(random, "training");
  const row = emptyRow();
  turn("user", `${choiceList(choices)}\n\nName the letters.`, 0, encode, row);
  const named = Array.from({ length: 3 + random.int(4) }, () => random.pick(["A", "B", "C", "D"] as const));
  // Nothing tells which number comes next: what stands behind it alone is learned.
  const pieces = named.flatMap((letter, i): Piece[] => {
    const said = choosing(choices, letter);
    const at = said.indexOf(` ${letter}`);
    return [
      { text: `${i === 0 ? "" : " "}${said.slice(0, at)}`, mark: 0 },
      { text: said.slice(at), mark: LEARNED },
    ];
  });
  turn("assistant", pieces, 0, encode, row);
  return row;
}

/** Sums one behind the other, their results learned. */
export function drill(width: number, encode: Encode, random: Random): Encoded {
  const row = emptyRow();
  while (true) {
    const by = 2 + random.int(8);
    const operation = random.pick(["times", "plus", "minus"] as const);
    const from = operation === "times" ? 2 + random.int(8) : random.int(100);
    const result = operation === "times" ? from * by : operation === "plus" ? from + by : from - by;
    if (result < 0 || result > 99) continue;
    if (row.ids.length + 18 > width) return row;
    const opening = random.next() < 0.5
      ? ""
      : random.pick(["So ", "Now ", "Let me do that again: ", "I think that "]);
    add(row, encode(`${row.ids.length === 0 ? "" : " "}${opening}${from} ${operation} ${by} is`));
    add(row, encode(` ${result}`), LEARNED);
    add(row, encode("."));
  }
}
