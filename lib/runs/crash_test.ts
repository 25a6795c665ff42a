import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { createRandom } from "../base/random.ts";
import { scanAttempts } from "./attempt_records.ts";
import type { Attempt } from "./experiment.ts";
import { rowsNamed } from "./testing.ts";

const ROWS = 120;
const script = fileURLToPath(new URL("./testing/killed_run.ts", import.meta.url));

function start(results: string): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", script, results, String(ROWS)],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

async function attemptsIn(results: string): Promise<Attempt[]> {
  const attempts: Attempt[] = [];
  await scanAttempts(`${results}/pocket_niah_attempts.jsonl`, { attempt: (a) => void attempts.push(a) });
  return attempts;
}

async function served(results: string): Promise<string[]> {
  return (await Deno.readTextFile(`${results}/server.txt`).catch(() => "")).split("\n").slice(0, -1);
}

Deno.test("runExperiment() killed at random moments loses no finished row and sends none again", async () => {
  const results = await Deno.makeTempDir();
  const random = createRandom("kills");
  let kills = 0;
  for (let i = 0; i < 12; i++) {
    const before = (await attemptsIn(results)).map((a) => a.id);
    const servedBefore = (await served(results)).length;
    const child = start(results);
    // Killed so many milliseconds after its first answer: the start of a process takes longer than the run.
    const wait = random.int(60);
    const patience = Date.now() + 20_000;
    while ((await served(results)).length === servedBefore) {
      assert.ok(Date.now() < patience, "the run answered nothing");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
    child.kill("SIGKILL");
    await child.stdout.cancel();
    if ((await child.status).signal === "SIGKILL") kills++;
    const sentAgain = (await served(results)).slice(servedBefore).filter((id) => before.includes(id));
    assert.deepEqual(sentAgain, [], "a finished row was sent again");
    if ((await attemptsIn(results)).length >= ROWS - 15) break;
  }
  assert.ok(kills >= 3, `${kills} kills`);
  const { stdout } = await start(results).output();
  assert.deepEqual(JSON.parse(new TextDecoder().decode(stdout)), { done: ROWS, error: null });
  const attempts = await attemptsIn(results);
  assert.deepEqual(attempts.map((a) => a.id).sort(), rowsNamed(ROWS).map((row) => row.id).sort());
  for (const { id, output } of attempts) assert.equal(output, `answer ${id}`);
  // At most the answers in flight at each kill were made twice.
  const extra = (await served(results)).length - ROWS;
  assert.ok(extra <= 3 * kills, `${extra} answers made twice in ${kills} kills`);
  assert.deepEqual(
    [...Deno.readDirSync(results)].map((e) => e.name).filter((name) => name.endsWith(".lock")),
    [
      ".workflow_state.json.lock",
    ],
  );
  console.log(`${kills} kills, ${extra} answers in flight lost, ${ROWS} rows done once`);
  await Deno.remove(results, { recursive: true });
});
