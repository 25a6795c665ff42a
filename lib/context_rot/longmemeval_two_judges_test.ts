import assert from "node:assert/strict";
import { startFaultServer } from "../backends/testing/fault_server.ts";
import { finishedResults } from "../runs/sequence.ts";
import { startLongMemEval } from "./start_longmemeval.ts";
import { writeModels } from "./testing/fault_models.ts";

Deno.test("startLongMemEval() asks two judges, and gives the range of each condition", async () => {
  const asked: Record<string, number> = {};
  await using server = await startFaultServer({
    answer(prompt, body) {
      const model = String(body["model"]);
      asked[model] = (asked[model] ?? 0) + 1;
      if (model === "mild") return "true";
      if (model === "strict") return String(prompt.length % 2 === 0);
      return "It is hard to put into words.";
    },
  });
  const results = await Deno.makeTempDir();
  const variant = (model: string) => ({
    backend: "api",
    description: "a server in this test",
    model,
    baseUrl: server.url,
    contextWindow: 100_000,
    limits: { tokensPerMinute: null },
  });
  const variants = { model: variant("test"), mild: variant("mild"), strict: variant("strict") };
  Deno.env.set("PROBEBOOK_MODELS", await writeModels(results, JSON.stringify({ variants })));
  const run = async (judge: string) => {
    const settings = { model: "model", judge, test: true, results };
    const [result] = finishedResults(await (await startLongMemEval(settings, { log: () => {} })).done);
    assert.ok(result);
    return { result, text: await Deno.readTextFile(result.files.reportText) };
  };
  try {
    const { result, text } = await run("mild,strict");
    const sent = asked["test"] ?? 0;
    assert.ok(sent > 0);
    assert.deepEqual(
      [asked["mild"], asked["strict"]],
      [sent, sent],
      "each judge is asked about every row once",
    );
    assert.ok(result.rows.every(({ grade }) => grade?.correct !== false), "the first judge decides");
    const differ = result.rows.filter(({ grade }) => grade?.extra?.["judges_agree"] === false).length;
    assert.ok(differ > 0 && differ < sent, `${differ}`);
    assert.match(text, new RegExp(`${differ} disagreements without a label: mild decides`));
    assert.match(text, /\n {2}focused: right \d+\/\d+ = [^\n]*\n {2}full: right /);
    assert.match(text, /graded by normalised match, then by mild and strict/);
    const queue = (await Deno.readTextFile(result.files.disagreements)).trim();
    assert.match(
      queue,
      /^id,question,answer,output,verdict_mild,reply_mild,verdict_strict,reply_strict,label,note\n/,
    );
    const other = await run("strict");
    assert.equal(other.result.rows.filter(({ grade }) => grade?.correct === false).length, differ);
    assert.deepEqual(
      [asked["test"], asked["mild"], asked["strict"]],
      [sent, sent, sent],
      "nothing is asked again",
    );
  } finally {
    Deno.env.delete("PROBEBOOK_MODELS");
    await Deno.remove(results, { recursive: true });
  }
});
