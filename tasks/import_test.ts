/** `deno task import` as a person runs it. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { chromaNiah, inImportFolder } from "../lib/context_rot/testing/import_files.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Runs the task with the permissions that deno.json gives it. */
async function task(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-P=notebook", "--no-check", "--quiet", "tasks/import.ts", ...args],
    cwd: root,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test("deno task import prints counts, warnings and files, and leaves with 0", () =>
  inImportFolder(async (folder) => {
    const { evaluated } = chromaNiah([500, 10_000], (length) => length === 500);
    const file = await folder.csv("m_niah_evaluated.csv", evaluated);
    const { code, stdout, stderr } = await task(
      "--from",
      file,
      "--as",
      "chroma-niah",
      "--results",
      folder.results,
      "--name",
      "their run",
    );
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /Accuracy: 11\/22 = 50.0%/);
    assert.match(stdout, /10,000 tokens: raw 0\/11/);
    assert.match(stdout, /By needle depth:/);
    assert.match(stdout, /Noticed: .*token_count is 100 on all 22 rows/);
    assert.match(stdout, /Report: .*their_run_niah_report.json/);
    assert.ok((await Deno.stat(`${folder.results}/their_run_niah_heatmap.png`)).size > 10_000);
  }));

Deno.test("deno task import leaves with 2, one clear line and no file when its input is wrong", () =>
  inImportFolder(async (folder) => {
    const file = await folder.csv("m.csv", [{ custom_id: "1", output: "x", llm_judge_output: "true" }]);
    for (
      const [args, message] of [
        [["--from", file, "--as", "chroma-niah"], /looks like LongMemEval results.*--as chroma-longmemeval/],
        [["--as", "chroma-niah"], /--from is missing/],
        [["--from", file], /--as is missing: give one of chroma-niah/],
        [["--from", file, "--as", "csv"], /--as is "csv"/],
        [["--from", file, "--as", "niah-v2", "--window", "big"], /--window is "big": give a number/],
        [["--from", file, "--as", "niah-v2", "--map", "length"], /--map is "length": give NAME=VALUE/],
        [["--form", file], /Unknown option '--form'.*--help/],
      ] as const
    ) {
      const { code, stdout, stderr } = await task(...args, "--results", folder.results);
      assert.deepEqual([code, stdout], [2, ""], stderr);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n {4}at /, "no stack");
    }
    await assert.rejects(Deno.stat(folder.results), Deno.errors.NotFound);
    const { code, stdout } = await task("--help");
    assert.equal(code, 0);
    assert.match(stdout, /--map OURS=THEIRS/);
  }));
