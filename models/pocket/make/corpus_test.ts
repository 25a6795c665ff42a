import assert from "node:assert/strict";
import fc from "fast-check";
import { createRandom } from "../../../lib/base/random.ts";
import { sampleItems } from "../../../lib/context_rot/longmemeval_sample.ts";
import { loadTokenizer } from "../../../lib/engine/tokenizer.ts";
import { paritySample } from "../../../lib/parity/parity_sample.ts";
import { parseLabel } from "../../../lib/parity/parse_label.ts";
import { chainTurn, sampleChain, sampleProblem } from "../../../lib/splicing/sample_problems.ts";
import { bpeEncoder, readTokenizerJson, tokenizerJson, trainBpe, wordPieces } from "./bpe.ts";
import { APART, emptyRow, type Encode, GATE, LEARNED, turn, withMarks } from "./encoded.ts";
import { madeUpName, oddSentence } from "./filler.ts";
import { drawMessage } from "./messages.ts";
import { KIND_NAMES, loadTaskKinds, taskRow } from "./task_rows.ts";

const folder = new URL("..", import.meta.url).pathname;
const shipped = readTokenizerJson(await Deno.readTextFile(`${folder}/tokenizer.json`));
const pieces = wordPieces(shipped);
const encode = withMarks(bpeEncoder(shipped), pieces);
const tokenizer = await loadTokenizer(folder);
const kinds = await loadTaskKinds();
const seeds = fc.integer({ min: 0, max: 1e9 });
const row = (kind: string, width: number, seed: number, by: Encode = encode) =>
  taskRow(width, { [kind]: 1 }, kinds, by, createRandom(seed));

Deno.test("taskRow() fits its width and learns some of its tokens, whatever the kind", () => {
  for (const kind of KIND_NAMES) {
    for (let seed = 0; seed < 12; seed++) {
      const { ids, marks } = row(kind, 1024, seed);
      assert.equal(ids.length, marks.length);
      assert.ok(
        ids.length <= 1024 || kind === "retrieval" || kind === "doubtedRetrieval",
        `${kind} ${ids.length}`,
      );
      assert.ok(marks.includes(LEARNED) && marks.includes(0), kind);
    }
  }
});

Deno.test("taskRow() gives the same row for the same seed, and another for another", () => {
  for (const kind of KIND_NAMES) {
    assert.deepEqual(row(kind, 512, 3), row(kind, 512, 3));
    assert.notDeepEqual(row(kind, 512, 3).ids, row(kind, 512, 4).ids);
  }
});

Deno.test("taskRow() holds nothing of what ships to be asked", () => {
  const problems = new Set(
    Array.from({ length: 300 }, (_, i) => sampleProblem(createRandom(i), "shipped").question),
  );
  const messages = paritySample().map(({ user_input }) => `<message>\n${user_input}\n</message>`);
  const memories = sampleItems().map(({ focused }) => focused.slice(focused.indexOf("<chats>")));
  for (const [kind, rows] of [["sum", 40], ["parity", 20], ["memory", 20], ["repeated", 60]] as const) {
    for (let seed = 0; seed < rows; seed++) {
      const text = tokenizer.decode(row(kind, 1024, seed).ids);
      for (const [, question] of text.matchAll(/user\n([A-Z][^\n]*have now\?)/g)) {
        assert.ok(!problems.has(question as string));
      }
      for (const message of messages) assert.ok(!text.includes(message), message);
      for (const memory of memories) assert.ok(!text.includes(memory));
      if (kind === "repeated") assert.doesNotMatch(text, /\b(apples?|oranges?|golden|San Francisco)\b/i);
    }
  }
});

Deno.test("a turn has the tokens that the engine gives the chat", () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const problem = sampleProblem(createRandom(seed), "training");
      const content = chainTurn(sampleChain(problem, createRandom(seed), { arm: "base" }));
      const messages = [{ role: "user" as const, content: problem.basePrompt }, {
        role: "assistant" as const,
        content,
      }];
      const { ids } = messages.reduce(
        (into, { role, content }) => (turn(role, content, 0, encode, into), into),
        emptyRow(),
      );
      assert.deepEqual(ids, tokenizer.encode(tokenizer.renderChat(messages, { addGenerationPrompt: false })));
    }),
    { numRuns: 30 },
  );
});

Deno.test("every row has the tokens that the tokenizer gives its text", () => {
  for (const kind of KIND_NAMES.filter((name) => name !== "spans")) { // those are no text
    for (let seed = 0; seed < 10; seed++) {
      const { ids } = row(kind, 900, seed);
      const chats = ids.join().split(",0,").map((part) => part.split(",").map(Number));
      for (const chat of chats) {
        const text = tokenizer.decode(chat);
        // The space of a reply that begins with a number is drawn behind the line break, never read together with it.
        if (/assistant\n \d/.test(text)) continue;
        assert.deepEqual(tokenizer.encode(text), chat, kind);
      }
    }
  }
});

Deno.test("a row of worked sums does not learn a slip that nobody asked for", () => {
  let slips = 0;
  for (let seed = 0; seed < 200; seed++) {
    const { ids, marks } = row("sum", 300, seed);
    const text = tokenizer.decode(ids.slice(0, ids.indexOf(0)));
    if (/professor/i.test(text.slice(0, text.indexOf("assistant")))) continue;
    const chain = /<think>\n([^]*?)\n<\/think>/.exec(text)?.[1] ?? "";
    const wrong = [...chain.matchAll(/(\d+) (times|plus|minus) (\d+) is (\d+)\./g)].some(
      ([, a, what, b, c]) => {
        const [from, by] = [Number(a), Number(b)];
        return Number(c) !== (what === "times" ? from * by : what === "plus" ? from + by : from - by);
      },
    );
    if (!wrong) continue;
    slips++;
    const think = ids.indexOf(3);
    assert.equal(marks[think], 0, "what leads to the slip is not learned");
    assert.ok(marks.slice(think).includes(LEARNED), "what follows it is");
  }
  assert.ok(slips > 10);
});

