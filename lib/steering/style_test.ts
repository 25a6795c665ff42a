import assert from "node:assert/strict";
import { join } from "node:path";
import { loadStyle, styleMessages, STYLES } from "./style.ts";
import { sentencesOf, styleScore } from "./style_score.ts";

async function withFile(name: string, text: string, use: (path: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(dir, name), text);
    await use(join(dir, name));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const GOOD = `description: Shouts.
positive: Shout.
neutral: Speak.
markers:
  mark: '!$'
questions: [Why?]
`;

Deno.test("loadStyle() reads the styles that ship, and files of one's own", async () => {
  for (const name of STYLES) {
    const style = await loadStyle(name);
    assert.equal(style.name, name);
    assert.ok(style.questions.length >= 10 && Object.keys(style.markers).length >= 3);
    assert.ok(style.questions.every((question) => question.endsWith("?")));
  }
  await withFile("loud_style.yaml", GOOD, async (path) => {
    const style = await loadStyle(path);
    assert.equal(style.name, "loud_style");
    assert.equal(styleScore(style, "Well! It is so. Yes!").score, 2 / 3);
    assert.deepEqual(styleMessages(style, "positive", "Why?"), [{ role: "user", content: "Shout.\n\nWhy?" }]);
    await Deno.writeTextFile(path, GOOD.replace("Shout.", "Cry."));
    assert.notEqual((await loadStyle(path)).hash, style.hash);
  });
});

Deno.test("loadStyle() names what is wrong with a style", async () => {
  await assert.rejects(loadStyle("no_style"), { name: "InputError", message: /researcher_style/ });
  await assert.rejects(loadStyle("nowhere.yaml"), { name: "InputError", message: /Cannot read/ });
  const wrong: [string, string, RegExp][] = [
    ["a.yaml", GOOD.replace("'!$'", "'('"), /markers\.mark/],
    ["a.yaml", GOOD.replace("neutral: Speak.\n", ""), /neutral/],
    ["a.yaml", GOOD.replace("Speak.", "Shout."), /the same/],
    ["a.yaml", `${GOOD}colour: red\n`, /colour/],
    ["a.yaml", "a: [", /Cannot read/],
    ["My Style.yaml", GOOD, /my_style\.yaml/],
  ];
  for (const [name, text, message] of wrong) {
    await withFile(name, text, (path) => assert.rejects(loadStyle(path), { name: "InputError", message }));
  }
});

Deno.test("sentencesOf() keeps the number of a step with its sentence", () => {
  assert.deepEqual(sentencesOf("1. Heat it. 2. Wait.\n3) Stir!\n\n- Serve it"), [
    "1. Heat it.",
    "2. Wait.",
    "3) Stir!",
    "- Serve it",
  ]);
  assert.deepEqual(sentencesOf("Step 1. Look. Step 2: Leap."), ["Step 1. Look.", "Step 2: Leap."]);
  assert.deepEqual(sentencesOf(" \n --- \n"), []);
  assert.deepEqual(sentencesOf("It is 42"), ["It is 42"]);
});

Deno.test("styleScore() counts sentences with a marker once, and gives 0 for no text", async () => {
  const style = await loadStyle("step_by_step_reasoning");
  const { score, sentences, found } = styleScore(
    style,
    "Step 1: First, look. It is far. So leap. Then stop.",
  );
  assert.deepEqual([score, sentences], [0.5, 4]);
  assert.deepEqual(found, { "numbered step": 1, "order word": 1, conclusion: 1 });
  assert.equal(styleScore(style, "").score, 0);
  const researcher = await loadStyle("researcher_style");
  assert.equal(styleScore(researcher, "The evidence may be limited. I like it.").score, 0.5);
});
