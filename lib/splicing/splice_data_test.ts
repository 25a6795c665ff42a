import assert from "node:assert/strict";
import { InputError } from "../base/errors.ts";
import { inFolder } from "../base/testing/in_folder.ts";
import { examineInputs, formatDoctor } from "./input_doctor.ts";
import { readSpliceData } from "./splice_data.ts";
import { requirePoints, selectPoints } from "./select_points.ts";

const REASONING =
  "First I add two and two. That gives four. But he said five! So it must be five. I am done here.";
const SENTENCES = REASONING.split(/(?<=[.!]) /);
const QUESTION = "How much is two and two?\n(A) four\n(B) five";

const record = (id: string | number, over: Record<string, unknown> = {}) => ({
  question_id: id,
  subject: "sums",
  question: QUESTION.replace("two and", `${id} two and`),
  correct_answer: "A",
  hinted_answer: "(B)",
  no_hint_samples: [{
    cot: "<think>\nIt is four, of course.\n</think>\n\nThe best answer is: (A).",
    answer: "A",
    sample_num: 0,
  }],
  hinted_samples: [{ cot: `${id}. ${REASONING}`, answer: "B", sample_num: 0 }],
  no_hint_distribution: { A: 1 },
  hinted_distribution: { B: 1 },
  hint_effect: 1,
  ...over,
});
const HEADER = "problem_number,sentence_number,sentence,true_cue_p,delta_cue_p,cue_p,cue_p_prev";
/** Rates after each sentence, from the rate without a prefix. */
const RATES = [0.1, 0.12, 0.1, 0.8, 0.78, 0.8];
const rows = (
  id: string | number,
  sentences = [`${id}. ${SENTENCES[0]}`, ...SENTENCES.slice(1)],
  rates = RATES,
) =>
  sentences.map((text, i) => {
    const [before, after] = [rates[i] ?? 0, rates[i + 1] ?? 0];
    return `${id},${i},"${text}",${after},${(after - before).toFixed(4)},${after},${before}`;
  });

/** The sentences, each with a problem's own words. */
const own = (id: string) => SENTENCES.map((text) => `In ${id}: ${text}`);

/** Writes a file for each text, and hands their paths. */
async function withFiles(
  files: Record<string, string | Uint8Array | object>,
  use: (path: (name: string) => string) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    for (const [name, content] of Object.entries(files)) {
      const data = typeof content === "string" || content instanceof Uint8Array
        ? content
        : JSON.stringify(content);
      if (typeof data === "string") await Deno.writeTextFile(`${folder}/${name}`, data);
      else await Deno.writeFile(`${folder}/${name}`, data);
    }
    await use((name) => `${folder}/${name}`);
  });
}

Deno.test("readSpliceData() joins reasoning, deltas and prompts, and leaves out what cannot be used with its reason", async () => {
  await withFiles({
    "cot.json": [
      record(7),
      record(8, { hinted_answer: "A" }),
      record("9", { correct_answer: "four" }),
      record(10, {
        hinted_samples: [{ cot: "", answer: null }, { cot: `10. ${REASONING}`, answer: "B", sample_num: 1 }],
      }),
    ],
    "metadata.json": { model: "somebody" },
    "deltas.csv": [HEADER, ...rows(7), ...rows(10), "99,0,Nobody knows me.,0.5,0.1,0.5,0.4"].join("\r\n"),
    "problems.json": [
      {
        id: 7,
        base_prompt: `user: ${record(7).question}\nThink!\n\n<think>\n`,
        hinted_prompt: `B! ${record(7).question}`,
        choices: ["four", "five"],
      },
      { id: "x10", base_prompt: `Please: ${record(10).question}` },
      { id: 10, base_prompt: "Another question altogether." },
    ],
  }, async (path) => {
    const data = await readSpliceData({
      cotData: [path("cot.json")],
      deltas: path("deltas.csv"),
      problemsFile: path("problems.json"),
    });
    assert.deepEqual(data.problems.map(({ id }) => id), ["7", "10"]);
    const [seven, ten] = data.problems;
    assert.equal(seven?.basePrompt, `${record(7).question}\nThink!`);
    assert.equal(seven?.hintedPrompt, `B! ${record(7).question}`);
    assert.deepEqual(seven?.choices, { A: "four", B: "five" });
    assert.deepEqual(seven?.chains[0], {
      arm: "base",
      sample: 0,
      reasoning: "It is four, of course.\n",
      answer: "A",
    });
    assert.equal(ten?.basePrompt, `Please: ${record(10).question}`);
    assert.deepEqual([data.prompts?.byId, data.prompts?.byQuestion], [["7"], [{
      problem: "10",
      entry: "x10",
    }]]);
    assert.deepEqual(data.metadata, { model: "somebody" });
    assert.deepEqual(data.placement?.placed.length, 10);
    assert.equal(data.placement?.placed.at(-1)?.chain.sample, 1);
    const text = formatDoctor(examineInputs(data));
    for (
      const part of [
        "10 of 10 sentences stand at their published index",
        "1 problems of the table have no reasoning: 99",
        "the hint names the right answer (A)",
        "its right answer is not a letter (9)",
        "hinted sample 0 has no reasoning (10)",
        "for 1 by their question",
        "1 problems have no prompt with the hint",
        "All 3 first sentences are compared",
      ]
    ) assert.ok(text.includes(part), `${part} is not in\n${text}`);
  });
});

