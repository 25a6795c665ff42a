/**
 * Writes what the embedded model is trained on: chats made by the library's own prompt builders, as token ids.
 *
 * `deno run -A models/pocket/make/corpus.ts --out models/pocket/make/build [--seed 1] [--scale 1]` writes
 * `tokenizer.json`, and for each phase of training `phase_N.tokens` (uint16 `[rows, width]`), `phase_N.mask` (uint8,
 * 1 where a token is learned) and `phases.json`. The same seed gives the same bytes.
 * @module
 */
import { parseArgs } from "node:util";
import { createRandom, type Random } from "../../../lib/base/random.ts";
import { ATTRIBUTES, fromRelation, NAMES, RELATIONS } from "../../../lib/context_rot/needles.ts";
import { niahMessages } from "../../../lib/context_rot/niah_prompt.ts";
import { proseSentence } from "../../../lib/context_rot/prose.ts";
import { bpeEncoder, SPECIAL_TOKENS, tokenizerJson, trainBpe } from "./bpe.ts";
import { fillerSentence, type FillerStyle, madeUpName, madeUpWord, oddSentence } from "./filler.ts";

/** Names that no training text holds, so that the pairs that ship are new to the model. */
const HELD_OUT = new Set(["Odalys", "Tobin", "Marta", "Zelda", "Caspar", "Orla", "Piotr", "Noelle"]);
const TRAINED_NAMES = NAMES.filter((name) => !HELD_OUT.has(name));

/** Rows of training text by width in tokens, and the share of rows that are plain copying. */
const PHASES = [
  { width: 128, rows: 6_400, spans: 1, copies: 0 },
  { width: 256, rows: 16_000, spans: 0.1, copies: 0.2 },
  { width: 512, rows: 20_000, spans: 0.05, copies: 0.1 },
  { width: 1024, rows: 12_000, spans: 0.05, copies: 0.08 },
];
const VOCABULARY = 3072;

interface Fact {
  readonly text: string;
  readonly question: string;
  /** The sentence from the person's name on: what a reader would quote. */
  readonly reply: string;
}

function person(random: Random): string {
  return random.next() < 0.55 ? random.pick(TRAINED_NAMES) : madeUpName(random);
}

function value(values: readonly string[], random: Random): string {
  return random.next() < 0.65 ? random.pick(values) : random.next() < 0.8 ? madeUpWord(random) : madeUpName(random);
}

/** A fact about a person: paraphrased, in the question's own words, or of made-up words. */
function fact(name: string, random: Random): Fact {
  const roll = random.next();
  if (roll < 0.5) {
    const relation = random.pick(RELATIONS);
    const values = [value(relation.values, random), ...random.shuffle(relation.values)];
    const { needle, question } = fromRelation(relation, name, values, ["Anna", "Paul"], random);
    return { text: needle, question, reply: needle };
  }
  if (roll < 0.75) {
    const known = random.pick(ATTRIBUTES);
    const property = random.next() < 0.6 ? known.name : `${madeUpWord(random)} ${madeUpWord(random)}`;
    const owner = random.next() < 0.8 ? name : `the ${madeUpWord(random)} ${name}`;
    const text = `The ${property} of ${owner} is ${value(known.values, random)}.`;
    return { text, question: `What is the ${property} of ${owner}?`, reply: text };
  }
  const words = () => Array.from({ length: 2 + random.int(5) }, () => wordOf(random)).join(" ");
  const reply = `${name} ${words()} ${value(random.pick(ATTRIBUTES).values, random)}${random.next() < 0.5 ? ` ${words()}` : ""}.`;
  const question = random.pick([`What is said about ${name}?`, `What is known of ${name}?`, `What does ${name} do?`]);
  return { text: random.next() < 0.7 ? reply : `${capital(words())} ${reply}`, question, reply };
}

