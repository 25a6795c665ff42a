/**
 * Rows that ask for facts in a document, with the NIAH prompt.
 * @module
 */
import type { Random } from "../../../lib/base/random.ts";
import { ATTRIBUTES } from "../../../lib/context_rot/needles.ts";
import { niahMessages } from "../../../lib/context_rot/niah_prompt.ts";
import { emptyRow, type Encode, type Encoded, join, LEARNED, turn } from "./encoded.ts";
import { type Fact, fact, person, TRAINED_NAMES } from "./facts.ts";
import { fillerSentence, type FillerStyle } from "./filler.ts";

/** A document with facts in it, and questions about them. */
export function retrieval(width: number, encode: Encode, random: Random): Encoded {
  const style: FillerStyle = random.pick(["prose", "odd", "odd", "mixed"] as const);
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
    const sentence = fillerSentence(style, random, encode.pieces);
    room -= encode(` ${sentence}`).length;
    if (room >= 0) sentences.push(sentence);
  }
  // A name that begins a line has other tokens than one behind a space: both are to be found.
  for (const text of planted) {
    const roll = random.next();
    const last = sentences.length;
    sentences.splice(roll < 0.12 ? 0 : roll < 0.2 ? last : random.int(last + 1), 0, text);
  }
  const breaks = (sentence: string) => random.next() < (planted.includes(sentence) ? 0.3 : 0.15);
  const joined = sentences.map((s, i) => i === 0 ? s : (breaks(s) ? random.pick(["\n\n", "\n"]) : " ") + s)
    .join("");
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

/** Facts with nothing between them, each on a line of its own: a name there has other tokens than in its question. */
export function lines(width: number, encode: Encode, random: Random): Encoded {
  const facts: Fact[] = [];
  const asked = emptyRow();
  let row = emptyRow();
  while (true) {
    const name = random.next() < 0.7 ? random.pick(TRAINED_NAMES) : person(random, encode.pieces);
    if (facts.some(({ reply }) => reply.includes(name))) continue;
    const next = fact(name, random, encode.pieces);
    const chat = emptyRow();
    if (facts.length > 0) turn("user", `<question>\n${next.question}\n</question>`, 0, encode, chat);
    turn("assistant", ` ${next.reply}`, LEARNED, encode, chat);
    const [first = next] = facts;
    const text = random.shuffle([...facts, next]).map((f) => f.text).join("\n");
    const prompt = emptyRow();
    turn("user", niahMessages(text, first.question)[0]?.content ?? "", 0, encode, prompt);
    if (facts.length > 0 && prompt.ids.length + asked.ids.length + chat.ids.length > width) break;
    facts.push(next);
    join(asked, chat);
    row = prompt;
  }
  join(row, asked);
  return row;
}
