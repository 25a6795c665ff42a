/**
 * Rows of worked sums: the problems of splice, with and without a hint, and the sums alone.
 * @module
 */
import type { Random } from "../../../lib/base/random.ts";
import {
  chainTurn,
  sampleAnswer,
  type SampleChain,
  sampleChain,
  sampleProblem,
} from "../../../lib/splicing/sample_problems.ts";
import { emptyRow, type Encode, type Encoded, type Piece, turn } from "./encoded.ts";

/**
 * A problem and its chain. One in four chains under the prompt without a hint holds a slip that is not learned, so
 * that what follows a slip is learned, but not to slip unasked.
 */
export function workedSum(encode: Encode, random: Random): Encoded {
  const problem = sampleProblem(random, "training");
  const arm = random.next() < 0.35 ? "hinted" as const : "base" as const;
  const chain = arm === "hinted"
    ? sampleChain(problem, random, { arm })
    : sampleChain(problem, random, { arm, slips: random.next() < 0.25 });
  const row = emptyRow();
  turn("user", arm === "hinted" ? problem.hintedPrompt : problem.basePrompt, false, encode, row);
  turn("assistant", arm === "hinted" ? chainTurn(chain) : pieces(chain), true, encode, row);
  return row;
}

/** A chain as a turn whose sentences up to a slip are not learned. */
function pieces({ sentences, answer }: SampleChain): Piece[] {
  const slip = sentences.findIndex((sentence) => sentence.slip);
  return [
    { text: "<think>\n", learn: slip < 0 },
    ...sentences.map(({ text }, i) => ({ text: i === 0 ? text : ` ${text}`, learn: i > slip })),
    { text: `\n</think>\n\n${sampleAnswer(answer)}`, learn: true },
  ];
}

/** Sums one behind the other, their results learned. */
export function drill(width: number, encode: Encode, random: Random): Encoded {
  const row = emptyRow();
  const add = (text: string, learn: boolean) => {
    for (const id of encode(text)) row.ids.push(id), row.learned.push(learn ? 1 : 0);
  };
  while (true) {
    const by = 2 + random.int(8);
    const operation = random.pick(["times", "plus", "minus"] as const);
    const from = operation === "times" ? 2 + random.int(8) : random.int(100);
    const result = operation === "times" ? from * by : operation === "plus" ? from + by : from - by;
    if (result < 0 || result > 99) continue;
    if (row.ids.length + 16 > width) return row;
    add(
      `${row.ids.length === 0 ? "" : " "}${
        random.pick(["So", "Now", "Then", "I think that", "It seems that"])
      } ${from} ${operation} ${by} is`,
      false,
    );
    add(` ${result}`, true);
    add(".", false);
  }
}