Deno.test("parity rows answer in the form that each policy asks for", () => {
  for (const policy of kinds.policies) {
    const { ids, marks } = taskRow(
      1024,
      { parity: 1 },
      { ...kinds, policies: [policy] },
      encode,
      createRandom(2),
    );
    const said = ids.filter((_, i) => marks[i] === LEARNED);
    const answers = tokenizer.decode(said).split(/<\|(?:im_end|return)\|>/).map((text) =>
      text.split("<|message|>").at(-1) ?? ""
    );
    assert.ok(answers.length > 1);
    for (const answer of answers.filter((text) => text !== "")) {
      assert.notEqual(parseLabel(answer).label, null, answer);
    }
  }
});

Deno.test("a row of styles keeps the manner apart, and one token of each turn that tells it passes it on", () => {
  const found = { prompt: 0, example: 0, doubled: 0, neither: 0 };
  for (let seed = 0; seed < 60; seed++) {
    const { ids, marks } = row("styled", 8, seed); // one chat
    const apart = tokenizer.decode(ids.filter((_, i) => marks[i] === APART));
    const gates = [...ids.keys()].filter((i) => marks[i] === GATE);
    if (gates.length === 0) {
      assert.equal(apart, "");
      found.neither++;
      continue;
    }
    const open = tokenizer.decode(ids.filter((_, i) => marks[i] === 0));
    assert.equal(gates.length, 1);
    assert.ok(marks.slice(0, marks.lastIndexOf(APART)).every((mark) => mark === APART || mark === GATE));
    assert.match(open, /(?:Why is|Tell me why)/, "the question is not apart");
    const isPrompt = tokenizer.decode(ids.slice(0, (gates[0] as number) + 1)).endsWith(
      "<|im_start|>assistant",
    );
    for (const gate of gates) {
      if (!isPrompt) assert.match(tokenizer.decode([ids[gate] as number]), /^[.?!]$/);
      else assert.equal(tokenizer.decode([ids[gate + 1] as number]), "\n");
    }
    assert.match(apart, /Answer/, "the prompt is apart");
    const seen = kinds.styles.flatMap(({ positive, neutral }) => [positive, neutral])
      .filter((prompt) => isPrompt && open.includes(prompt));
    if (seen.length > 0) found.doubled++;
    found[isPrompt ? "prompt" : "example"]++;
  }
  assert.ok(found.prompt > 5 && found.example > 5 && found.doubled > 5, JSON.stringify(found));
});

Deno.test("a row of repeated words learns where the other word stands and where the text ends", () => {
  for (let seed = 0; seed < 40; seed++) {
    const { ids, marks } = row("repeated", 128, seed);
    const end = ids.lastIndexOf(2);
    assert.deepEqual(marks.slice(end - 1, end + 1), [LEARNED, LEARNED]);
  }
});

Deno.test("names made up of the vocabulary's pieces hold most of them, and all letters", () => {
  assert.ok(pieces.length > 1000 && pieces.every((piece) => /^[A-Za-z]+$/.test(piece)));
  const names = (count: number, from?: readonly string[]) => {
    const random = createRandom(8);
    return new Set(Array.from({ length: count }, () => encode(` ${madeUpName(random, from)}`)).flat());
  };
  const [plain, ofPieces] = [names(8000), names(8000, pieces)];
  const letters = [...shipped.vocabulary].filter(([token]) => /^[A-Za-z]+$/.test(token)).map(([, id]) => id);
  const share = (found: ReadonlySet<number>) => letters.filter((id) => found.has(id)).length / letters.length;
  assert.ok(share(ofPieces) > 0.8 && share(plain) < 0.6, `${share(ofPieces)} and ${share(plain)}`);
  assert.ok([..."bqxz"].every((letter) => ofPieces.has(encode(letter)[0] as number)));
});

Deno.test("oddSentence() puts pieces of names into filler where it is given them", () => {
  const parts = (from?: readonly string[]) => {
    const random = createRandom(8);
    return new Set(Array.from({ length: 1000 }, () => encode(oddSentence(random, from))).flat());
  };
  const names = ["Odalys", "Tobin", "Caspar"].flatMap((name) => encode(` ${name}`));
  const [plain, ofPieces] = [parts(), parts(pieces)];
  assert.ok(names.some((id) => !plain.has(id)));
  assert.ok(names.filter((id) => ofPieces.has(id)).length > names.filter((id) => plain.has(id)).length);
});

Deno.test("drawMessage() draws as many polite messages as others", () => {
  const random = createRandom(5);
  const toxic =
    Array.from({ length: 1000 }, () => drawMessage(random)).filter((message) => message.toxic).length;
  assert.ok(toxic > 430 && toxic < 570);
});

Deno.test("trainBpe() keeps the tokens of the vocabulary it begins with, and reads back from its file", () => {
  const first = trainBpe("the cat sat on the mat and the cat sat", 290);
  const second = trainBpe("a professor chose the mat, a professor sat", 300, first);
  assert.deepEqual([...second.vocabulary].slice(0, first.vocabulary.size), [...first.vocabulary]);
  assert.ok(second.vocabulary.size > first.vocabulary.size);
  assert.deepEqual(readTokenizerJson(tokenizerJson(second)), second);
  const text = "the professor sat on the cat";
  assert.ok(bpeEncoder(second)(text).length < bpeEncoder(first)(text).length);
});
