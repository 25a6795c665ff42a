import assert from "node:assert/strict";
import { boardHtml, boardText, durationText, oneLine } from "./board.ts";
import type { RunSnapshot } from "./run_snapshot.ts";

const snapshot: RunSnapshot = {
  name: "pocket_niah",
  experiment: "niah",
  variant: "pocket",
  step: "inference",
  total: 88,
  done: 40,
  errors: 1,
  skipped: 8,
  pending: 39,
  resumed: 10,
  elapsedMs: 200_000,
  rowsPerMinute: 9,
  etaMs: 3_900_000,
  inputTokens: 123_456,
  outputTokens: 789,
  cachedTokens: 1000,
  costUsd: 0,
  unpricedCalls: 30,
  concurrency: { now: 3, most: 4 },
  last: { id: "a", output: "one\n\u001b[31mtwo\u202e <script>alert('x')</script>", latencyMs: 1200 },
  accuracy: { correct: 28, n: 30 },
  message: null,
};

Deno.test("boardText() shows the whole state on a few lines", () => {
  assert.equal(
    boardText(snapshot, { width: 20 }),
    `niah pocket inference  ██████████░░░░░░░░░░ 50%
  rows         40 of 80 done, 10 from before, 1 error, 8 skipped
  time         3 min 20 s, 9.0 rows/min, 1 h 05 min to go
  tokens       123,456 in (1,000 cached), 789 out
  cost         unknown (no price is known for 30 calls)
  in flight    3 of at most 4
  right so far 28 of 30 (93%), before audit
  last         one [31mtwo <script>alert('x')</script>  [1 s]`,
  );
});

Deno.test("boardHtml() escapes what the model said", () => {
  const html = boardHtml(snapshot);
  assert.ok(!html.includes("<script"));
  assert.ok(html.includes("&#60;script&#62;alert(&#39;x&#39;)"));
  assert.match(html, /role="progressbar".*aria-valuenow="50"/);
});

Deno.test("boardText() shows a full bar when there is nothing to send", () => {
  assert.match(boardText({ ...snapshot, total: 8, done: 0 }), /100%\n/);
});

Deno.test("oneLine() keeps text on one line, whole characters, and within its length", () => {
  assert.equal(oneLine("a\r\n\tb\u2028c\u0000d", 20), "a b c d");
  assert.equal([...oneLine("🌍".repeat(50), 10)].length, 10);
  assert.equal(oneLine("abc", 3), "abc");
  assert.equal(oneLine("abcd", 3), "ab…");
});

Deno.test("durationText() reads as people say it", () => {
  assert.deepEqual([0, 4400, 61_000, 3_725_000].map(durationText), [
    "0 s",
    "4 s",
    "1 min 01 s",
    "1 h 02 min",
  ]);
});
