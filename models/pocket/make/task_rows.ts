/**
 * Rows of the experiments: each kind as often as a mixture says, short ones packed behind each other.
 * @module
 */
import type { Random } from "../../../lib/base/random.ts";
import { loadPolicy, POLICIES, type Policy } from "../../../lib/parity/policies.ts";
import { copying, spans } from "./copying.ts";
import { add, emptyRow, type Encode, type Encoded, END, join } from "./encoded.ts";
import { TRAINED_NAMES } from "./facts.ts";
import { memory } from "./memory.ts";
import { parityRow } from "./parity_rows.ts";
import { repeated } from "./repeated.ts";
import { lines, retrieval } from "./retrieval.ts";
import { loadStyle, type Style, type StyleName, STYLES } from "../../../lib/steering/style.ts";
import { styledChat } from "./styled.ts";
import { doubted } from "./doubt.ts";
import { drill, letters, workedSum } from "./sums.ts";

/** What rows are made of beside chance. */
export interface TaskKinds {
  /** The policies that ship. */
  readonly policies: readonly Policy[];
  /** The styles that ship. */
  readonly styles: readonly (Style & { readonly name: StyleName })[];
}

/** Reads what ships as files. */
export async function loadTaskKinds(): Promise<TaskKinds> {
  const styles = STYLES.map(async (name) => ({ ...await loadStyle(name), name }));
  return { policies: await Promise.all(POLICIES.map(loadPolicy)), styles: await Promise.all(styles) };
}

/** Tokens of the vocabulary. */
export const TASKS_VOCABULARY = 4096;

type MakeRow = (width: number, encode: Encode, random: Random, kinds: TaskKinds) => Encoded;

const simple = ({ policies }: TaskKinds) => policies.filter(({ name }) => name === "toxic_simple");

/** Every kind of row, by name. */
const KINDS: Readonly<Record<string, MakeRow>> = {
  retrieval,
  lines,
  copying,
  spans: (width, _encode, random) => spans(width, TASKS_VOCABULARY, random),
  memory: packed(memory),
  repeated: packed(repeated),
  drill,
  letters: packed((_, encode, random) => letters(encode, random)),
  sum: packed((_, encode, random) => workedSum(encode, random), drill),
  styled: packed((_, encode, random, { styles }) => styledChat(styles, encode, random)),
  parity: (width, encode, random, { policies }) => parityRow(width, random.pick(policies), encode, random),
  doubtedRetrieval: (width, encode, random) => doubted(retrieval(width, encode, random), encode),
  doubtedMemory: (width, encode, random) => doubted(memory(width, encode, random), encode),
  simpleParity: (width, encode, random, kinds) =>
    parityRow(width, simple(kinds)[0] as Policy, encode, random),
};

/** The names of all kinds. */
export const KIND_NAMES: readonly string[] = Object.keys(KINDS);

/** A row of a kind drawn from a mixture of weights. */
export function taskRow(
  width: number,
  mix: Readonly<Record<string, number>>,
  kinds: TaskKinds,
  encode: Encode,
  random: Random,
): Encoded {
  const entries = Object.entries(mix);
  let roll = random.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
  const [name] = entries.find(([, weight]) => (roll -= weight) < 0) ?? entries[0] as [string, number];
  return (KINDS[name] as MakeRow)(width, encode, random, kinds);
}

/** Chats one behind the other until the next one does not fit; then what fills the rest, if anything. */
function packed(make: MakeRow, rest?: (width: number, encode: Encode, random: Random) => Encoded): MakeRow {
  return (width, encode, random, kinds) => {
    const row = emptyRow();
    while (true) {
      const next = make(width, encode, random, kinds);
      const full = row.ids.length > 0 && row.ids.length + 1 + next.ids.length > width;
      if (full && rest === undefined) return row;
      const more = full && rest ? rest(width - row.ids.length - 1, encode, random) : next;
      if (more.ids.length === 0) return row;
      if (row.ids.length > 0) add(row, [END]);
      join(row, more);
      if (full) return row;
    }
  };
}

/** Text in which the words of all kinds occur, for learning a vocabulary. */
export function taskText(kinds: TaskKinds, random: Random): string {
  const texts: string[] = [];
  const heard: Encode = (text) => (texts.push(text), [0]);
  for (const [name, make] of Object.entries(KINDS)) {
    if (/^(drill|copying|spans|doubted)/.test(name)) continue;
    for (let i = 0; i < 60; i++) make(24, heard, random.fork(`${name} ${i}`), kinds);
  }
  // Names that are words of the vocabulary are found more surely than names in pieces.
  for (const name of TRAINED_NAMES) texts.push(...Array<string>(8).fill(name));
  return texts.join(" ");
}
