/** GPT-4.1's published LongMemEval answers through match, audit and report. Skipped where the shared data is absent. */
import assert from "node:assert/strict";
import { parse } from "csv-parse/sync";
import { z } from "zod";
import type { GradedRow } from "../runs/experiment.ts";
import { attemptFor, rowNamed } from "../runs/testing.ts";
import { type AuditRow, auditRows } from "./audit.ts";
import { CONDITIONS } from "./longmemeval_file.ts";
import { matchMemory } from "./longmemeval_match.ts";
import { longMemEvalReport, type LongMemEvalStatistics } from "./longmemeval_report.ts";
import { ABSTENTION, isAbstentionId } from "./longmemeval_types.ts";
import { parseCorrectness } from "./niah_judge.ts";

const DATA = new URL("../../../shared/data/context_rot/", import.meta.url);
const absent = await Deno.stat(DATA).then(() => false, () => true);
if (absent) {
  console.log(
    "longmemeval_published_shared_test: skipped, no ../shared/data/context_rot beside the repository",
  );
}

const Row = z.object({
  custom_id: z.string(),
  token_count: z.coerce.number(),
  question: z.string(),
  answer: z.string(),
  output: z.string(),
  llm_judge_output: z.string(),
});
const Interval = z.tuple([z.number(), z.number()]);
const Golden = z.object({
  longmemeval: z.object({
    n: z.number(),
    ids_ending_abs: z.number(),
    focused: z.object({ correct: z.number(), wilson95: Interval }),
    full: z.object({ correct: z.number(), wilson95: Interval }),
    paired: z.record(z.string(), z.number()),
  }),
});

/** The rows of both files with GPT-4.1's own verdicts. */
async function published(): Promise<GradedRow[]> {
  const rows: (AuditRow & { readonly row: GradedRow["row"] })[] = [];
  for (const condition of CONDITIONS) {
    const text = await Deno.readTextFile(new URL(`gpt_4_1_longmemeval_${condition}_evaluated.csv`, DATA));
    for (const row of z.array(Row).parse(parse(text, { columns: true }))) {
      const id = `${row.custom_id}/${condition}`;
      rows.push({
        id,
        length: 0,
        skip: null,
        token_count: row.token_count,
        prompt_tokens_reported: null,
        completion_tokens: null,
        maxTokens: 1000,
        finish_reason: null,
        output: row.output,
        error: null,
        correct: parseCorrectness(row.llm_judge_output),
        row: {
          ...rowNamed(id),
          params: {
            custom_id: row.custom_id,
            condition,
            question_type: isAbstentionId(row.custom_id) ? ABSTENTION : null,
            question: row.question,
            answer: row.answer,
          },
        },
      });
    }
  }
  const classes = auditRows(rows, { tokenizerExact: false });
  return rows.map(({ row, output, correct }, i) => {
    const validity = classes[i]?.validity ?? null;
    return {
      row,
      attempt: { ...attemptFor(row.id), output },
      attempts: 1,
      grade: validity && { validity, correct, judge: "published", judge_output: String(correct) },
    };
  });
}

Deno.test({
  name: "the report of the published run gives its accuracies, intervals and paired table",
  ignore: absent,
  async fn() {
    const { longmemeval: golden } = Golden.parse(
      JSON.parse(await Deno.readTextFile(new URL("golden.json", DATA))),
    );
    const { statistics } = await longMemEvalReport(await published(), {
      variant: { name: "gpt-4.1", backend: "api" },
      data: "306 questions",
      graders: "published verdicts",
    });
    const { conditions, paired, types, warnings } = statistics as unknown as LongMemEvalStatistics;
    for (const condition of CONDITIONS) {
      const { raw, valid } = conditions[condition];
      const rounded = [raw.low, raw.high].map((value) => Number(value.toFixed(6)));
      assert.deepEqual([raw.correct, raw.n, rounded], [
        golden[condition].correct,
        golden.n,
        golden[condition].wilson95,
      ]);
      assert.deepEqual(valid, raw, "every published row is valid");
    }
    const { both, focusedOnly, fullOnly, neither } = paired.raw.table;
    assert.deepEqual(
      { both_correct: both, focused_only: focusedOnly, full_only: fullOnly, neither },
      golden.paired,
    );
    const { difference, mcnemarP } = paired.raw;
    assert.ok(Math.abs((difference?.estimate ?? 0) - (267 - 191) / 306) < 1e-12);
    assert.ok((difference?.low ?? 0) > 0.19 && (difference?.high ?? 1) < 0.306, JSON.stringify(difference));
    assert.ok(mcnemarP < 1e-15);
    assert.deepEqual(types.map(({ type, focused }) => [type, focused.raw.n]), [
      ["answerable", golden.n - golden.ids_ending_abs],
      ["abstention", golden.ids_ending_abs],
    ]);
    assert.deepEqual(warnings, []);
  },
});

Deno.test({
  name:
    "matchMemory() settles at least 85% of the published right answers, and calls hardly a wrong one right",
  ignore: absent,
  async fn() {
    const settled = { right: 0, wrong: 0 };
    let judgedRight = 0;
    for (const { row, attempt, grade } of await published()) {
      const { custom_id, question, answer } = row.params;
      if (grade?.correct) judgedRight++;
      const { right } = matchMemory(attempt?.output ?? "", {
        type: null,
        abstention: isAbstentionId(String(custom_id)),
        question: String(question),
        answer: String(answer),
      });
      if (right) settled[grade?.correct ? "right" : "wrong"]++;
    }
    assert.equal(judgedRight, 458);
    assert.ok(settled.right >= 0.85 * judgedRight, `${settled.right} of ${judgedRight}`);
    assert.ok(settled.wrong <= 0.01 * settled.right, `${settled.wrong} of ${settled.right}`);
  },
});
