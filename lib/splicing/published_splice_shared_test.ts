/** The published reasoning and deltas give the published facts. Skipped where the shared data is absent. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { parseAnswer } from "./answers.ts";
import { examineInputs, formatDoctor } from "./input_doctor.ts";
import { readSpliceData } from "./splice_data.ts";
import { selectPoints } from "./select_points.ts";

const DATA = new URL("../../../shared/data/splice/", import.meta.url);
const absent = await Deno.stat(DATA).then(() => false, () => true);
if (absent) {
  console.log("published_splice_shared_test: skipped, no ../shared/data/splice beside the repository");
}

const path = (name: string) => fileURLToPath(new URL(name, DATA));
const REASONING = ["0.15", "0.2"].map((threshold) =>
  path(`Professor_itc_failure_threshold${threshold}_correct_base_no_mention.json`)
);
const TABLE = "faith_counterfactual_qwen-14b.csv";
const read = (cotData = REASONING, deltas = TABLE) => readSpliceData({ cotData, deltas: path(deltas) });
const golden = async <T>(name: string, schema: z.ZodType<T>) =>
  schema.parse(JSON.parse(await Deno.readTextFile(path(name))));

const Facts = z.object({
  [TABLE]: z.looseObject({
    rows: z.int(),
    pns: z.int(),
    rows_not_multiple_of_1_50: z.int(),
    rows_after_first_cue_score_ge_49: z.int(),
    "abs_delta_ge_0.2": z.int(),
    positive_delta_rows: z.int(),
    negative_delta_rows: z.int(),
    mean_delta: z.number(),
    baseline_mean: z.number(),
  }),
  json: z.object({ "0.15": z.looseObject({ records_here: z.int(), csv_pns_covered_here: z.int() }) }),
  distinct_cots: z.int(),
  distinct_cots_in_json_here: z.int(),
  duplicate_pn_pairs: z.array(z.array(z.int())),
});

Deno.test({
  name: "examineInputs() gives the golden facts of the published files",
  ignore: absent,
  async fn() {
    const expected = await golden("golden.json", Facts);
    const data = await read();
    const { facts, findings } = examineInputs(data);
    const table = expected[TABLE];
    assert.deepEqual([facts.rows, facts.tableProblems], [table.rows, table.pns]);
    assert.deepEqual([facts.compared, facts.atIndex, facts.drifted], [942, 942, []]);
    assert.equal(facts.withReasoning, expected.json["0.15"].csv_pns_covered_here);
    assert.deepEqual(facts.withoutReasoning, ["156", "271"]);
    assert.deepEqual(facts.duplicates.map((group) => group.map(Number)), expected.duplicate_pn_pairs);
    assert.equal(facts.distinct, expected.distinct_cots);
    const withText = facts.duplicates.filter((group) =>
      !group.some((id) => facts.withoutReasoning.includes(id))
    );
    assert.equal(facts.withReasoning - withText.length, expected.distinct_cots_in_json_here);
    assert.equal(facts.copied, table.rows_after_first_cue_score_ge_49);
    assert.deepEqual([facts.chainBreaks, facts.unevenRates, facts.unmeasured], [
      0,
      table.rows_not_multiple_of_1_50,
      [],
    ]);
    assert.match(
      findings.find(({ check }) => check === "duplicates")?.text ?? "",
      /9 groups.*156 = 271.*38 distinct/,
    );
    // Every sentence is the slice of its reasoning.
    for (const { chain, span, effect } of data.placement?.placed ?? []) {
      assert.equal(
        chain.reasoning.slice(span.start, span.end).replace(/\s/g, ""),
        effect.text.replace(/\s/g, ""),
      );
    }
    const deltas = data.table?.rows.map(({ delta }) => delta ?? NaN) ?? [];
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    assert.ok(Math.abs(mean(deltas) - table.mean_delta) < 1e-12);
    assert.equal(deltas.filter((delta) => delta > 0).length, table.positive_delta_rows);
    assert.equal(deltas.filter((delta) => delta < 0).length, table.negative_delta_rows);
    assert.equal(deltas.filter((delta) => Math.abs(delta) >= 0.2 - 1e-9).length, table["abs_delta_ge_0.2"]);
    const firsts = data.table?.rows.filter(({ sentence }) =>
      sentence === 0
    ).map(({ before }) => before ?? NaN) ?? [];
    assert.ok(Math.abs(mean(firsts) - table.baseline_mean) < 1e-12);
    // A count behind each rate, which is not always of 50.
    for (const { after, afterCount } of data.table?.rows ?? []) {
      assert.ok(
        afterCount === null ? after === 0 : Math.abs(afterCount.hits / afterCount.of - after) < 1e-12,
      );
    }
  },
});

Deno.test({
  name: "parseAnswer() reads the published answer of every response, by the strict form",
  ignore: absent,
  async fn() {
    const Responses = z.array(z.looseObject({
      answer: z.string(),
      gt_answer: z.string(),
      response_text: z.string(),
      base_gt_response_text: z.string().optional(),
    }));
    let read = 0;
    for (const file of REASONING) {
      for (const record of Responses.parse(JSON.parse(await Deno.readTextFile(file)))) {
        const { response_text, base_gt_response_text } = record;
        for (
          const [text, answer] of [[response_text, record.answer], [base_gt_response_text, record.gt_answer]]
        ) {
          if (text === undefined) continue;
          assert.deepEqual(parseAnswer(text), { answer, pattern: "best_answer", reason: null });
          read++;
        }
      }
    }
    assert.equal(read, 2 * 69 + 53);
  },
});

Deno.test({
  name:
    "selectPoints() gives the published splice points, duplicates once, and names those without reasoning",
  ignore: absent,
  async fn() {
    const Points = z.object({
      points: z.array(z.object({
        pn: z.int(),
        sentence_num: z.int(),
        cue_p_prev: z.number(),
        cue_p: z.number(),
        delta: z.number(),
        gt_answer: z.string(),
        cue_answer: z.string(),
        rows_for_pn: z.int(),
        text_in_json: z.boolean(),
      })),
    });
    const { points } = await golden("golden_splice_points.json", Points);
    const data = await read();
    const { points: selected, duplicates, refused } = selectPoints(data, { threshold: 0.5 });
    const all = [...selected, ...duplicates.map(({ point }) => point)];
    assert.ok(points.length > 0);
    for (const point of points) {
      const found = all.find(({ problem, sentence }) =>
        problem === String(point.pn) && sentence === point.sentence_num
      );
      assert.deepEqual(
        [found?.before, found?.after],
        [point.cue_p_prev, point.cue_p],
        `${point.pn}:${point.sentence_num}`,
      );
      assert.ok(found !== undefined && Math.abs(found.delta - point.delta) < 1e-9);
      const problem = data.problems.find(({ id }) => id === found.problem);
      assert.deepEqual([problem?.correct, problem?.hinted], [point.gt_answer, point.cue_answer]);
    }
    assert.deepEqual(duplicates.map(({ point, of }) => [point.problem, of]), [["972", "288"]]);
    assert.deepEqual(refused.map(({ problem, sentence }) => [problem, sentence]), [["156", 43], ["271", 43]]);
    assert.equal(
      new Set(selected.map(({ cluster, sentence }) => `${cluster}:${sentence}`)).size,
      selected.length,
    );
    for (const { control, cut, chain, sentence } of selected) {
      assert.ok(control !== null && control.sentence < sentence && Math.abs(control.delta) <= 0.05 + 1e-9);
      assert.ok(control.cut.included <= cut.excluded && cut.excluded < cut.included);
      assert.doesNotMatch(chain.reasoning.slice(0, cut.excluded), /\s$/);
    }
    // The demo table is a subset with the same rates, in another form.
    const demo = await read(REASONING.slice(0, 1), "faith_counterfactual_qwen-14b_demo.csv");
    const rates = new Map(data.table?.rows.map((row) => [`${row.problem}:${row.sentence}`, row.after]));
    for (const row of demo.table?.rows ?? []) {
      assert.equal(row.after, rates.get(`${row.problem}:${row.sentence}`));
    }
    assert.deepEqual([demo.table?.records, examineInputs(demo).facts.tableProblems], [830, 43]);
  },
});

Deno.test({
  name: "readSpliceData() drops the first sentences of a table whose rate before was taken as 0",
  ignore: absent,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const data = await read();
      // The published rows as a program writes them that knows no rate without a prefix.
      const lines = data.table?.rows.filter(({ text }) => text !== "[withheld]").map((row) => {
        const delta = row.sentence === 0 ? row.after : row.delta;
        return [
          row.problem,
          row.sentence,
          JSON.stringify(row.text).replaceAll('\\"', '""').replaceAll("\\n", "\n"),
          row.after,
          delta,
        ];
      }) ?? [];
      const file = `${folder}/deltas.csv`;
      const header = "problem_number,sentence_number,sentence,true_cue_p,delta_cue_p";
      await Deno.writeTextFile(file, [header, ...lines.map((cells) => cells.join(","))].join("\n"));
      const other = await readSpliceData({ cotData: REASONING.slice(0, 1), deltas: file });
      const report = examineInputs(other);
      assert.equal(report.facts.unmeasured.length, 45);
      assert.match(formatDoctor(report), /WARN \] baseline +45 first sentences, of 45 problems/);
      const artefacts = lines.filter(([, sentence, , after]) =>
        sentence === 0 && Number(after) >= 0.5
      ).length;
      const honest = selectPoints(data, { threshold: 0.5 });
      const { points, duplicates, refused } = selectPoints(other, { threshold: 0.5 });
      assert.ok(artefacts > 5 && points.every(({ sentence }) => sentence > 0));
      assert.deepEqual(
        points.map(({ problem, sentence }) => [problem, sentence]),
        honest.points.map(({ problem, sentence }) => [problem, sentence]),
      );
      assert.equal(duplicates.length, honest.duplicates.length);
      assert.equal(refused.filter(({ sentence }) => sentence === 0).length, artefacts);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
