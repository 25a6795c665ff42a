import assert from "node:assert/strict";
import { InputError } from "../base/errors.ts";
import { createRandom } from "../base/random.ts";
import { measureCopies } from "./repeated_words_measure.ts";
import { measureCopy } from "./repeated_words_metrics.ts";
import { goldText } from "./repeated_words_prompt.ts";
import type { CopyJob } from "./repeated_words_worker.ts";

const pair = { base: "apple", modified: "apples" };
const job = (count: number, position: number, output?: string): CopyJob => ({
  spec: { pair, count, position },
  output: output ?? goldText({ pair, count, position: count - 1 - position }),
});
/** As long as a text of `count` words and nothing like it. */
function unlike(count: number): string {
  const random = createRandom(`unlike ${count}`);
  return Array.from({ length: count * 6 }, () => "abcdefghij lp".charAt(random.int(13))).join("");
}

Deno.test("measureCopies() gives in order what measureCopy() gives", async () => {
  const jobs = [
    job(25, 3),
    job(40, 0, ""),
    job(2000, 7),
    job(30, 29, "I'm sorry, but I can't help with that."),
  ];
  const measured = await measureCopies(jobs);
  assert.deepEqual(measured, jobs.map(({ spec, output }) => measureCopy(spec, output)));
  assert.deepEqual(await measureCopies([]), []);
});

Deno.test("measureCopies() leaves the thread free while it works, and ends when it is stopped", async () => {
  const stop = new AbortController();
  let ticks = 0;
  const ticking = setInterval(() => {
    if (++ticks === 20) stop.abort(new Error("stopped by the test"));
  }, 5);
  const output = unlike(10_000);
  const jobs = Array.from({ length: 400 }, () => job(10_000, 5000, output));
  await assert.rejects(measureCopies(jobs, { signal: stop.signal }), /stopped by the test/);
  clearInterval(ticking);
  await assert.rejects(measureCopies(jobs, { signal: stop.signal }), /stopped by the test/);
});

Deno.test("measureCopies() keeps the measures of long copies in a file, whatever stands in it", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const kept = `${folder}/new/copies.jsonl`;
    const jobs = [job(25, 3), job(3000, 7), job(3000, 8)];
    const first = await measureCopies(jobs.slice(0, 2), { kept });
    const lines = (text: string) => text.split("\n").filter((line) => line !== "");
    assert.equal(lines(await Deno.readTextFile(kept)).length, 1, "only the long one");

    // What is kept is what is given: a changed file shows that nothing was measured again.
    const changed = (await Deno.readTextFile(kept)).replace('"modifiedCount":1', '"modifiedCount":77');
    await Deno.writeTextFile(kept, `not json\n{"key":"x","metrics":{}}\n${changed}{"key":"torn`);
    const second = await measureCopies(jobs, { kept });
    assert.equal(second[1]?.modifiedCount, 77);
    assert.deepEqual(second[0], first[0]);
    assert.equal(second[2]?.modifiedCount, 1);
    const third = await measureCopies(jobs, { kept });
    assert.deepEqual(third, second);
    assert.equal(lines(await Deno.readTextFile(kept)).filter((line) => line.includes("runs")).length, 2);

    await Deno.writeTextFile(`${folder}/file`, "");
    await assert.rejects(measureCopies(jobs, { kept: `${folder}/file/x` }), InputError);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