const wordOf = (random: Random) => random.next() < 0.5 ? madeUpWord(random) : random.pick(PROSE_WORDS);
const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
const PROSE_WORDS = (() => {
  const random = createRandom("words");
  const seen = new Set<string>();
  for (let i = 0; i < 400; i++) for (const w of proseSentence(random).match(/[a-z]+/g) ?? []) seen.add(w);
  return [...seen];
})();

const [END, IM_START, IM_END] = [0, 1, 2];

/** Token ids of a chat row and which of them are learned. */
interface Encoded {
  readonly ids: number[];
  readonly learned: number[];
}

type Encode = (text: string) => number[];

function turn(role: string, content: string, learn: boolean, encode: Encode, into: Encoded): void {
  const head = [IM_START, ...encode(`${role}\n`)];
  const body = [...encode(content), IM_END];
  const tail = encode("\n");
  for (const id of head) into.ids.push(id), into.learned.push(0);
  for (const id of body) into.ids.push(id), into.learned.push(learn ? 1 : 0);
  for (const id of tail) into.ids.push(id), into.learned.push(0);
}

/** A document with facts in it, and questions about them. */
function retrieval(width: number, encode: Encode, random: Random): Encoded {
  const style: FillerStyle = random.pick(["prose", "prose", "odd", "mixed"] as const);
  const facts: Fact[] = [];
  const names = new Set<string>();
  for (let n = random.pick([1, 2, 3, 4, 5, 6, 7, 8]); n > 0; n--) {
    const name = person(random);
    if (names.has(name)) continue;
    names.add(name);
    facts.push(fact(name, random));
  }
  const asked = random.shuffle(facts).slice(0, random.pick([1, 2, 4, 6]));
  const extra = random.next() < 0.2 ? lookalikes([...names], random) : [];
  const tail: Encoded = { ids: [], learned: [] };
  asked.forEach(({ question, reply }, i) => {
    if (i > 0) turn("user", `<question>\n${question}\n</question>`, false, encode, tail);
    // A leading space: the name then has the tokens it has inside the document.
    turn("assistant", ` ${reply}`, true, encode, tail);
  });
  const bare: Encoded = { ids: [], learned: [] };
  const planted = [...facts.map((f) => f.text), ...extra];
  turn("user", (niahMessages(planted.join(" "), asked[0]?.question ?? "")[0])?.content ?? "", false, encode, bare);
  const target = Math.floor(width * (random.next() < 0.88 ? 0.92 + 0.08 * random.next() : 0.4 + 0.6 * random.next()));
  let room = target - bare.ids.length - tail.ids.length - 4;
  const sentences: string[] = [];
  while (room > 0) {
    const sentence = fillerSentence(style, random);
    room -= encode(` ${sentence}`).length;
    if (room >= 0) sentences.push(sentence);
  }
  for (const text of planted) sentences.splice(random.int(sentences.length + 1), 0, text);
  const joined = sentences.map((s, i) => i === 0 ? s : (random.next() < 0.15 ? "\n\n" : " ") + s).join("");
  const out: Encoded = { ids: [], learned: [] };
  turn("user", niahMessages(joined, asked[0]?.question ?? "")[0]?.content ?? "", false, encode, out);
  return { ids: [...out.ids, ...tail.ids], learned: [...out.learned, ...tail.learned] };
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

/** A text to be copied word for word: what teaches a small model to look back. */
function copying(width: number, encode: Encode, random: Random): Encoded {
  const budget = Math.floor((width - 40) / 2 * (0.3 + 0.7 * random.next()));
  const words: string[] = [];
  const kind = random.int(4);
  const pool = Array.from({ length: 1 + random.int(12) }, () => wordOf(random));
  while (encode(words.join(" ")).length < budget) {
    if (kind === 0) words.push(wordOf(random));
    else if (kind === 1) words.push(oddSentence(random));
    else if (kind === 2) words.push(proseSentence(random));
    else words.push(random.pick(pool));
  }
  while (words.length > 1 && encode(words.join(" ")).length > budget) words.pop();
  const text = words.join(" ");
  const out: Encoded = { ids: [], learned: [] };
  turn("user", `Repeat the following text exactly.\n\n${text}`, false, encode, out);
  turn("assistant", text, true, encode, out);
  return out;
}

/** Random tokens, then pieces of them again: nothing but looking back can tell what comes next. */
function spans(width: number, random: Random): Encoded {
  const first = SPECIAL_TOKENS.length;
  const ids = Array.from({ length: Math.floor(width * (0.25 + 0.25 * random.next())) }, () =>
    first + random.int(VOCABULARY - first));
  const learned = ids.map(() => 0);
  const seen = ids.length;
  while (ids.length < width) {
    const from = random.int(seen - 6);
    const span = ids.slice(from, from + 5 + random.int(26)).slice(0, seen - from);
    span.forEach((id, i) => (ids.push(id), learned.push(i === 0 ? 0 : 1)));
  }
  return { ids: ids.slice(0, width), learned: learned.slice(0, width) };
}

/** Plain prose, every token learned. */
function reading(width: number, encode: Encode, random: Random): Encoded {
  const ids: number[] = [];
  while (ids.length < width) ids.push(...encode((ids.length ? " " : "") + proseSentence(random)));
  return { ids: ids.slice(0, width), learned: ids.slice(0, width).map((_, i) => i === 0 ? 0 : 1) };
}

function trainingText(random: Random): string {
  const parts: string[] = [];
  for (let i = 0; i < 5000; i++) {
    parts.push(proseSentence(random));
    if (i % 2 === 0) parts.push(oddSentence(random));
    if (i % 2 === 1) {
      const { text, question } = fact(person(random), random);
      parts.push(text, question);
    }
    if (i % 40 === 0) parts.push(niahMessages("", "")[0]?.content ?? "", "Repeat the following text exactly.\n\n");
  }
  return parts.join(" ");
}

if (import.meta.main) {
  const { values: flags } = parseArgs({
    options: {
      out: { type: "string", default: "models/pocket/make/build" },
      seed: { type: "string", default: "1" },
      scale: { type: "string", default: "1" },
    },
  });
  const random = createRandom(`pocket/${flags.seed}`);
  await Deno.mkdir(flags.out, { recursive: true });
  const bpe = trainBpe(trainingText(random.fork("vocabulary")), VOCABULARY);
  console.error(`vocabulary of ${bpe.vocabulary.size} tokens`);
  await Deno.writeTextFile(`${flags.out}/tokenizer.json`, tokenizerJson(bpe));
  const encode = bpeEncoder(bpe);
  const phases = PHASES.map((p) => ({ ...p, rows: Math.round(p.rows * Number(flags.scale)) }));
  for (const [index, { width, rows, ...share }] of phases.entries()) {
    const tokens = new Uint16Array(rows * width).fill(END);
    const mask = new Uint8Array(rows * width);
    const phase = random.fork(`phase ${index}`);
    for (let row = 0; row < rows; row++) {
      const r = phase.fork(row);
      const roll = r.next() - share.spans - share.copies;
      const { ids, learned } = roll < -share.copies
        ? spans(width, r)
        : roll < 0
        ? copying(width, encode, r)
        : roll < 0.02
        ? reading(width, encode, r)
        : retrieval(width, encode, r);
      tokens.set(ids.slice(0, width), row * width);
      mask.set(learned.slice(0, width), row * width);
    }
    await Deno.writeFile(`${flags.out}/phase_${index}.tokens`, new Uint8Array(tokens.buffer));
    await Deno.writeFile(`${flags.out}/phase_${index}.mask`, mask);
    console.error(`phase ${index}: ${rows} rows of ${width}`);
    await Deno.writeTextFile(
      `${flags.out}/phases.json`,
      JSON.stringify({ vocabulary: bpe.vocabulary.size, specials: SPECIAL_TOKENS, phases: phases.slice(0, index + 1) }),
    );
  }
}
