import assert from "node:assert/strict";
import { join } from "node:path";
import { loadO200k, simulatedTokenizer } from "../backends/tokenizers.ts";
import { getVariant, type Variant } from "../backends/variants.ts";
import { InputError } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";
import type { Attempt, Judgement, JudgeRow } from "../runs/experiment.ts";
import { attemptFor } from "../runs/testing.ts";
import { createLongMemEval, type LongMemEval, type LongMemEvalRow } from "./longmemeval.ts";
import { longMemEvalConfigSchema, longMemEvalPaths } from "./longmemeval_config.ts";
import { CONDITIONS } from "./longmemeval_file.ts";
import { idOf, writeMemoryFiles } from "./testing/memory_files.ts";
import { inFolder } from "../base/testing/in_folder.ts";

const simulated = await getVariant("simulated");

const plan = (
  data: string,
  over: Record<string, unknown> = {},
  { variant = simulated, judged = false, tokenizer = simulatedTokenizer } = {},
): Promise<LongMemEval> =>
  createLongMemEval(longMemEvalConfigSchema.parse({ data, ...over }), {
    variant,
    tokenizer,
    judges: judged ? [{ variant, tokenizer }] : [],
  });
const answered = (row: LongMemEvalRow, output: string): Attempt => ({ ...attemptFor(row.id), output });
const places = (rows: readonly LongMemEvalRow[]) =>
  CONDITIONS.map((condition) =>
    rows.filter((row) => row.params.condition === condition).map((row) =>
      Number(row.params.custom_id.slice(1, 5))
    )
  );

Deno.test("createLongMemEval() of files as large as the published ones plans 306 + 306 rows, 20 + 20 in test mode", async () => {
  await inFolder(async (folder) => {
    const textOf = await writeMemoryFiles(folder, {
      questions: 306,
      chars: { focused: 1100, full: 150_000 },
    });
    const tokenizer = await loadO200k();
    const { rows, fullSize, notes, prompt } = await plan(folder, {}, { tokenizer });
    assert.equal(rows.length, 612);
    assert.equal(new Set(rows.map((row) => row.id)).size, 612, "ids are unique over both conditions");
    assert.deepEqual(places(rows), [0, 1].map(() => Array.from({ length: 306 }, (_, i) => i)));
    assert.deepEqual(rows.slice(0, 306).map((row) => row.params.condition), Array(306).fill("focused"));
    assert.equal(fullSize, 612);
    assert.match(notes.join("\n"), /306 questions of cleaned_.*\n.*longmemeval_oracle\.json/);
    const types = new Set(rows.map((row) => row.params.question_type));
    assert.deepEqual([...types].sort(), [
      "abstention",
      "knowledge-update",
      "multi-session",
      "temporal-reasoning",
    ]);
    assert.ok(
      rows.every((row) =>
        (row.params.question_type === "abstention") === row.params.custom_id.endsWith("_abs")
      ),
    );
    for (const i of [0, 7, 305, 306, 459, 611]) {
      const row = rows[i] as LongMemEvalRow;
      const { messages, tokens } = await prompt(row);
      const text = textOf(row.params.condition, i % 306);
      assert.deepEqual(messages, [{ role: "user", content: text }], "byte for byte, and nothing else");
      assert.equal(tokens, tokenizer.countMessages(messages));
      assert.ok(Math.abs(tokens / row.tokens - 1) < 0.01, `${row.tokens} planned, ${tokens} sent`);
      assert.equal((row.recipe as { text_sha256: string }).text_sha256, sha256(text));
    }
    const test = await plan(folder, { test: true }, { tokenizer });
    const every15th = Array.from({ length: 20 }, (_, i) => i * 15);
    assert.deepEqual(places(test.rows), [every15th, every15th]);
    assert.equal(test.fullSize, 612);
    const ids = new Set(rows.map((row) => row.id));
    assert.ok(test.rows.every((row) => ids.has(row.id)), "a row does not depend on its neighbours");
  });
});

