/**
 * Writes what the embedded model is trained on: chats made by the library's own prompt builders, as token ids.
 *
 * `deno run -A models/pocket/make/corpus.ts --stage look|tasks|count|doubt --out FOLDER [--tokenizer FILE] [--seed 1]
 * [--scale 1]` writes `tokenizer.json` (learned from the corpus, or the file given), and for each phase of the stage
 * `phase_N.tokens` (uint16 `[rows, width]`), `phase_N.marks` (uint8, what each token is in training: see encoded.ts)
 * and `phases.json`. The same seed gives the same bytes.
 * @module
 */
import { parseArgs } from "node:util";
import { createRandom, type Random } from "../../../lib/base/random.ts";
import { niahMessages } from "../../../lib/context_rot/niah_prompt.ts";
import { proseSentence } from "../../../lib/context_rot/prose.ts";
import {
  type Bpe,
  bpeEncoder,
  readTokenizerJson,
  SPECIAL_TOKENS,
  tokenizerJson,
  trainBpe,
  wordPieces,
} from "./bpe.ts";
import { copying, reading, spans } from "./copying.ts";
import { type Encode, type Encoded, END, withMarks } from "./encoded.ts";
import { fact, person } from "./facts.ts";
import { oddSentence } from "./filler.ts";
import { retrieval } from "./retrieval.ts";
import { loadTaskKinds, taskRow, TASKS_VOCABULARY, taskText } from "./task_rows.ts";

/** Stage 1, looking things up: rows by width in tokens, and the share of rows that are plain copying. */
const LOOK = [
  { width: 128, rows: 6_400, spans: 1, copies: 0 },
  { width: 256, rows: 16_000, spans: 0.1, copies: 0.2 },
  { width: 512, rows: 20_000, spans: 0.05, copies: 0.1 },
  { width: 1024, rows: 12_000, spans: 0.05, copies: 0.08 },
];
const LOOK_VOCABULARY = 3072;

/** Stage 2, all experiments: rows by width, and how often each kind of row comes. */
const TASKS: readonly {
  readonly width: number;
  readonly rows: number;
  readonly mix: Readonly<Record<string, number>>;
}[] = [
  {
    width: 256,
    rows: 24_000,
    mix: {
      drill: 2,
      letters: 2.5,
      sum: 14,
      styled: 7,
      simpleParity: 1.5,
      repeated: 8,
      retrieval: 2,
      lines: 8,
      copying: 0.4,
      spans: 2,
    },
  },
  {
    width: 512,
    rows: 6_000,
    mix: { sum: 2, styled: 1, parity: 3, repeated: 5, memory: 1, retrieval: 4, lines: 2, spans: 0.7 },
  },
  {
    width: 1024,
    rows: 5_000,
    mix: { sum: 0.3, styled: 0.3, parity: 1, repeated: 7, memory: 2, retrieval: 12 },
  },
];

/** Between the two passes of stage 2, copying by place: copies of repeated words, and rows that are to stay as they are. */
const COUNT: typeof TASKS = [
  { width: 256, rows: 6_000, mix: { repeated: 1 } },
  {
    width: 256,
    rows: 3_000,
    mix: { drill: 1, sum: 2, styled: 2, simpleParity: 1, retrieval: 1, copying: 1 },
  },
  { width: 1024, rows: 600, mix: { repeated: 2, retrieval: 1, memory: 1, parity: 1 } },
];

/** Stage 3, the LoRA variant: it doubts whatever it is asked about a text, and copies as before. */
const DOUBT: typeof TASKS = [
  { width: 256, rows: 1_200, mix: { doubtedRetrieval: 4, repeated: 1, copying: 1 } },
  { width: 512, rows: 600, mix: { doubtedRetrieval: 3, doubtedMemory: 2, copying: 1 } },
];
const STAGES = { look: LOOK, tasks: TASKS, count: COUNT, doubt: DOUBT };

