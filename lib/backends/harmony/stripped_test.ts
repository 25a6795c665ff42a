import assert from "node:assert/strict";
import fc from "fast-check";
import { answerOf } from "./answer.ts";
import { parseHarmonyText } from "./parse.ts";
import { renderHarmonyText } from "./render.ts";

const read = (text: string) => answerOf(parseHarmonyText(text, { mode: "recover", startRole: "assistant" }));

Deno.test("parseHarmonyText() cuts texts whose special tokens were removed", () => {
  const cases: [string, string, string | null][] = [
    ["analysisSimple sum.assistantfinalIt is 4.", "It is 4.", "Simple sum."],
    ["analysisthe user asksassistantfinalyes", "yes", "the user asks"],
    ["analysis\n\nHm.assistantfinal4", "4", "\n\nHm."],
    ["assistantanalysisHm.assistantfinal4", "4", "Hm."],
    ["analysisCut by the cap", "", "Cut by the cap"],
    ["finalThe answer is 4.", "The answer is 4.", null],
    ["Hm. Four, then.assistantfinal4", "4", "Hm. Four, then."],
    ["analysisA.assistantcommentaryB.assistantanalysisC.assistantfinalD.", "D.", "A.\n\nB.\n\nC."],
    [
      'analysisAsk.assistantcommentary to=functions.get_weather json{"place":"Bonn"}',
      "",
      'Ask.\n\nto=functions.get_weather {"place":"Bonn"}',
    ],
    [
      'analysisAsk.assistant to=functions.get_weathercommentary json{"place":"Bonn"}',
      "",
      'Ask.\n\nto=functions.get_weather {"place":"Bonn"}',
    ],
    [
      'commentary to=functions.json_get<|x|>json{"a":1}'.replace("<|x|>", ""),
      "",
      'to=functions.json_get {"a":1}',
    ],
    ['analysisA.assistantfinaljson{"a":1}', '{"a":1}', "A."],
  ];
  for (const [text, answer, reasoning] of cases) {
    const parts = read(text);
    assert.deepEqual([parts.text, parts.reasoning], [answer, reasoning], text);
    assert.deepEqual(parts.recoveries, ["stripped_specials"], text);
  }
});

Deno.test("parseHarmonyText() cuts no text that merely begins with a channel's name", () => {
  for (
    const text of [
      "analysis",
      "final",
      "analysis of the text shows nothing",
      "Analysis: nothing",
      "finally it rained",
      "final answer: 4",
      "finals are in June",
      "commentary on Kant",
      "The assistant finalized it.",
      "The assistant to=",
      "assistant analysis",
      "assistant",
      "to=me",
      " 4\n",
    ]
  ) {
    const { recoveries, ...parts } = read(text);
    assert.deepEqual([parts.text, parts.reasoning], [text, null]);
    assert.deepEqual(recoveries, ["cut_header"]);
  }
});

Deno.test("parseHarmonyText() finds reasoning and answer of any completion stripped of its tokens", () => {
  const words = fc.lorem({ mode: "sentences", maxCount: 4 });
  fc.assert(fc.property(words, words, (reasoning, answer) => {
    const text = renderHarmonyText([
      { role: "assistant", channel: "analysis", content: reasoning },
      { role: "assistant", channel: "final", content: answer },
    ], { keepAnalysis: true });
    const parts = read(text.replace(/^<\|start\|>assistant/, "").replaceAll(/<\|[a-z]+\|>/g, ""));
    assert.deepEqual([parts.text, parts.reasoning], [answer, reasoning]);
  }));
});