Deno.test("createLongMemEval() keeps rows beyond the window in the plan, skipped with the reason", async () => {
  await inFolder(async (folder) => {
    await writeMemoryFiles(folder, { questions: 12, chars: { focused: 600, full: 60_000 } });
    const windows: [number, number][] = [[4096, 12], [100_000, 0]];
    for (const [contextWindow, beyond] of windows) {
      const { rows, notes } = await plan(folder, {}, { variant: { ...simulated, contextWindow } as Variant });
      assert.equal(rows.length, 24);
      const skipped = rows.filter((row) => row.skip === "window");
      assert.equal(skipped.length, beyond);
      assert.ok(skipped.every((row) => row.params.condition === "full" && row.tokens > contextWindow));
      assert.equal(/no full text fits the window/.test(notes.join()), beyond > 0);
    }
    // At the edge every row is counted.
    const counts = (await plan(folder)).rows.filter((row) => row.params.condition === "full").map((row) =>
      row.tokens
    );
    const edge = counts.toSorted((a, b) => a - b)[6] as number;
    const { rows } = await plan(folder, { maxOutputTokens: 100 }, {
      variant: { ...simulated, contextWindow: edge + 100 } as Variant,
    });
    assert.equal(
      rows.filter((row) => row.skip !== null).length,
      counts.filter((count) => count > edge).length,
    );
  });
});

Deno.test("createLongMemEval() gives ids that change with what determines the request and with nothing else", async () => {
  await inFolder(async (folder) => {
    await writeMemoryFiles(folder, { questions: 4, chars: { focused: 600, full: 2000 } });
    const ids = async (over: Record<string, unknown> = {}, variant: Variant = simulated) =>
      (await plan(folder, over, { variant })).rows.map((row) => row.id);
    const base = await ids();
    assert.deepEqual(await ids({}, { ...simulated, description: "other words" }), base);
    assert.deepEqual(await ids({ seed: 3 }), base, "greedy answers have no seed");
    for (const over of [{ temperature: 0.5 }, { maxOutputTokens: 5 }]) {
      assert.notEqual((await ids(over))[0], base[0], JSON.stringify(over));
    }
    const path = join(folder, "cleaned_longmemeval_s_full.csv");
    await Deno.writeTextFile(path, (await Deno.readTextFile(path)).replace("is word2.", "is WORD2."));
    const changed = await ids();
    assert.deepEqual(changed.map((id, i) => id === base[i]), [
      true,
      true,
      true,
      true,
      true,
      true,
      false,
      true,
    ]);
  });
});

Deno.test("prompt() notices a file that was changed after the plan", async () => {
  await inFolder(async (folder) => {
    await writeMemoryFiles(folder, { questions: 4, chars: { focused: 600, full: 2000 } });
    const { rows, prompt } = await plan(folder);
    const path = join(folder, "cleaned_longmemeval_s_full.csv");
    await Deno.writeTextFile(path, (await Deno.readTextFile(path)).replace("is word2.", "is WORD2."));
    await prompt(rows[5] as LongMemEvalRow);
    await assert.rejects(
      async () => await prompt(rows[6] as LongMemEvalRow),
      /InputError: .*full\.csv has changed since this run was planned: the text of q0002/,
    );
  });
});

Deno.test("createLongMemEval() uses the sample where nothing was downloaded, and refuses half a download", async () => {
  const sample = await plan("sample");
  assert.equal(sample.rows.length, 104);
  assert.match(sample.notes[0] ?? "", /our own sample of 52 questions/);
  assert.deepEqual(places((await plan("sample", { test: true })).rows).map((of) => of.length), [20, 20]);
  await inFolder(async (folder) => {
    const config = { data: null, questionTypes: null };
    for (const name of ["_focused.csv", "_full.csv", "_types.json"]) {
      await Deno.writeTextFile(join(folder, `longmemeval_sample${name}`), "");
    }
    assert.equal(longMemEvalPaths(config, folder).sample, true);
    await writeMemoryFiles(folder, { questions: 3, chars: { focused: 100, full: 300 } });
    const found = longMemEvalPaths(config, folder);
    assert.deepEqual([found.sample, found.types], [false, join(folder, "longmemeval_oracle.json")]);
    await Deno.remove(join(folder, "cleaned_longmemeval_s_full.csv"));
    for (const data of [null, folder]) {
      assert.throws(
        () => longMemEvalPaths({ data, questionTypes: null }, folder),
        /InputError: There is no .*cleaned_longmemeval_s_full\.csv\. Download both with deno task data.*--data sample/,
      );
    }
    assert.throws(
      () => longMemEvalPaths({ data: "sample", questionTypes: "/no/such.json" }, folder),
      /InputError: There is no \/no\/such\.json.*--question-types/,
    );
  });
});

Deno.test("createLongMemEval() takes the one published file of both conditions", async () => {
  await inFolder(async (folder) => {
    const header =
      "custom_id,question,answer,focused_input,focused_input_tokens,full_input,full_input_tokens";
    await Deno.writeTextFile(
      join(folder, "longmemeval_s_cleaned.csv"),
      `${header}\na,Q?,b,short Q?,2,"long\nQ?",9\n`,
    );
    const { rows, prompt, notes } = await plan(folder);
    const texts = await Promise.all(rows.map(async (row) => (await prompt(row)).messages[0]?.content));
    assert.deepEqual(texts, ["short Q?", "long\nQ?"]);
    assert.match(notes[0] ?? "", /1 questions of longmemeval_s_cleaned\.csv$/);
    assert.equal(longMemEvalPaths({ data: null, questionTypes: null }, folder).sample, false);
  });
});

