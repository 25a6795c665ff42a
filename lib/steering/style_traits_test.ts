import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { markerScorer } from "./markers.ts";
import { createRandom } from "../base/random.ts";
import { sampleAnswer } from "./sample_answers.ts";
import { sampleQuestion } from "./sample_questions.ts";
import { type StyleName, STYLES } from "./style.ts";
import { loadPromptSet } from "./prompt_set.ts";
import { stylePromptSet, styleTraitFiles } from "./style_traits.ts";

const folder = fileURLToPath(new URL("../../data/traits/", import.meta.url));

Deno.test("styleTraitFiles() gives the traits that ship, byte for byte", async () => {
  const files = await styleTraitFiles();
  assert.equal(Object.keys(files).length, 4 * STYLES.length);
  for (const [path, content] of Object.entries(files)) {
    assert.equal(await Deno.readTextFile(folder + path), content, path);
  }
});

Deno.test("stylePromptSet() gives the prompt set that ships, byte for byte", async () => {
  assert.equal(await Deno.readTextFile(`${folder}../prompt_sets/styles.json`), await stylePromptSet());
  const { prompts } = await loadPromptSet("styles");
  assert.deepEqual([prompts.length, prompts[0]?.id, prompts[1]?.id], [12, "1-plain", "1-researcher_style"]);
});

Deno.test("the traits that ship have pairs and questions of their own, and markers that tell their answers apart", async () => {
  const files = await styleTraitFiles();
  const random = createRandom("answers");
  for (const style of STYLES) {
    const file = (name: string) => files[`styles/${style}/${name}`] as string;
    const prompts = ["positive", "negative"].map((side) =>
      file(`${side}.jsonl`).trim().split("\n").map((line) => JSON.parse(line).prompt as string)
    ) as [string[], string[]];
    const { questions, markers, neutral, instruction } = JSON.parse(file("steering.json"));
    assert.deepEqual(prompts[0].map((prompt) => prompt.replace(instruction, neutral)), prompts[1]);
    assert.equal(new Set([...prompts[1], ...questions]).size, prompts[1].length + questions.length);
    const { score } = markerScorer(markers);
    const mean = (manner: StyleName | "neutral") => {
      const scores = Array.from(
        { length: 40 },
        () => score(sampleAnswer(manner, sampleQuestion(random, "shipped"), random)),
      );
      return scores.reduce((sum, x) => sum + x, 0) / scores.length;
    };
    assert.ok(mean(style) > 90 && mean("neutral") < 5, `${style} ${mean(style)} ${mean("neutral")}`);
  }
});