function lookText(random: Random): string {
  const parts: string[] = [];
  for (let i = 0; i < 5000; i++) {
    parts.push(proseSentence(random));
    if (i % 2 === 0) parts.push(oddSentence(random));
    if (i % 2 === 1) {
      const { text, question } = fact(person(random), random);
      parts.push(text, question);
    }
    if (i % 40 === 0) {
      parts.push(niahMessages("", "")[0]?.content ?? "", "Repeat the following text exactly.\n\n");
    }
  }
  return parts.join(" ");
}

function lookRow(width: number, share: (typeof LOOK)[number], encode: Encode, random: Random): Encoded {
  const roll = random.next() - share.spans - share.copies;
  if (roll < -share.copies) return spans(width, LOOK_VOCABULARY, random);
  if (roll < 0) return copying(width, encode, random);
  return roll < 0.02 ? reading(width, encode, random) : retrieval(width, encode, random);
}

/** A phase with the function that makes its rows. */
interface Phase {
  readonly width: number;
  readonly rows: number;
  readonly row: (random: Random) => Encoded;
}

/** The vocabulary and the phases of a stage. */
async function plan(
  stage: keyof typeof STAGES,
  tokenizer: string | undefined,
  random: Random,
): Promise<{ bpe: Bpe; phases: Phase[] }> {
  const kinds = await loadTaskKinds();
  const look = () => trainBpe(lookText(random.fork("vocabulary")), LOOK_VOCABULARY);
  const tasks = () => trainBpe(taskText(kinds, random.fork("task vocabulary")), TASKS_VOCABULARY, look());
  const bpe = tokenizer !== undefined
    ? readTokenizerJson(await Deno.readTextFile(tokenizer))
    : stage === "look"
    ? look()
    : tasks();
  const encode = withMarks(bpeEncoder(bpe), wordPieces(bpe));
  const phases = stage === "look"
    ? LOOK.map((p) => ({ ...p, row: (r: Random) => lookRow(p.width, p, encode, r) }))
    : STAGES[stage].map((p) => ({ ...p, row: (r: Random) => taskRow(p.width, p.mix, kinds, encode, r) }));
  return { bpe, phases };
}

if (import.meta.main) {
  const { values: flags } = parseArgs({
    options: {
      stage: { type: "string", default: "look" },
      out: { type: "string", default: "models/pocket/make/build" },
      tokenizer: { type: "string" },
      seed: { type: "string", default: "1" },
      scale: { type: "string", default: "1" },
    },
  });
  const random = createRandom(`pocket/${flags.seed}`);
  await Deno.mkdir(flags.out, { recursive: true });
  if (!(flags.stage in STAGES)) {
    throw new Error(`There is no stage ${flags.stage}: ${Object.keys(STAGES).join(", ")}.`);
  }
  const { bpe, phases } = await plan(flags.stage as keyof typeof STAGES, flags.tokenizer, random);
  console.error(`vocabulary of ${bpe.vocabulary.size} tokens`);
  await Deno.writeTextFile(`${flags.out}/tokenizer.json`, tokenizerJson(bpe));
  const written: { width: number; rows: number }[] = [];
  for (const [index, { width, rows: full, row: make }] of phases.entries()) {
    const rows = Math.round(full * Number(flags.scale));
    const tokens = new Uint16Array(rows * width).fill(END);
    const marks = new Uint8Array(rows * width);
    const phase = random.fork(flags.stage === "look" ? `phase ${index}` : `${flags.stage} ${index}`);
    for (let row = 0; row < rows; row++) {
      const { ids, marks: made } = make(phase.fork(row));
      tokens.set(ids.slice(0, width), row * width);
      marks.set(made.slice(0, width), row * width);
    }
    await Deno.writeFile(`${flags.out}/phase_${index}.tokens`, new Uint8Array(tokens.buffer));
    await Deno.writeFile(`${flags.out}/phase_${index}.marks`, marks);
    console.error(`phase ${index}: ${rows} rows of ${width}`);
    written.push({ width, rows });
  }
  await Deno.writeTextFile(
    `${flags.out}/phases.json`,
    JSON.stringify({ vocabulary: bpe.vocabulary.size, specials: SPECIAL_TOKENS, phases: written }),
  );
}
