import assert from "node:assert/strict";
import { simulatedTokenizer } from "../backends/tokenizers.ts";
import { getVariant, type Variant } from "../backends/variants.ts";
import { InputError } from "../base/errors.ts";
import type { Attempt, Judgement } from "../runs/experiment.ts";
import { attemptFor } from "../runs/testing.ts";
import { createNiah, type NiahRow } from "./niah.ts";
import { niahConfigSchema } from "./niah_config.ts";

const simulated = await getVariant("simulated");
const plan = (over: Record<string, unknown> = {}, variant: Variant = simulated, judged = false) =>
  createNiah(niahConfigSchema.parse({ haystack: "generated", ...over }), {
    variant,
    tokenizer: simulatedTokenizer,
    judges: judged ? [{ variant, tokenizer: simulatedTokenizer }] : [],
  });
const answered = (row: NiahRow, output: string): Attempt => ({ ...attemptFor(row.id), output });
const first = (rows: readonly NiahRow[]): NiahRow => rows[0] as NiahRow;

Deno.test("createNiah() plans 88 rows, 12 in test mode, deepest needle first, ids unique", async () => {
  const { rows } = await plan();
  assert.equal(rows.length, 88);
  assert.equal(new Set(rows.map((row) => row.id)).size, 88);
  assert.deepEqual(rows.slice(0, 3).map((row) => row.params.needle_depth), [100, 90, 80]);
  assert.equal((await plan({ test: true })).rows.length, 12);
  assert.equal((await plan({ trials: 3 })).rows.length, 264);
});

Deno.test("createNiah() gives ids that change with what determines the request and with nothing else", async () => {
  const id = async (over: Record<string, unknown> = {}, variant = simulated) =>
    first((await plan(over, variant)).rows).id;
  const base = await id();
  assert.equal(await id(), base);
  assert.equal(await id({}, { ...simulated, description: "other words", limits: { concurrency: 3 } }), base);
  assert.equal(
    await id({ trials: 5, depths: [100], lengths: [500] }),
    base,
    "a row does not depend on its neighbours",
  );
  for (const over of [{ seed: 1 }, { needle: "high-overlap" }, { distractors: 1 }, { temperature: 0.5 }]) {
    assert.notEqual(await id(over), base, JSON.stringify(over));
  }
  for (const over of [{ maxOutputTokens: 5 }, { haystackOrder: "shuffled" }]) {
    assert.notEqual(await id(over), base, JSON.stringify(over));
  }
  assert.notEqual(await id({}, { ...simulated, name: "another" }), base);
});

Deno.test("createNiah() gives the rows of a checkpoint the same ids wherever it lies, and others when it changes", async () => {
  const [here, there] = [await Deno.makeTempDir(), await Deno.makeTempDir()];
  const pocket = await getVariant("pocket");
  for (const folder of [here, there]) await Deno.writeTextFile(`${folder}/config.json`, "{}");
  const id = async (folder: string) =>
    first((await plan({}, { ...pocket, model: folder, folder } as Variant)).rows).id;
  assert.equal(await id(here), await id(there));
  await Deno.writeTextFile(`${there}/config.json`, "[]");
  assert.notEqual(await id(here), await id(there));
  for (const folder of [here, there]) await Deno.remove(folder, { recursive: true });
});

Deno.test("createNiah() keeps rows beyond the window in the plan, skipped with the reason", async () => {
  const { rows } = await plan({}, { ...simulated, contextWindow: 128_000 });
  assert.equal(rows.length, 88);
  const skipped = rows.filter((row) => row.skip === "window");
  assert.equal(skipped.length, 22);
  assert.ok(skipped.every((row) => row.params.approximate_input_length >= 500_000));
});

Deno.test("prompt() of a row is the same bytes every time and within 1% of its planned tokens", async () => {
  const [a, b] = [await plan({ test: true }), await plan({ test: true })];
  for (const [i, row] of a.rows.slice(0, 6).entries()) {
    const prompt = await a.prompt(row);
    assert.deepEqual(prompt, await b.prompt(b.rows[i] as NiahRow));
    assert.ok(prompt.tokens <= row.tokens && prompt.tokens >= row.tokens * 0.99);
    assert.equal(prompt.oracle?.answer, row.params.answer);
  }
});

