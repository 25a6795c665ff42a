import assert from "node:assert/strict";
import { parse } from "csv-parse/sync";
import { startFaultServer } from "../backends/testing/fault_server.ts";
import { finishedResults } from "../runs/sequence.ts";
import { planNiah, startNiah } from "./start_niah.ts";
import { writeModels } from "./testing/fault_models.ts";

/** Answers the needle question by depth, and judges: what points north is right, a whistle is the first distractor. */
function answer(prompt: string): string {
  if (prompt.startsWith("You check")) return String(/<answer>\n.*points north/.test(prompt));
  if (prompt.startsWith("A model answered")) return /<answer>\n.*blow into/.test(prompt) ? "0" : "-1";
  const at = prompt.indexOf("Odalys never leaves") / prompt.length;
  return at > 0.8 ? "A compass." : at > 0.3 ? "The thing that points north." : "Something to blow into.";
}

const variant = (url: string, fields: Record<string, unknown>) => ({
  backend: "api",
  description: "a server in this test",
  model: "test",
  baseUrl: url,
  contextWindow: 100_000,
  limits: { tokensPerMinute: null },
  ...fields,
});

Deno.test("startNiah() asks the judge what matching leaves open, pays for it, and never asks twice", async () => {
  await using server = await startFaultServer({ answer });
  const results = await Deno.makeTempDir();
  const models = await writeModels(
    results,
    JSON.stringify({
      variants: {
        model: variant(server.url, { price: { inputPerMTok: 1, outputPerMTok: 1 } }),
        judge: variant(server.url, { price: { inputPerMTok: 2, outputPerMTok: 2 } }),
      },
    }),
  );
  Deno.env.set("PROBEBOOK_MODELS", models);
  try {
    const settings = {
      model: "model",
      judge: "judge",
      haystack: "generated",
      lengths: [600],
      depths: [0, 50, 100],
      distractors: 2,
      results,
    };
    const [planned] = await planNiah(settings);
    assert.match(planned?.text ?? "", /judge .*judge/);
    assert.equal(server.requests.length, 0);

    const [finished] = finishedResults(await (await startNiah(settings, { log: () => {} })).done);
    const graded = (finished?.rows ?? []).map(({ row, grade }) => [
      row.params["needle_depth"],
      grade?.validity,
      grade?.judge,
      grade?.extra?.["distractor"],
    ]);
    assert.deepEqual(graded, [
      [100, "correct", "match", -1],
      [50, "correct", "match+judge", -1],
      [0, "distractor", "match+judge", 0],
    ]);
    // Three rows, two questions whether an answer is right, one which distractor it was.
    assert.equal(server.requests.length, 6);
    const lines = (await Deno.readTextFile(`${results}/model_niah_judge_attempts.jsonl`)).trim().split("\n");
    assert.equal(lines.length, 4, "a header and three judgements");
    const evaluated: Record<string, string>[] = parse(
      await Deno.readTextFile(`${results}/model_niah_evaluated.csv`),
      {
        columns: true,
      },
    );
    assert.deepEqual(evaluated.map((row) => row["judge_output"]), [
      "true",
      "true",
      "false | distractor 0",
    ]);
    const dashboard = await Deno.readTextFile(`${results}/model_niah_results_token_dashboard.txt`);
    assert.match(dashboard, /\(judge\):\n {4}Calls: 3/);

    await (await startNiah(settings, { log: () => {} })).done;
    assert.equal(server.requests.length, 6, "nothing is asked again");
  } finally {
    Deno.env.delete("PROBEBOOK_MODELS");
    await Deno.remove(results, { recursive: true });
  }
});
