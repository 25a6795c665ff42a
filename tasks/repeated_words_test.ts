/** `deno task repeated-words` as a person runs it: flags, kernel, files. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { parse } from "csv-parse/sync";
import { parseNotebook } from "../lib/notebooks/notebook.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs the task with the permissions that deno.json gives it. */
async function task(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-P=notebook", "--no-check", "--quiet", "tasks/repeated_words.ts", ...args],
    cwd: root,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

Deno.test("deno task repeated-words --test leaves figures of every pair, an executed notebook, and a report", () =>
  inFolder(async (folder) => {
    const flags = [
      "--model",
      "simulated",
      "--pairs",
      "apple/apples,Golden Gate Bridge/Golden Gate Park",
      "--results",
      folder,
    ];
    const { code, stdout, stderr } = await task("--test", ...flags);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /Repeated words apple\/apples, simulated; right is an exact copy/);
    assert.match(stdout, /Rows: 15 sent/);
    for (const pair of ["apple_apples", "golden_gate_bridge_golden_gate_park"]) {
      const run = `test_simulated_repeated_words_${pair}`;
      assert.equal(names(`${folder}/${run}_evaluated`).length, 10);
      const rows: Record<string, string>[] = parse(
        await Deno.readTextFile(`${folder}/${run}_evaluated.csv`),
        { columns: true },
      );
      assert.equal(rows.length, 15);
      assert.ok(
        rows.every((row) => row["_test_mode"] === "true" && row["_original_dataset_size"] === "1090"),
      );
      assert.deepEqual(
        new Set(rows.map((row) => row["word_count"])),
        new Set(["25", "100", "500", "1000", "5000"]),
      );
    }
    const notebook = parseNotebook(
      await Deno.readTextFile(`${folder}/test_simulated_repeated_words.ipynb`),
      "executed",
    );
    const images = notebook.cells.flatMap((cell) => cell.outputs ?? []).filter((output) =>
      JSON.stringify(output).includes("<svg")
    );
    assert.equal(images.length, 10, "five figures of each pair");

    const [id] =
      ((await Deno.readTextFile(`${folder}/test_simulated_repeated_words_apple_apples_results.csv`)).split(
        "\n",
      )[1] ?? "").split(",");
    const shown = await task("--test", ...flags, "--show", id ?? "");
    assert.match(shown.stdout, /^user:\n.*\n\n(apple )+apples\n$/);
    const again = await task("--test", ...flags);
    assert.equal(again.code, 0);
    assert.match(again.stderr, /✓ complete \(15\/15\)/);
  }));

Deno.test("deno task repeated-words --plan counts every row of every pair and writes nothing", () =>
  inFolder(async (folder) => {
    const { code, stdout } = await task(
      "--plan",
      "--pairs",
      "all",
      "--model",
      "simulated",
      "--results",
      folder,
    );
    assert.equal(code, 0);
    assert.equal(stdout.match(/rows +1,090 planned/g)?.length, 7);
    assert.match(stdout, /Nothing was sent or written\./);
    const small = await task("--plan", "--test", "--results", folder);
    assert.match(small.stdout, /of the 5 standard counts fit the variant: 4 counts from \d+ to \d+ instead/);
    assert.deepEqual(names(folder), []);
  }));

Deno.test("deno task repeated-words refuses wrong flags in one line with what to do, and writes nothing", () =>
  inFolder(async (folder) => {
    const results = `${folder}/results`;
    const cases: [string[], RegExp][] = [
      [["--pair", "apple"], /"apple" is not a pair of words such as apple\/apples\. Give --pair/],
      [["--pair", "apple/apple"], /are the same/],
      [["--pairs", "a/b,c"], /"c" is not a pair/],
      [["--pair", "ha/ha ha"], /can be read in two ways/],
      [["--counts", "25,many"], /--counts is "many": give a number/],
      [["--counts", "0"], /--counts holds 0/],
      [["--positions", "120"], /--positions holds 120/],
      [["--reasoning-tokens=-5"], /reasoningTokens/],
      [["--lengths", "500"], /Unknown option '--lengths'.*deno task repeated-words --help/],
      [["--model", "pokcet"], /Did you mean "pocket"/],
      [
        ["--model", "pocket", "--reasoning-tokens", "4000"],
        /Not even one word and its copy fit this variant/,
      ],
    ];
    for (const [flags, message] of cases) {
      const { code, stderr } = await task("--test", ...flags, "--results", results);
      assert.equal(code, 2, flags.join(" "));
      assert.match(stderr, message);
      assert.ok(!stderr.includes("at file:"), "no stack");
    }
    assert.deepEqual(names(folder), []);
  }));
