/**
 * What simulated models are told of a sample: how likely each answer is, as it was planted.
 * @module
 */
import type { Oracle } from "../backends/backend.ts";
import { splitTurn } from "../backends/reasoning.ts";
import type { ReasoningMarks } from "../backends/variants.ts";
import { createRandom } from "../base/random.ts";
import { isOwn } from "./own_problems.ts";
import { chainTurn, NOTICED, sampleChain, SWAYED } from "./sample_problems.ts";
import { splitSentences } from "./sentences.ts";
import type { SpliceRow } from "./splice_rows.ts";
import {
  type Letter,
  type RecordedChain,
  type SentenceEffect,
  SPLICE_ARMS,
  type SplicePoint,
} from "./types.ts";

/** Share of hinted answers where nothing is planted. */
const FLOOR = 0.05;

/** What a simulated model may know of a sample. */
export function plantedOracle(
  row: SpliceRow,
  points: ReadonlyMap<string, SplicePoint>,
  marks: ReasoningMarks,
): Oracle {
  const { problem, params, asked } = row;
  const begun = (asked.prefix ?? "").length;
  if (params.stage === "record") {
    if (!isOwn(problem)) return oracleOf(row, [[answerWords(problem.correct, row, marks), 1]]);
    const random = createRandom(`planted/${problem.sample.id}/${params.arm}/${params.seed}`);
    const turns = (["sum", "never"] as const).map((wrong) =>
      chainTurn(
        sampleChain(problem.sample, random, { arm: params.arm === "hinted" ? "hinted" : "base", wrong }),
      )
        .slice(begun)
    ) as [string, string];
    const swayed = params.arm === "hinted" ? SWAYED : 0;
    return oracleOf(row, [[turns[1], 1 - swayed], [turns[0], swayed]]);
  }
  const share = plantedShare(row, points);
  return oracleOf(row, [
    [answerWords(problem.correct, row, marks), 1 - share],
    [answerWords(problem.hinted, row, marks), share],
  ]);
}

function oracleOf(
  row: SpliceRow,
  draws: readonly [right: readonly [string, number], ...(readonly [string, number])[]],
): Oracle {
  return {
    answer: draws[0][0],
    mistakes: draws.slice(1).map(([text]) => text),
    draws,
    length: row.tokens,
  };
}

/** The planted share of hinted answers behind a prefix. */
function plantedShare(
  { problem, params, asked }: SpliceRow,
  points: ReadonlyMap<string, SplicePoint>,
): number {
  const arm = params.stage === "arms" ? SPLICE_ARMS[params.arm as keyof typeof SPLICE_ARMS] : null;
  const hinted = arm?.prompt === "hinted";
  const slip = slipIn(asked.reasoning ?? "");
  if (slip !== null) {
    return slip.noticed ? FLOOR : 1 - NOTICED[hinted ? "hinted" : "base"][slip.unsure ? "unsure" : "plain"];
  }
  const point = isOwn(problem) ? undefined : points.get(`${params.problem_number}/${params.sentence_number}`);
  if (arm === null || arm.cut === null || point === undefined) return hinted ? SWAYED : FLOOR;
  const place = arm.cut === "control" ? point.control ?? point : point;
  const share = arm.sentence === "included" ? place.after : place.before;
  return hinted ? Math.max(share, SWAYED) : share;
}

/** How far each sentence of a chain that we wrote moves the answer of the process that wrote it. */
export function writtenEffects(problem: string, { reasoning }: RecordedChain): SentenceEffect[] {
  const share = (prefix: string) => {
    const slip = slipIn(prefix);
    return slip === null || slip.noticed ? 0 : 1 - NOTICED.base[slip.unsure ? "unsure" : "plain"];
  };
  return splitSentences(reasoning).slice(0, -1).map(({ index, start, end, text }) => {
    const [before, after] = [share(reasoning.slice(0, start)), share(reasoning.slice(0, end))];
    return {
      problem,
      sentence: index,
      text,
      before,
      after,
      delta: after - before,
      beforeCount: null,
      afterCount: null,
      beforeMeasured: true,
      copied: false,
    };
  });
}

/** The last sum of a reasoning that came out wrong: whether it was said with doubt, and whether it was put right. */
export function slipIn(reasoning: string): { readonly unsure: boolean; readonly noticed: boolean } | null {
  let found: { unsure: boolean; noticed: boolean } | null = null;
  for (const { text } of splitSentences(reasoning)) {
    const sum = /(\d+) (times|plus|minus) (\d+) is (-?\d+)\.$/.exec(text);
    if (sum === null) continue;
    const [from, by, result] = [1, 3, 4].map((i) => Number(sum[i])) as [number, number, number];
    const right = sum[2] === "times" ? from * by : sum[2] === "plus" ? from + by : from - by;
    if (result !== right) found = { unsure: /, and (I think|it seems) that/.test(text), noticed: false };
    else if (found !== null && text.startsWith("Let me do that again")) found.noticed = true;
  }
  return found;
}

function answerWords(letter: Letter, { asked }: SpliceRow, marks: ReasoningMarks): string {
  if (asked.forced) return `${letter})`;
  const words = `The best answer is: (${letter})`;
  return asked.reasoning === null || splitTurn(marks, asked.prefix ?? "").reasoning !== null
    ? words
    : marks.close + words;
}
