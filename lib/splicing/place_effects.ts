/**
 * Effects of sentences put where these sentences stand in recorded chains.
 * @module
 */
import type { DeltaRow } from "./delta_row.ts";
import { compareIds } from "./input_text.ts";
import { cutsAt, splitSentences } from "./sentences.ts";
import type { Dropped } from "./source_problems.ts";
import type { RecordedChain, SentenceSpan, SplicePlace, SpliceProblem } from "./types.ts";

/** A hinted chain with its sentences. */
export interface CutChain {
  /** Id of the problem. */
  readonly problem: string;
  /** The chain. */
  readonly chain: RecordedChain;
  /** Its sentences. */
  readonly spans: readonly SentenceSpan[];
}

/** An effect whose sentence was found. */
export interface PlacedEffect {
  /** The row of the table, under the id of the problem it belongs to and the index its sentence has. */
  readonly effect: DeltaRow;
  /** The chain it stands in. */
  readonly chain: RecordedChain;
  /** The sentence. */
  readonly span: SentenceSpan;
  /** Where prefixes end that leave it out and that hold it. */
  readonly cut: SplicePlace["cut"];
  /** Index in the chain less index in the table: 0 where they agree. */
  readonly drift: number;
}

/** The effects of a table, placed. */
export interface Placement {
  /** Effects whose sentence was found, in the order of the table. */
  readonly placed: readonly PlacedEffect[];
  /** Rows that were not, each with its reason. */
  readonly dropped: readonly Dropped[];
  /** The chain of each problem of the table. */
  readonly chains: ReadonlyMap<string, CutChain>;
  /** Problems of the table whose id names another problem's chain, joined by their sentences: id in the table to id of the chain. */
  readonly joinedByText: ReadonlyMap<string, string>;
  /** Problems of the table without reasoning. */
  readonly withoutReasoning: readonly string[];
}

/** Why the first sentence of a chain is left out that a table gives another number. */
export const UNMEASURED_FIRST =
  "it is the first sentence of its chain, and the rate before it was taken as 0, not measured";

/** Share of sentences that must stand at their index for a chain to be the one that was measured. */
const SAME_CHAIN = 0.5;

/**
 * Finds the chain of every problem of a table and each sentence in it. A problem is joined by its id, but only when its
 * sentences stand in that problem's reasoning: ids of different files are often different spaces. Where they do not, the
 * one problem whose reasoning holds them is taken. A sentence that stands at another index is taken where it stands, if
 * it stands there once. White space does not count.
 *
 * @param file the table, for reasons
 */
export function placeEffects(
  rows: readonly DeltaRow[],
  problems: readonly SpliceProblem[],
  file: string,
): Placement {
  const all = problems.flatMap(({ id, chains }) =>
    chains.filter(({ arm }) => arm === "hinted").map((chain): Cut => cut(id, chain))
  );
  const byProblem = Map.groupBy(all, ({ problem }) => problem);
  const letters = new Map(problems.map(({ id, correct, hinted }) => [id, { correct, hinted }]));
  const placed: PlacedEffect[] = [], dropped: Dropped[] = [], withoutReasoning: string[] = [];
  const chains = new Map<string, CutChain>();
  const joinedByText = new Map<string, string>();
  const groups = Map.groupBy(rows, ({ problem }) => problem);
  for (const [id, group] of [...groups].sort(([a], [b]) => compareIds(a, b))) {
    const drop = (reason: string, of: readonly DeltaRow[] = group) =>
      dropped.push(...of.map(({ sentence }) => ({ file, problem: id, sentence, reason })));
    const own = byProblem.get(id) ?? [];
    let found = bestOf(own, group);
    if (found === null) {
      const others = bestOf(all.filter(({ problem }) => problem !== id), group);
      if (others !== null) joinedByText.set(id, others.problem);
      found = others;
    }
    if (found === null) {
      if (own.length === 0) {
        withoutReasoning.push(id);
        drop(
          letters.has(id)
            ? "no reasoning under the hint"
            : "no record of this problem in the recorded reasoning",
        );
      } else {
        drop("its sentences do not stand in the reasoning recorded under this id");
      }
      continue;
    }
    const of = letters.get(found.problem);
    const letter = group.find(({ hinted }) => hinted !== null)?.hinted ?? null;
    if (letter !== null && letter !== of?.hinted) {
      drop(`the table counts answers ${letter}, the recorded hint names ${of?.hinted}`);
      continue;
    }
    chains.set(id, { problem: found.problem, chain: found.chain, spans: found.spans });
    for (const row of group) {
      const span = spanOf(row, found);
      if (span === null) drop("its sentence does not stand in the chain, or more than once elsewhere", [row]);
      else if (span.index === 0 && row.sentence !== 0 && row.before === 0 && row.beforeCount === null) {
        drop(UNMEASURED_FIRST, [row]);
      } else {
        const effect = { ...row, problem: found.problem, sentence: span.index };
        const cut = cutsAt(found.spans, span.index);
        placed.push({ effect, chain: found.chain, span, cut, drift: span.index - row.sentence });
      }
    }
  }
  return { placed, dropped, chains, joinedByText, withoutReasoning };
}

/** A chain cut into sentences, with them also as compared. */
interface Cut extends CutChain {
  readonly texts: readonly string[];
}

function cut(problem: string, chain: RecordedChain): Cut {
  const spans = splitSentences(chain.reasoning);
  return { problem, chain, spans, texts: spans.map(({ text }) => spaceless(text)) };
}

/** The chain at whose indices most of the rows' sentences stand, when that is more than half of them; the first of equals. */
function bestOf(chains: readonly Cut[], rows: readonly DeltaRow[]): Cut | null {
  let best: Cut | null = null;
  let most = rows.length * SAME_CHAIN;
  const texts = rows.map(({ text }) => spaceless(text));
  for (const chain of chains) {
    const there = new Set(chain.texts);
    const count = rows.filter(({ sentence }, i) => chain.texts[sentence] === texts[i]).length;
    // A table whose indices drifted: its sentences are there at other places.
    const anywhere = texts.filter((text) => there.has(text)).length - 0.5;
    const score = Math.max(count, anywhere);
    if (score > most) [best, most] = [chain, score];
  }
  return best;
}

function spanOf(row: DeltaRow, { texts, spans }: Cut): SentenceSpan | null {
  const text = spaceless(row.text);
  if (texts[row.sentence] === text) return spans[row.sentence] ?? null;
  const first = texts.indexOf(text);
  return first >= 0 && texts.lastIndexOf(text) === first ? spans[first] ?? null : null;
}

const spaceless = (text: string) => text.replace(/\s+/g, "");
