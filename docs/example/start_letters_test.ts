import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { inFolder } from "../../lib/base/testing/in_folder.ts";
import { findRuns } from "../../lib/runs/find_runs.ts";
import { startRuns } from "../../lib/runs/start_runs.ts";
import { promptBuilder } from "../../lib/site/rebuild_prompts.ts";
import { lettersKind } from "./start_letters.ts";

const source = fileURLToPath(new URL("./start_letters.ts", import.meta.url));

Deno.test("the example of an experiment has less than 100 lines, and its page shows the same file", async () => {
  const text = await Deno.readTextFile(source);
  assert.ok(text.split("\n").length < 100);
  const page = await Deno.readTextFile(new URL("../adding_an_experiment.md", import.meta.url));
  assert.ok(page.includes(`example/${basename(source)}`));
});

Deno.test("the example runs, goes on where it was, is graded and drawn, and its prompts are built again", () =>
  inFolder(async (results) => {
    const run = async () => {
      const sequence = await startRuns(lettersKind, { model: "simulated", test: true, results }, {
        log: () => {},
      });
      const [result] = await sequence.done;
      assert.equal(result?.error, null);
      return result;
    };
    const first = await run();
    assert.equal(first?.done, 12);
    assert.match(first?.report?.summary ?? "", /Counting letters, simulated: \d+\/12 correct = .* interval/);
    assert.match(first?.report?.figures["accuracy"]?.svg ?? "", /SIMULATED/);
    const attempts = join(results, "test_simulated_letters_attempts.jsonl");
    const size = (await Deno.stat(attempts)).size;
    await run();
    assert.equal((await Deno.stat(attempts)).size, size, "nothing is sent twice");
    const [found] = await findRuns(results);
    assert.ok(found !== undefined);
    const row = first?.rows[0]?.row;
    const prompt = await (await promptBuilder(found, [lettersKind])).build(row?.id ?? "");
    assert.ok("messages" in prompt && prompt.messages[0]?.content.includes(String(row?.params["word"])));
  }));
