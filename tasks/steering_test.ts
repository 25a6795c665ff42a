/** The tasks of steering as they are typed. */
import assert from "node:assert/strict";
import { filesIn, startTask, temporary } from "./testing.ts";

const TASKS = ["steer", "project", "steering-sweep", "trait-dynamics"];

Deno.test("tasks of steering say their plan and their flags, and write nothing", async () => {
  await using folder = await temporary();
  const results = `${folder.path}/results`;
  for (const name of TASKS) {
    const plan = await startTask(name, ["--plan", "--test", "--results", results]).ended;
    assert.equal(plan.code, 0, plan.stderr);
    assert.match(
      plan.stdout,
      /^Plan of test_pocket_[^]*rows +\d+ planned[^]*Nothing was sent or written\.$/m,
      name,
    );
    const help = await startTask(name, ["--help"]).ended;
    assert.equal(help.code, 0, help.stderr);
    assert.match(help.stdout, new RegExp(`deno task ${name} \\[--test\\] \\[flags\\][^]*--model-variant`));
  }
  assert.deepEqual(filesIn(results), []);
});

Deno.test("tasks of steering leave with 2 for wrong input, with one message and nothing written", async () => {
  await using folder = await temporary();
  const results = `${folder.path}/results`;
  for (
    const [name, args, message] of [
      ["steer", ["--trait", "absent"], /There is no trait absent .*Traits: styles\//],
      ["steer", ["--trait", "styles/a", "--traits", "styles/b"], /Give --trait or --traits, not both/],
      ["steer", ["--model-variant", "absent"], /no model variant "absent"/],
      ["steer", ["--position", "answer[1]"], /not frame\[slice\]/],
      ["steer", ["--mode", "push"], /Wrong sweep settings: mode/],
      ["project", ["--prompt-set", "absent"], /There is no prompt set "absent"/],
      ["project", ["--responses-from", "absent"], /no model variant "absent"/],
      ["steering-sweep", ["--experiment", "../x"], /cannot name a folder/],
    ] as const
  ) {
    const { code, stdout, stderr } = await startTask(name, ["--test", ...args, "--results", results]).ended;
    assert.equal(code, 2, `${args}: ${stderr}`);
    assert.match(stderr, message);
    assert.equal(stdout, "");
  }
  assert.deepEqual(filesIn(results), []);
});
