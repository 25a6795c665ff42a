import assert from "node:assert/strict";
import { parse } from "csv-parse/sync";
import { startFaultServer } from "../backends/testing/fault_server.ts";
import { finishedResults } from "../runs/sequence.ts";
import { planNiah, startNiah } from "./start_niah.ts";
import { writeModels } from "./testing/fault_models.ts";

/** What was asked of the servers, by model. */
type Asked = Record<string, number>;

/**
 * A model that answers by depth in words that matching cannot settle, a mild judge and a strict one that differ on one
 * answer, and one that mumbles.
 */
function answerer(asked: Asked) {
  return (prompt: string, body: Readonly<Record<string, unknown>>): string => {
    const model = String(body["model"]);
    asked[model] = (asked[model] ?? 0) + 1;
    if (model === "mild") return String(/<answer>\n.*points north/i.test(prompt));
    if (model === "strict") return String(/<answer>\nThe thing that points north/.test(prompt));
    if (model === "mumbles") return "Hard to say.";
    const at = prompt.indexOf("Odalys never leaves") / prompt.length;
    return at > 0.8
      ? "The thing that points north."
      : at > 0.3
      ? "Some metal that points north."
      : "A whistle.";
  };
}

Deno.test("startNiah() asks two judges once each, queues what they differ on, and takes a person's labels", async () => {
  const asked: Asked = {};
  await using server = await startFaultServer({ answer: answerer(asked) });
  const results = await Deno.makeTempDir();
  const variant = (model: string, price: number) => ({
    backend: "api",
    description: "a server in this test",
    model,
    baseUrl: server.url,
    contextWindow: 100_000,
    limits: { tokensPerMinute: null },
    price: { inputPerMTok: price, outputPerMTok: price },
  });
  const variants = {
    model: variant("test", 1),
    mild: variant("mild", 2),
    strict: variant("strict", 3),
    mumbles: variant("mumbles", 1),
  };
  Deno.env.set("PROBEBOOK_MODELS", await writeModels(results, JSON.stringify({ variants })));
  const settings = (judge: string) => ({
    model: "model",
    judge,
    haystack: "generated",
    lengths: [600],
    depths: [0, 50, 100],
    results,
  });
  const run = async (judge: string, more: Record<string, unknown> = {}) => {
    const lines: string[] = [];
    const log = (line: string) => lines.push(line);
    const done = await (await startNiah({ ...settings(judge), ...more }, { log })).done;
    const [result] = finishedResults(done);
    assert.ok(result);
    const queue: Record<string, string>[] = await Deno.readTextFile(result.files.disagreements)
      .then((text) => parse(text, { columns: true }), () => []);
    const grades = result.rows.map((
      { row, grade },
    ) => [row.params["needle_depth"], grade?.correct, grade?.judge]);
    return {
      result,
      queue,
      grades,
      text: await Deno.readTextFile(result.files.reportText),
      log: lines.join("\n"),
    };
  };
  try {
    // One judge, as ever: no queue, no word of agreement.
    const one = await run("mild");
    assert.deepEqual(one.grades, [[100, true, "match+mild"], [50, true, "match+mild"], [
      0,
      false,
      "match+mild",
    ]]);
    assert.deepEqual([one.queue, /kappa/.test(one.text)], [[], false]);
    assert.deepEqual(asked, { test: 3, mild: 3 });

    // A second judge: it alone is asked, everything is graded again.
    const [planned] = await planNiah(settings("mild,strict"));
    assert.match(
      planned?.text ?? "",
      /calls of mild\n.*judge cost.*\n.*calls of strict\n.*judge cost.*\n.*judges' cost/,
    );
    const two = await run("mild,strict");
    assert.deepEqual(asked, { test: 3, mild: 3, strict: 3 });
    assert.deepEqual(two.grades, one.grades, "the first judge decides");
    assert.match(two.text, /Judges mild and strict: agree on 2\/3 = 66.7% /);
    assert.match(
      two.text,
      /1 disagreement without a label: mild decides.*right 1\/3 = 33.3% to 2\/3 = 66.7% of all rows sent/,
    );
    assert.deepEqual(
      two.queue.map((
        { verdict_mild, verdict_strict, output, label },
      ) => [verdict_mild, verdict_strict, output, label]),
      [
        ["true", "false", "Some metal that points north.", ""],
      ],
    );
    const dashboard = await Deno.readTextFile(two.result.files.tokenDashboard);
    assert.match(dashboard, / mild \(judge\):\n {4}Calls: 3\n[^]* strict \(judge\):\n {4}Calls: 3\n/);
    const again = await run("mild,strict");
    assert.match(again.log, /Skipping niah model evaluation - already marked complete/);
    assert.match(again.text, /Judges mild and strict/);

    // The other way round the other decides, and nobody is asked again.
    const turned = await run("strict,mild");
    assert.deepEqual(turned.grades.map(([, correct]) => correct), [true, false, false]);
    assert.deepEqual(asked, { test: 3, mild: 3, strict: 3 });

    // A person fills in the queue.
    const queuePath = two.result.files.disagreements;
    const [disputed] = turned.queue;
    assert.ok(disputed?.["id"]);
    const filled = (await Deno.readTextFile(queuePath)).trimEnd().replace(
      /,,$/,
      ",true,metal is a compass here",
    );
    await Deno.writeTextFile(queuePath, `${filled}\n`);
    const labelled = await run("strict,mild");
    assert.deepEqual(labelled.grades, [[100, true, "match+strict"], [50, true, "relabel"], [
      0,
      false,
      "match+strict",
    ]]);
    assert.match(labelled.text, /1 row labelled by a person \(judge: relabel\), 1 of them changed/);
    assert.doesNotMatch(labelled.text, /without a label/);
    assert.equal(labelled.queue[0]?.["label"], "true", "the label stays where it was written");
    const evaluated = parse(await Deno.readTextFile(labelled.result.files.csvs[0]?.evaluated ?? ""), {
      columns: true,
    }) as Record<string, string>[];
    const row = evaluated.find(({ id }) => id === disputed["id"]);
    assert.deepEqual(
      [
        row?.["correct"],
        row?.["validity"],
        row?.["judge_output"],
        row?.["judge_mild"],
        row?.["judge_strict"],
        row?.["label_note"],
      ],
      ["true", "correct", "true", "true", "false", "metal is a compass here"],
    );

    // A relabel file stands over match and judges too; what it says wrong is said before anything else happens.
    const whistle = labelled.result.rows[2]?.row.id;
    await Deno.writeTextFile(labelled.result.files.relabel, `id,label\n${whistle},true\n`);
    const relabelled = await run("strict,mild");
    assert.deepEqual(relabelled.grades[2], [0, true, "relabel"]);
    assert.match(relabelled.text, /2 rows labelled by a person/);
    for (const text of ["id,label\nnope,true\n", `id,label\n${whistle},perhaps\n`]) {
      await Deno.writeTextFile(labelled.result.files.relabel, text);
      await assert.rejects(run("strict,mild"), { name: "InputError", message: /relabel.csv, line 2/ });
    }
    await Deno.remove(labelled.result.files.relabel);
    assert.deepEqual((await run("strict,mild")).grades, labelled.grades);
    const regraded = await run("strict,mild", { regrade: true });
    assert.match(regraded.log, /Running niah model evaluation/);
    assert.deepEqual(regraded.grades, labelled.grades);
    assert.deepEqual(asked, { test: 3, mild: 3, strict: 3 }, "nothing was sent for any of this");

    // A judge that cannot be read does not decide while another can.
    const mumbled = await run("mumbles,mild");
    assert.deepEqual(mumbled.grades.map(([, , judge]) => judge), ["match+mild", "relabel", "match+mild"]);
    assert.match(mumbled.text, /Judges mumbles and mild: no row was judged by both/);
    assert.match(mumbled.queue.map(({ verdict_mumbles }) => verdict_mumbles).join(), /not readable/);
    const lines = (await Deno.readTextFile(mumbled.result.files.judgeAttempts)).trim().split("\n");
    assert.equal(lines.filter((line) => !line.includes('"format"')).length, 9);
  } finally {
    Deno.env.delete("PROBEBOOK_MODELS");
    await Deno.remove(results, { recursive: true });
  }
});
