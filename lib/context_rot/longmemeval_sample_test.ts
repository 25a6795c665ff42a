import assert from "node:assert/strict";
import { join } from "node:path";
import { openBackend } from "../backends/open_backend.ts";
import { loadO200k } from "../backends/tokenizers.ts";
import { getVariant } from "../backends/variants.ts";
import { createRandom } from "../base/random.ts";
import { smallTalk } from "./chat_history.ts";
import { dataFolder } from "./longmemeval_config.ts";
import { openMemoryData } from "./longmemeval_data.ts";
import { matchMemory } from "./longmemeval_match.ts";
import { chatHistory, sampleItems, writeSample } from "./longmemeval_sample.ts";
import { matchAnswer, matchWords } from "../runs/match.ts";
import { MEMORY_TYPES, memoryQuestion } from "./memory_questions.ts";
import { ATTRIBUTES, NAMES, RELATIONS } from "./needles.ts";

Deno.test("writeSample() gives the files that ship, byte for byte", async () => {
  const folder = await Deno.makeTempDir();
  for (const path of await writeSample(folder, await loadO200k())) {
    const name = path.slice(folder.length + 1);
    assert.equal(
      await Deno.readTextFile(path),
      await Deno.readTextFile(join(dataFolder(), name)),
      `${name} is not what the generator writes: run deno task data sample`,
    );
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("sampleItems() gives 52 questions of all types, mixed, some unanswerable", () => {
  const items = sampleItems();
  assert.equal(items.length, 52);
  assert.equal(new Set(items.map(({ id }) => id)).size, 52);
  assert.equal(items.filter(({ id }) => id.endsWith("_abs")).length, 4);
  const kinds = (part: typeof items) =>
    new Set(part.map(({ type, abstention }) => abstention ? "abs" : type)).size;
  for (
    const part of [
      items.slice(0, 26),
      items.slice(26),
      items.filter((_, i) => i % 2 === 0).slice(0, 20),
    ]
  ) {
    assert.equal(kinds(part), 6);
  }
  assert.notDeepEqual(sampleItems({ seed: 1 }).map(({ full }) => full), items.map(({ full }) => full));
});

Deno.test("sampleItems() puts the chats that matter into both texts, anywhere in the full one, oldest first", () => {
  const depths: number[] = [];
  for (const { focused, full, evidence, question, date } of sampleItems()) {
    const days = [...full.matchAll(/\[chat of (\S+)\]/g)].map(([, day]) => day ?? "");
    assert.deepEqual(days, days.toSorted());
    assert.ok(days.every((day) => day < date));
    for (const chat of evidence) {
      for (const { role, content } of chat.turns) {
        assert.ok(
          focused.includes(`${role}: ${content}\n`) && full.includes(`${role}: ${content}\n`),
          content,
        );
      }
      depths.push(
        full.indexOf(chat.turns.map(({ role, content }) => `${role}: ${content}`).join("\n")) / full.length,
      );
    }
    for (const text of [focused, full]) assert.ok(text.includes(`<question>\n${question}\n`));
    assert.ok(full.length > 1.5 * focused.length);
  }
  assert.ok(Math.min(...depths) > 0 && Math.min(...depths) < 0.2 && Math.max(...depths) > 0.7, `${depths}`);
});

Deno.test("sampleItems() fits the embedded model's window, and its data opens as a run's", async () => {
  await using pocket = await openBackend(await getVariant("pocket"));
  const tokenizer = await pocket.tokenizer();
  const tokens = sampleItems().map(({ full }) => tokenizer.countMessages([{ role: "user", content: full }]));
  assert.ok(Math.max(...tokens) + 64 <= 4096 && Math.min(...tokens) > 600, `${tokens}`);
  const path = (name: string) => join(dataFolder(), `longmemeval_sample_${name}`);
  const data = await openMemoryData({
    focused: path("focused.csv"),
    full: path("full.csv"),
    types: path("types.json"),
    sample: true,
  });
  assert.deepEqual([data.items.length, data.untyped], [52, 0]);
});

Deno.test("memoryQuestion() can be answered from its chats, and the chats around them say nothing of it", () => {
  for (const type of MEMORY_TYPES) {
    for (let i = 0; i < 60; i++) {
      const random = createRandom(`${type}/${i}`);
      const question = memoryQuestion(type, random);
      const said = question.evidence.flatMap(({ turns }) => turns.map(({ content }) => content)).join(" ");
      const [name = ""] = question.people;
      assert.ok(question.question.includes(name) && said.includes(name));
      if (!/^\d+(?: days)?$/.test(question.answer)) {
        assert.ok(matchAnswer(said, [question.answer]).index >= 0, said);
      }
      assert.equal(matchMemory(`It is ${question.answer}.`, { ...question, question: "" }).right, true);
      const history = chatHistory(question, random, { chars: 6000 });
      const others = history.filter((chat) => !question.evidence.includes(chat));
      assert.equal(history.length - others.length, question.evidence.length);
      assert.ok(!JSON.stringify(others).includes(name), "nobody else is called so");
    }
  }
});

Deno.test("memoryQuestion() that is unanswerable asks for what its chats do not hold", () => {
  for (let i = 0; i < 60; i++) {
    const question = memoryQuestion("single-session-user", createRandom(i), { abstention: true });
    const asked = ATTRIBUTES.find(({ name }) => question.question.includes(`the ${name} of`));
    assert.ok(asked && !JSON.stringify(question.evidence).includes(`The ${asked.name} of`));
    assert.equal(matchMemory(question.answer, { ...question, type: null }).right, true);
  }
});

Deno.test("smallTalk() names nobody and holds no answer", () => {
  const random = createRandom("talk");
  const answers = new Set([...RELATIONS, ...ATTRIBUTES].flatMap(({ values }) => values));
  const texts: string[] = [];
  for (let i = 0; i < 4000; i++) texts.push(smallTalk(random).map(({ content }) => content).join("\n"));
  assert.ok(new Set(texts).size > 3800, "they differ");
  for (const text of new Set(texts)) {
    assert.doesNotMatch(text, /[{}]|\ba [aeiou]/);
    for (const name of NAMES) assert.ok(!new RegExp(`\\b${name}\\b`).test(text), `${name}: ${text}`);
    for (const word of matchWords(text)) assert.ok(!answers.has(word), `${word}: ${text}`);
  }
});
