/** The task as it is typed. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const task = fileURLToPath(new URL("./compare_backends.ts", import.meta.url));

/** Runs the task in an empty folder of its own. */
async function run(args: (folder: string) => string[]) {
  const folder = await Deno.makeTempDir();
  try {
    const lines = Array.from(
      { length: 100 },
      (_, i) => `${i},${i % 4 === 0 ? 1 : 0},${i % 4 === 0 && i > 0 ? 1 : 0}`,
    );
    await Deno.writeTextFile(`${folder}/labels.csv`, `item,x_label,y_label\n${lines.join("\n")}\n`);
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-check", task, ...args(folder)],
      cwd: folder,
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    const written = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) =>
      name !== "labels.csv"
    );
    return { code, stdout: text(stdout), stderr: text(stderr), written };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("deno task compare-backends --from prints the report of a table, or its JSON", async () => {
  const report = await run((folder) => ["--from", `${folder}/labels.csv`]);
  assert.equal(report.code, 0, report.stderr);
  assert.match(report.stdout, /VERDICT: inconclusive: 99 of 100 labels agree/);
  assert.deepEqual(report.written, ["results"]);
  const json = await run((folder) => ["--from", `${folder}/labels.csv`, "--json"]);
  const { all } = JSON.parse(json.stdout);
  assert.deepEqual([all.n, all.n11, all.n10, all.n01, all.n00, all.agreement], [100, 24, 1, 0, 75, 0.99]);
});

Deno.test("deno task compare-backends --plan says rows and data, and writes nothing", async () => {
  const { code, stdout, written, stderr } = await run(() => [
    ..."--plan --sample-size 50 --policy toxic_simple --model gpt-oss-20b --backends api,local".split(" "),
  ]);
  assert.equal(code, 0, stderr);
  assert.match(
    stdout,
    /Plan of gpt_oss_20b_api_compare_backends_pass_1[^]*rows {11}50 planned[^]*Nothing was sent or written/,
  );
  assert.deepEqual(written, []);
});

Deno.test("deno task compare-backends leaves with 2 for wrong input, with one message and nothing written", async () => {
  for (
    const [args, message] of [
      [["--policy", "nice"], /There is no policy "nice"/],
      [["--from", "none.csv"], /Cannot read the label table/],
      [["--nonsense"], /Unknown option '--nonsense'/],
      [["--variants", "pocket,pocket"], /Both backends are pocket/],
    ] as const
  ) {
    const { code, stderr, written } = await run(() => [...args]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
    assert.equal(stderr.match(message.source.slice(0, 12)) && stderr.trim().split("\n").length, 1, stderr);
    assert.deepEqual(written, []);
  }
});
