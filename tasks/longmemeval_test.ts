/** `deno task longmemeval` and `deno task data` as a person runs them: flags, files, errors. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startFileServer } from "../lib/base/testing/file_server.ts";
import { planLongMemEval } from "../lib/context_rot/start_longmemeval.ts";
import { writeMemoryFiles } from "../lib/context_rot/testing/memory_files.ts";
import { inFolder } from "../lib/base/testing/in_folder.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

function start(task: "longmemeval" | "data", args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-P=notebook", "--no-check", "--quiet", `tasks/${task}.ts`, ...args],
    cwd: root,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function run(task: "longmemeval" | "data", args: readonly string[]) {
  const { code, stdout, stderr } = await start(task, args).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

Deno.test("deno task longmemeval --plan and --show send and write nothing, byte for byte", async () => {
  await inFolder(async (folder) => {
    const results = join(folder, "results");
    const textOf = await writeMemoryFiles(folder, { questions: 306, chars: { focused: 300, full: 20_000 } });
    const flags = ["--model", "simulated", "--data", folder, "--results", results];
    const plan = await run("longmemeval", [...flags, "--test", "--plan"]);
    assert.equal(plan.code, 0, plan.stderr);
    assert.match(plan.stdout, /rows +40 planned/);
    assert.match(plan.stdout, /306 questions of cleaned_longmemeval_s_focused\.csv/);
    const before = names(folder);
    assert.deepEqual(before.filter((name) => name === "results"), []);
    const missing = await run("longmemeval", [...flags, "--show", "nonsense"]);
    assert.deepEqual([missing.code, /There is no row "nonsense" in this plan/.test(missing.stderr)], [
      2,
      true,
    ]);
    const [planned] = await planLongMemEval({ model: "simulated", data: folder, results });
    const shown = await run("longmemeval", [...flags, "--show", planned?.experiment.rows[308]?.id ?? ""]);
    assert.equal(shown.stdout, `user:\n${textOf("full", 2)}\n`);
    assert.deepEqual(names(folder), before);
  });
});

Deno.test("deno task longmemeval and deno task data leave with 2 for wrong input, say what is wrong, and write nothing", async () => {
  await inFolder(async (folder) => {
    await writeMemoryFiles(folder, { questions: 5, chars: { focused: 300, full: 900 } });
    const path = join(folder, "cleaned_longmemeval_s_full.csv");
    const whole = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, whole.slice(0, whole.length - 400));
    const before = names(folder);
    const wrong: readonly [task: "longmemeval" | "data", args: string[], message: RegExp][] = [
      [
        "longmemeval",
        ["--data", folder],
        /^\S+full\.csv ends inside the row that begins on line \d+: the file is torn\. .*deno task data/,
      ],
      [
        "longmemeval",
        ["--data", join(folder, "none")],
        /There is no .*focused\.csv and no .*full\.csv\. Download both with/,
      ],
      ["longmemeval", ["--dtaa", folder], /Unknown option '--dtaa'[^]*deno task longmemeval --help/],
      ["longmemeval", ["--temperature", "warm"], /--temperature is "warm": give a number/],
      ["longmemeval", ["--model", "nonsense"], /nonsense/],
      [
        "data",
        ["nonsense"],
        /There is no data set "nonsense": choose longmemeval, essays, toxicchat, sample/,
      ],
      [
        "data",
        ["longmemeval", "--from", "nowhere", "--to", join(folder, "to")],
        /--from is "nowhere": give an address/,
      ],
      ["data", ["essays", "--nonsense"], /Unknown option '--nonsense'[^]*deno task data --help/],
    ];
    for (const [task, args, message] of wrong) {
      const common = task === "longmemeval" ? ["--results", join(folder, "results")] : [];
      const { code, stderr } = await run(task, [...args, ...common]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n {4}at /, "no stack");
    }
    assert.deepEqual(names(folder), before);
  });
});

Deno.test({
  name: "deno task data stopped in the middle goes on where it was",
  ignore: Deno.build.os === "windows",
  async fn() {
    await inFolder(async (folder) => {
      const published = join(folder, "published");
      await writeMemoryFiles(published, { questions: 40, chars: { focused: 500, full: 50_000 } });
      const files = Object.fromEntries(
        names(published).map((name) => [name, Deno.readFileSync(join(published, name))]),
      );
      await using server = startFileServer(files, { tags: true });
      const full = "cleaned_longmemeval_s_full.csv";
      // The server breaks off after a third and is then busy for as long as it takes to be stopped.
      server.faults.set(full, [{ resetAfter: 700_000 }, ...Array(30).fill({ status: 503 })]);
      const to = join(folder, "to");
      const args = ["longmemeval", "--from", server.url, "--to", to];
      const child = start("data", args);
      while (!server.seen.some(({ path, range }) => path === `/${full}` && range !== null)) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      child.kill("SIGINT");
      const { code, stderr } = await child.output();
      assert.equal(code, 130, new TextDecoder().decode(stderr));
      assert.match(new TextDecoder().decode(stderr), /stopped; what has come is kept/);
      const { size } = await Deno.stat(join(to, `${full}.part`));
      assert.equal(size, 700_000);
      server.faults.clear();
      const again = await run("data", args);
      assert.equal(again.code, 0, again.stderr);
      assert.match(
        again.stderr,
        /focused\.csv is there and whole[^]*40 questions under both conditions and their types/,
      );
      assert.equal(server.seen.find(({ range }) => range === `bytes=${size}-`)?.path, `/${full}`);
      assert.deepEqual(await Deno.readFile(join(to, full)), files[full]);
    });
  },
});
