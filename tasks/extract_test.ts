import assert from "node:assert/strict";
import { join } from "node:path";
import { encodeTorch, pickle as p } from "../lib/steering/formats/testing/write_torch.ts";
import { filesIn, startTask, temporary } from "./testing.ts";

const run = async (...args: string[]) => await startTask("extract", args).ended;

Deno.test("deno task extract makes vectors on the embedded model, then lists and shows them", async () => {
  await using folder = await temporary();
  const results = join(folder.path, "results");
  const flags = ["--traits", "styles/researcher_style", "--results", results, "--test", "--pairs", "6"];
  const plan = await run(...flags, "--plan");
  assert.match(plan.stdout, /6 pairs, \d+ prompt tokens.*28 vectors/);
  assert.deepEqual(filesIn(results), []);
  const made = await run(...flags, "--max-output-tokens", "6", "--layers", "1,2");
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stdout, /researcher_style on pocket at response\[:\]/);
  assert.match(made.stdout, /residual +mean_diff +1 /);
  assert.match(made.stdout, /held-out pairs are too few/);
  assert.match(made.stdout, /logit lens of mean_diff at residual\.\d\n {2}toward: "/);
  const list = await run("--list", "--results", results);
  assert.match(list.stdout, /test_styles\nvectors +styles\/researcher_style +pocket .* mean_diff +2 layers/);
  const vector = join(
    results,
    "test_styles/extraction/styles/researcher_style/pocket/vectors/response_all/residual/probe/layer1.safetensors",
  );
  assert.match(
    (await run("--show", vector)).stdout,
    /probe at residual\.1 response\[:\].*\n.*trait = styles/,
  );
});

Deno.test("deno task extract ends with 2 and writes nothing when a flag is wrong or a file is hostile", async () => {
  await using folder = await temporary();
  const results = join(folder.path, "results");
  const hostile = join(folder.path, "hostile.pt");
  const marker = join(folder.path, "ran");
  await Deno.writeFile(hostile, encodeTorch([p.reduce(p.global("os", "system"), p.text(`touch ${marker}`))]));
  for (
    const [args, message] of [
      [["--position", "end[1]"], /position "end\[1\]"/],
      [["--method", "magic"], /method/],
      [["--traits", "../../etc"], /trait "\.\.\/\.\.\/etc"/],
      [["--traits", "styles/absent"], /Traits: styles\//],
      [["--model-variant", "absent"], /no model variant "absent"/],
      [["--layers", "99"], /no layer 99/],
      [["--show", hostile], /os\.system/],
      [["--what"], /--help/],
    ] as const
  ) {
    const { code, stderr } = await run("--results", results, ...args);
    assert.equal(code, 2, `${args}: ${stderr}`);
    assert.match(stderr, message);
  }
  assert.deepEqual(filesIn(folder.path), ["hostile.pt"]);
});