Deno.test("createLongMemEval() refuses two files that do not hold the same questions", async () => {
  await inFolder(async (folder) => {
    await writeMemoryFiles(folder, { questions: 8, chars: { focused: 100, full: 300 } });
    const path = join(folder, "cleaned_longmemeval_s_full.csv");
    const whole = await Deno.readTextFile(path);
    const lines = whole.split(/\n(?=q\d{4})/);
    await Deno.writeTextFile(path, lines.slice(0, 3).join("\n") + "\n");
    await assert.rejects(plan(folder), (error) => {
      assert.ok(error instanceof InputError);
      assert.match(
        error.message,
        /do not hold the same questions: of 8 focused and 2 full ones, .*full\.csv lacks 6 \(q0002, q0003, q0004, q0005, q0006, \.\.\.\)/,
      );
      return true;
    });
    await Deno.writeTextFile(path, whole.replace("q0003,What is", "q0003,Which is"));
    await assert.rejects(
      plan(folder),
      /line \d+, and .*full\.csv, line \d+, ask different questions under the id q0003/,
    );
  });
});

Deno.test("grade() matches by the rules of the question, and classes rows by the audit", async () => {
  await inFolder(async (folder) => {
    await writeMemoryFiles(folder, { questions: 25, chars: { focused: 100, full: 300 } });
    const { rows, grade } = await plan(folder);
    const outputs = [
      "It is word0.",
      "word2",
      "The chats do not mention it.",
      "I'm sorry, but I can't help with that.",
    ];
    const unanswerable = rows[24] as LongMemEvalRow;
    const entry = (row: LongMemEvalRow, output: string) => ({
      row,
      attempt: answered(row, output),
      attempts: 1,
      judgements: [],
    });
    const graded = await grade([
      ...outputs.map((output, i) => entry(rows[i] as LongMemEvalRow, output)),
      entry(unanswerable, "You never mentioned it."),
      entry(rows[49] as LongMemEvalRow, "It is word24."),
    ]);
    assert.deepEqual(graded.map(({ grade }) => grade?.validity), [
      ...["correct", "wrong", "abstained", "refused"],
      ...["correct", "wrong"],
    ]);
    assert.ok(graded.every(({ grade }) => grade?.judge === "match"));
    assert.equal(unanswerable.params.custom_id, idOf(24));
  });
});

Deno.test("judgeRows() asks once about what matching leaves open, and verdicts are read strictly", async () => {
  await inFolder(async (folder) => {
    await writeMemoryFiles(folder, { questions: 4, chars: { focused: 100, full: 300 } });
    const longMemEval = await plan(folder, {}, { judged: true });
    const { rows, grade, judgeRows, judgePrompt } = longMemEval;
    const outputs = ["word0", "something else", "", "The first of them."];
    const entries = (judgements: Judgement[]) =>
      outputs.map((output, i) => ({
        row: rows[i] as LongMemEvalRow,
        attempt: answered(rows[i] as LongMemEvalRow, output),
        attempts: 1,
        judgements: judgements.filter(({ row }) => row.of === rows[i]?.id),
      }));
    const asked = judgeRows?.(entries([])) ?? [];
    assert.deepEqual(asked.map(({ of }) => of), [rows[1]?.id, rows[3]?.id]);
    const prompt = judgePrompt?.(asked[0] as JudgeRow);
    assert.match(
      prompt?.messages[0]?.content ?? "",
      /What is the word of q0001\?[^]*word1[^]*something else/,
    );
    assert.ok((asked[0]?.tokens ?? 0) <= (longMemEval.judging?.tokens ?? 0));
    const replies = asked.map((row, i) => ({
      row,
      attempt: { ...attemptFor(row.id), output: ["true", "well"][i] ?? "" },
    }));
    assert.deepEqual(judgeRows?.(entries(replies)), []);
    const graded = (await grade(entries(replies))).map((
      { grade },
    ) => [grade?.validity, grade?.correct, grade?.judge]);
    assert.deepEqual(graded, [
      ["correct", true, "match"],
      ["correct", true, "match+simulated"],
      ["degenerate", false, "match"],
      ["error", null, "match+simulated"],
    ]);
  });
});