Deno.test("createNiah() refuses needles it does not know or cannot read, and too few distractors", async () => {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  await Deno.writeTextFile(
    file,
    JSON.stringify({ needle: "The key is under the mat.", question: "Where is the key?", answer: "mat" }),
  );
  assert.equal(first((await plan({ needle: file })).rows).params.answer, "mat");
  const refused = async (over: Record<string, unknown>, message: RegExp) =>
    await assert.rejects(
      plan(over),
      (error: unknown) => error instanceof InputError && message.test(error.message),
    );
  await refused({ needle: "lowoverlap" }, /no needle "lowoverlap".*low-overlap, high-overlap, two-hop/);
  await refused({ needle: "/no/file.json" }, /Cannot read the needle file \/no\/file.json/);
  await refused({ needle: file, distractors: 2 }, /--distractors is 2, but .* holds 0/);
  await Deno.writeTextFile(file, JSON.stringify({ needle: "x", answer: "y" }));
  await refused({ needle: file }, /wrong fields[\s\S]*question/);
  await Deno.remove(file);
});

Deno.test("grade() matches whole words, knows distractors, and calls unanswered rows errors", async () => {
  const { rows, grade } = await plan({ lengths: [1000], depths: [0, 50, 100], distractors: 4 });
  const outputs = ["It is a compass.", "A whistle.", "Compasses, maybe."];
  const graded = await grade(
    rows.map((row, i) => ({ row, attempt: answered(row, outputs[i] ?? ""), attempts: 1, judgements: [] })),
  );
  assert.deepEqual(graded.map(({ grade }) => grade?.validity), ["correct", "distractor", "wrong"]);
  assert.deepEqual(graded.map(({ grade }) => grade?.extra?.["distractor"]), [-1, 0, -1]);
  assert.ok(graded.every(({ grade }) => grade?.judge === "match"));
  const failed = {
    ...attemptFor(first(rows).id),
    status: "error" as const,
    output: "",
    error: { kind: "server", message: "500" },
  };
  const [row] = await grade([{ row: first(rows), attempt: failed, attempts: 6, judgements: [] }]);
  assert.deepEqual([row?.grade?.validity, row?.grade?.correct], ["error", null]);
});

Deno.test("judgeRows() asks only where matching failed, and which distractor only where the judge said false", async () => {
  const niah = await plan({ lengths: [1000], depths: [0, 50], distractors: 2 }, simulated, true);
  const [a, b] = niah.rows as [NiahRow, NiahRow];
  const entry = (row: NiahRow, output: string, judgements: Judgement[] = []) => ({
    row,
    attempt: answered(row, output),
    attempts: 1,
    judgements,
  });
  const rows = niah.judgeRows?.([entry(a, "a compass"), entry(b, "something magnetic")]) ?? [];
  assert.deepEqual(rows.map(({ of, params }) => [of, params["stage"]]), [[b.id, "correct"]]);
  const judge = rows[0] as NonNullable<typeof rows[0]>;
  const prompt = niah.judgePrompt?.(judge);
  assert.match(prompt?.messages[0]?.content ?? "", /something magnetic/);
  const said = (reply: string): Judgement => ({
    row: judge,
    attempt: { ...attemptFor(judge.id), output: reply },
  });
  assert.equal(niah.judgeRows?.([entry(b, "something magnetic", [said("true")])]).length, 0);
  const second = niah.judgeRows?.([entry(b, "something magnetic", [said("false")])]) ?? [];
  assert.deepEqual(second.map(({ params }) => params["stage"]), ["distractor"]);
  const verdict = async (reply: string) =>
    (await niah.grade([entry(b, "something magnetic", [said(reply)])]))[0]?.grade;
  const right = await verdict("True.");
  assert.deepEqual([right?.correct, right?.judge], [true, "match+simulated"]);
  const unread = await verdict("I think so");
  assert.equal(unread?.correct, null, "a reply that cannot be read is no verdict");
  assert.equal(unread?.validity, "error");
});

Deno.test("report() shows accuracy with its interval, says that answers are simulated, and draws unreached cells", async () => {
  const niah = await plan({ lengths: [1000, 2000], depths: [0, 100] });
  const graded = await niah.grade(niah.rows.map((row, i) => ({
    row,
    attempt: i === 3 ? null : answered(row, i === 0 ? "compass" : "whistle"),
    attempts: i === 3 ? 0 : 1,
    judgements: [],
  })));
  const { summary, figures } = await niah.report(graded);
  assert.match(summary, /^Simulated:/);
  assert.match(summary, /1\/3 = 33\.3% \(95% interval 6\.1% to 79\.2%\)/);
  assert.match(figures["heatmap"]?.svg ?? "", /SIMULATED/);
  assert.match(figures["heatmap"]?.svg ?? "", /not run yet/);
});