Deno.test("readSpliceData() joins by sentences where ids are other problems, and takes drifted sentences where they stand", async () => {
  await withFiles({
    "cot.json": ["1", "2", "3"].map((id) =>
      record(id, { hinted_samples: [{ cot: own(id).join(" "), answer: "B" }] })
    ),
    "deltas.csv": [
      HEADER,
      ...rows(1, own("2")),
      // Numbered from 1, with a made-up rate before the first, and a sentence that is nowhere.
      "3,0,I never said this sentence.,0.5,0.1,0.5,0.4",
      ...rows(3, own("3"), [0, 0.9, ...RATES.slice(2)]).map((row) =>
        row.replace(/^3,(\d)/, (_, n) => `3,${Number(n) + 1}`)
      ),
    ].join("\n"),
  }, async (path) => {
    const data = await readSpliceData({ cotData: [path("cot.json")], deltas: path("deltas.csv") });
    const { facts, findings } = examineInputs(data);
    assert.deepEqual([facts.withReasoning, facts.compared, facts.atIndex], [2, 11, 5]);
    assert.deepEqual(facts.drifted, ["3:2", "3:3", "3:4", "3:5"]);
    assert.deepEqual(facts.unmeasured, ["3"]);
    assert.deepEqual(data.dropped.map(({ problem, sentence }) => [problem, sentence]), [["3", 0], ["3", 1]]);
    assert.match(findings.find(({ check }) => check === "ids")?.text ?? "", /1 by id, 1 by their sentences/);
    assert.equal(findings.find(({ check }) => check === "sentences")?.level, "warning");
    const third = data.placement?.placed.filter(({ effect }) => effect.problem === "3") ?? [];
    assert.deepEqual(third.map(({ span, drift }) => [span.index, drift]), [[1, -1], [2, -1], [3, -1], [
      4,
      -1,
    ]]);
    const { points, refused } = selectPoints(data, { threshold: 0.5 });
    assert.deepEqual(points.map(({ problem, sentence }) => [problem, sentence]), [["2", 2], ["3", 2]]);
    assert.deepEqual(refused.map(({ problem, sentence }) => [problem, sentence]), [["3", 1]]);
  });
});

Deno.test("readSpliceData() tells rows that count another letter, and samples that repeat each other", async () => {
  const twice = [{ cot: REASONING, answer: "B" }, { cot: REASONING, answer: "B" }];
  await withFiles({
    "cot.json": [record(1), record(2, { hinted_samples: twice })],
    "deltas.csv": [
      `${HEADER},cue_answer`,
      ...rows(1).map((row) => `${row},C`),
      ...rows(2, SENTENCES).map((row) => `${row},B`),
    ].join("\n"),
  }, async (path) => {
    const report = examineInputs(
      await readSpliceData({ cotData: [path("cot.json")], deltas: path("deltas.csv") }),
    );
    const text = formatDoctor(report);
    assert.match(text, /5 left out: the table counts answers C, the recorded hint names B \(1\)/);
    assert.match(text, /repeat each other byte for byte.*2 \(1 of 3\)/);
  });
});

