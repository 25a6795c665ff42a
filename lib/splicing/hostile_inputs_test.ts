/** Whatever a file holds, it is read, or refused with words for people. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { InputError } from "../base/errors.ts";
import { inFolder } from "../base/testing/in_folder.ts";
import { examineInputs, formatDoctor } from "./input_doctor.ts";
import { selectPoints } from "./select_points.ts";
import { splitSentences } from "./sentences.ts";
import { readSpliceData } from "./splice_data.ts";

const REASONING =
  "I look at the first one. Then I look at the second. It must be the second one. So that is it, I think.";
const record = (id: number) => ({
  question_id: id,
  subject: null,
  question: `Which is right, ${id}?\n(A) one\n(B) two`,
  correct_answer: "A",
  hinted_answer: "B",
  no_hint_samples: [{ cot: `${id} is odd. So it is the first.`, answer: "A", sample_num: 0 }],
  hinted_samples: [{ cot: `${id}: ${REASONING}`, answer: "B", sample_num: 0 }],
});
const branch = (pn: number) => ({
  pn,
  question: `user: Which is right, ${pn}?\n(A) one\n(B) two\n\n<think>\n`,
  question_with_cue: `user: (B) it is. Which is right, ${pn}?\n\n<think>\n`,
  reasoning_text: `${pn}: ${REASONING}`,
  gt_answer: "A",
  cue_answer: "B",
  answer: "B",
});
const RATES = [0.1, 0.2, 0.2, 0.9, 0.9];
const table = [
  "pn,sentence,cue_p,cue_p_prev,sentence_num,gt_answer,cue_answer",
  ...[1, 2].flatMap((pn) =>
    splitSentences(`${pn}: ${REASONING}`).map(({ text }, i) =>
      `${pn},"${text}",${RATES[i + 1] ?? 0.9},${RATES[i]},${i},A,B`
    )
  ),
].join("\n");
const prompts = [{
  id: 1,
  base_prompt: "Which is right, 1?",
  hinted_prompt: "(B). Which is right, 1?",
  choices: { A: "one", B: "two" },
}];

const VALUES = [
  null,
  "",
  0,
  -1,
  1e308,
  "NaN",
  true,
  [],
  {},
  [null],
  "\u0000",
  "💥",
  "x".repeat(5000),
  ["A"],
  { cot: null },
];

/** Changes one place of a text: cuts it off, or puts something else there. */
const damage = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  take: fc.nat(12),
  put: fc.constantFrom("", "\u0000", '"', "[", "}", ",", "\n", "1e999", "-5", "null", "💥", "\ufeff"),
  rest: fc.boolean(),
});
const damaged = (
  text: string,
  { at, take, put, rest }: { at: number; take: number; put: string; rest: boolean },
) => {
  const from = Math.floor(at * text.length);
  return text.slice(0, from) + put + (rest ? text.slice(from + take) : "");
};

/** Puts a value at a random field of a random record. */
function spoiled(
  records: readonly object[],
  { at, field, value }: { at: number; field: number; value: unknown },
): unknown[] {
  return records.map((item, i) => {
    if (i !== at % records.length) return item;
    const keys = Object.keys(item);
    return { ...item, [keys[field % keys.length] as string]: value };
  });
}

Deno.test("readSpliceData() reads damaged files or refuses them as wrong input, and never loses a row without a reason", async () => {
  let read = 0, refused = 0;
  await inFolder(async (folder) => {
    const spoil = fc.record({ at: fc.nat(9), field: fc.nat(20), value: fc.constantFrom(...VALUES) });
    const cot = fc.constantFrom<readonly object[]>([record(1), record(2)], [branch(1), branch(2)]);
    const cotText = fc.oneof(
      cot.map((records) => JSON.stringify(records)),
      fc.tuple(cot, spoil).map(([records, change]) => JSON.stringify(spoiled(records, change))),
      fc.tuple(cot, damage).map(([records, change]) => damaged(JSON.stringify(records), change)),
    );
    const csv = fc.oneof({ weight: 1, arbitrary: fc.constant(table) }, {
      weight: 3,
      arbitrary: damage.map((change) => damaged(table, change)),
    });
    const promptText = fc.oneof(
      fc.constant(JSON.stringify(prompts)),
      spoil.map((change) => JSON.stringify(spoiled(prompts, change))),
    );
    await fc.assert(
      fc.asyncProperty(cotText, csv, promptText, async (cotData, deltas, problems) => {
        const files = { "cot.json": cotData, "deltas.csv": deltas, "problems.json": problems };
        for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(`${folder}/${name}`, text);
        try {
          const data = await readSpliceData({
            cotData: [`${folder}/cot.json`],
            deltas: `${folder}/deltas.csv`,
            problemsFile: `${folder}/problems.json`,
          });
          const report = examineInputs(data);
          assert.ok(formatDoctor(report).length > 0);
          const { points, duplicates } = selectPoints(data, { threshold: 0.5 });
          for (const { delta, before, after, sentence, chain, cut, span } of points) {
            assert.ok(delta >= 0.5 - 1e-9 && Math.abs(after - before - delta) < 1e-9);
            assert.ok(sentence > 0 || before > 0);
            assert.equal(chain.reasoning.slice(span.start, cut.included), span.text);
          }
          const rows = data.table?.records ?? 0;
          const fromTable = data.dropped.filter(({ file }) => file.endsWith("deltas.csv"));
          assert.equal(rows, (data.placement?.placed.length ?? 0) + fromTable.length);
          assert.ok(points.length + duplicates.length <= rows);
          read++;
        } catch (error) {
          assert.ok(error instanceof InputError, String((error as Error).stack));
          assert.ok(error.message.length < 1500 && !/undefined|\[object/.test(error.message), error.message);
          refused++;
        }
      }),
      { numRuns: 150, seed: 6 },
    );
  });
  assert.ok(read > 12 && refused > 50, `${read} read, ${refused} refused`);
});
