/**
 * Rows that ask for facts in a document, with the NIAH prompt.
 * @module
 */
import type { Random } from "../../../lib/base/random.ts";
import { ATTRIBUTES } from "../../../lib/context_rot/needles.ts";
import { niahMessages } from "../../../lib/context_rot/niah_prompt.ts";
import { emptyRow, type Encode, type Encoded, LEARNED, turn } from "./encoded.ts";
import { type Fact, fact, person } from "./facts.ts";
import { fillerSentence, type FillerStyle } from "./filler.ts";

/** A document with facts in it, and questions about them. */
export function retrieval(width: number, encode: Encode, random: Random): Encoded {
  const style: FillerStyle = random.pick(["prose", "prose", "odd", "mixed"] as const);
  const facts: Fact[] = [];
  const names = new Set<string>();
  for (let n = random.pick([1, 2, 3, 4, 5, 6, 7, 8]); n > 0; n--) {
    const name = person(random, encode.pieces);
    if (names.has(name)) continue;
    names.add(name);
    facts.push(fact(name, random, encode.pieces));
  }
  const asked = random.shuffle(facts).slice(0, random.pick([1, 2, 4, 6]));
  const extra = random.next() < 0.2 ? lookalikes([...names], random) : [];
  const tail = emptyRow();
  asked.forEach(({ question, reply }, i) => {
    if (i > 0) turn("user", `<question>\n${question}\n</question>`, 0, encode, tail);
    // A leading space: the name then has the tokens it has inside the document.
    turn("assistant", ` ${reply}`, LEARNED, encode, tail);
  });
  const bare = emptyRow();
  const planted = [...facts.map((f) => f.text), ...extra];
  turn(
    "user",
    niahMessages(planted.join(" "), asked[0]?.question ?? "")[0]?.content ?? "",
    0,
    encode,
    bare,
  );
  const target = Math.floor(
    width * (random.next() < 0.88 ? 0.92 + 0.08 * random.next() : 0.4 + 0.6 * random.next()),
  );
  let room = target - bare.ids.length - tail.ids.length - 4;
  const sentences: string[] = [];
  while (room > 0) {
    const sentence = fillerSentence(style, random);
    room -= encode(` ${sentence}`).length;
    if (room >= 0) sentences.push(sentence);
  }
  for (const text of planted) sentences.splice(random.int(sentences.length + 1), 0, text);
  const joined = sentences.map((s, i) => i === 0 ? s : (random.next() < 0.15 ? "\n\n" : " ") + s).join("");
  const out = emptyRow();
  turn("user", niahMessages(joined, asked[0]?.question ?? "")[0]?.content ?? "", 0, encode, out);
  return { ids: [...out.ids, ...tail.ids], marks: [...out.marks, ...tail.marks] };
}

/** Sentences that share a name with a fact without being it. */
function lookalikes(names: readonly string[], random: Random): string[] {
  const name = random.pick(names);
  const values = random.pick(ATTRIBUTES).values;
  return [
    random.pick([
      `The uncle of ${name} owned a ${random.pick(values)} and never used it.`,
      `Years ago there was talk of a ${random.pick(values)} for ${name}, but nothing came of it.`,
      `The former ${random.pick(ATTRIBUTES).name} of ${name} was ${random.pick(values)}.`,
    ]),
  ];
}
