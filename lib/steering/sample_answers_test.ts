import assert from "node:assert/strict";
import { createRandom } from "../base/random.ts";
import { sampleAnswer, sampleChat } from "./sample_answers.ts";
import { namesCause, sampleQuestion, spaceOf } from "./sample_questions.ts";
import { loadStyle, STYLES } from "./style.ts";
import { styleScore } from "./style_score.ts";

const styles = await Promise.all(STYLES.map(async (name) => ({ ...await loadStyle(name), name })));

Deno.test("sampleQuestion() draws from two spaces that share no question, the same for the same seed", () => {
  const ids = (space: "shipped" | "training") => {
    const random = createRandom(5);
    return Array.from({ length: 2000 }, () => sampleQuestion(random, space));
  };
  const [shipped, training] = [ids("shipped"), ids("training")];
  assert.deepEqual(ids("shipped"), shipped);
  const known = new Set(training.map(({ question }) => question));
  assert.ok(shipped.every(({ question }) => !known.has(question)));
  assert.ok(shipped.every(({ id }) => spaceOf(id) === "shipped"));
  assert.ok(new Set(shipped.map(({ id }) => id)).size > 1900, "questions hardly ever come twice");
  for (const { question, cause, state, thing } of shipped) {
    assert.ok(
      namesCause({ cause }, question) && question.includes(state) && question.includes(thing),
      question,
    );
    assert.doesNotMatch(question, /[{}]/);
  }
});

Deno.test("sampleAnswer() writes answers that name the cause, and that the markers of their own style alone find", () => {
  const random = createRandom(9);
  for (const manner of [...STYLES, "neutral"] as const) {
    for (let i = 0; i < 200; i++) {
      const question = sampleQuestion(random, "training");
      const answer = sampleAnswer(manner, question, random);
      assert.ok(namesCause(question, answer), answer);
      assert.doesNotMatch(answer, /[{}]|undefined/);
      for (const style of styles) {
        const { score } = styleScore(style, answer);
        assert.equal(score, style.name === manner ? 1 : 0, `${style.name}: ${answer}`);
      }
    }
  }
});

Deno.test("sampleChat() gives the style's prompt, or shows the style by answers under the neutral one", () => {
  const random = createRandom(2);
  for (const style of styles) {
    for (const side of ["positive", "neutral"] as const) {
      const chats = Array.from({ length: 100 }, () => sampleChat(style, side, random, "training"));
      for (const { messages, answer, form } of chats) {
        const [first] = messages;
        const instructs = form === "instructed" && side === "positive";
        assert.ok(first?.content.startsWith(`${style[instructs ? "positive" : "neutral"]}\n\n`));
        assert.equal(messages.at(-1)?.role, "user");
        assert.equal(messages.length > 1, form === "shown");
        const written = [
          answer,
          ...messages.filter(({ role }) => role === "assistant").map((m) => m.content),
        ];
        for (const text of written) assert.equal(styleScore(style, text).score, side === "positive" ? 1 : 0);
      }
      assert.equal(new Set(chats.map(({ form }) => form)).size, 2);
    }
  }
});