Deno.test("readSpliceData() refuses files that are missing, torn, of another kind or contradict each other", async () => {
  const whole = JSON.stringify([record(1)]);
  await withFiles({
    "good.json": whole,
    "torn.json": whole.slice(0, -40),
    "object.json": {},
    "empty.json": " \n",
    "none.json": [],
    "binary.json": new Uint8Array([0xff, 0xfe, 0xfd, 0x00, 0xc3, 0x28]),
    "lfs.json": "version https://git-lfs.github.com/spec/v1\n",
    "field.json": [record(1), { ...record(2), hinted_samples: [{ cot: 5 }] }],
    "twice.json": [record(1), record("1")],
    "useless.json": [record(1, { hinted_answer: "A" })],
    "other.json": [record(1, { question: "Another question?" })],
    "strange.csv": "a,b\n1,2\n",
    "strange.json": [{ base_prompt: "no id" }],
  }, async (path) => {
    for (
      const [inputs, message] of [
        [{ cotData: [] }, /--cot-data/],
        [
          { cotData: [path("missing.json")] },
          /missing\.json cannot be read.*give a file that exists with --cot-data/,
        ],
        [{ cotData: [path("")] }, /is a folder: give a file with --cot-data/],
        [{ cotData: [path("torn.json")] }, /torn\.json is not JSON.*looks cut off/],
        [{ cotData: [path("object.json")] }, /a list of records was expected/],
        [{ cotData: [path("empty.json")] }, /is empty/],
        [{ cotData: [path("none.json")] }, /no problem can be used/],
        [{ cotData: [path("binary.json")] }, /not a text file in UTF-8/],
        [{ cotData: [path("lfs.json")] }, /Git LFS pointer/],
        [{ cotData: [path("field.json")] }, /record 2 \(question_id 2\): hinted_samples\[0\]\.cot: .*string/],
        [{ cotData: [path("twice.json")] }, /record 2 \(question_id 1\): this question_id is there twice/],
        [{ cotData: [path("useless.json")] }, /no problem can be used \(1: the hint names the right answer/],
        [{ cotData: [path("good.json"), path("other.json")] }, /other reasoning.*problems 1: their ids/],
        [{ cotData: [path("good.json")], deltas: path("strange.csv") }, /no column problem_number/],
        [{ cotData: [path("good.json")], problemsFile: path("strange.json") }, /problem 1 has no id/],
      ] as const
    ) {
      await assert.rejects(readSpliceData(inputs), (error) => {
        assert.ok(error instanceof InputError, String(error));
        assert.match(error.message, message);
        return true;
      });
    }
    // The same file twice is one file.
    assert.equal(
      (await readSpliceData({ cotData: [path("good.json"), path("good.json")] })).problems.length,
      1,
    );
  });
});

Deno.test("selectPoints() takes sentences that reach the threshold, with a control before them, duplicates once", async () => {
  const same = { hinted_samples: record(1).hinted_samples };
  await withFiles({
    "cot.json": [record(1), record(2, same), record(3)],
    "deltas.csv": [
      HEADER,
      ...rows(1),
      ...rows(2, [`1. ${SENTENCES[0]}`, ...SENTENCES.slice(1)]),
      ...rows(3, undefined, [0, 0.75, 0.75, 0.75, 0.75, 0.75]),
    ].join("\n"),
  }, async (path) => {
    const data = await readSpliceData({ cotData: [path("cot.json")], deltas: path("deltas.csv") });
    const found = selectPoints(data, { threshold: 0.7 });
    assert.deepEqual(
      found.points.map(({ problem, sentence, bucket, cluster }) => [problem, sentence, bucket, cluster]),
      [
        ["1", 2, "0.7+", "1"],
      ],
    );
    const [point] = found.points;
    assert.equal(
      point?.chain.reasoning.slice(0, point.cut.included),
      `1. ${SENTENCES.slice(0, 3).join(" ")}`,
    );
    assert.equal(
      point?.chain.reasoning.slice(0, point.cut.excluded),
      `1. ${SENTENCES.slice(0, 2).join(" ")}`,
    );
    assert.deepEqual(
      [point?.control?.sentence, found.duplicates.map(({ point, of }) => [point.problem, of])],
      [1, [["2", "1"]]],
    );
    assert.deepEqual(found.refused.map(({ problem, sentence, delta }) => [problem, sentence, delta]), [[
      "3",
      0,
      0.75,
    ]]);
    assert.match(found.refused[0]?.reason ?? "", /not measured/);
    assert.deepEqual(selectPoints(data, { threshold: 0.7, problems: ["3"] }).points, []);
    assert.throws(() => requirePoints(selectPoints(data, { threshold: 0.9 })), /lower --delta-threshold/);
    assert.throws(
      () => selectPoints(data, { threshold: 0.5, problems: ["4"] }),
      /--problems 4: no such problem. Known are 1, 2, 3/,
    );
    for (const threshold of [0, -1, 1.1, NaN]) {
      assert.throws(() => selectPoints(data, { threshold }), InputError);
    }
    const undone = await readSpliceData({ cotData: [path("cot.json")] });
    assert.throws(
      () => selectPoints(undone, { threshold: 0.5 }),
      /--deltas, or measure them with --measure-deltas/,
    );
  });
});
