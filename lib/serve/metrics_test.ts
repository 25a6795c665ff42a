import assert from "node:assert/strict";
import { Metrics } from "./metrics.ts";

const engine = { prefilledTokens: 1, reusedTokens: 2, generatedTokens: 3, decodeSteps: 4, cacheBytes: 5 };
const now = { inFlight: 2, queued: 1, samples: 7 };

Deno.test("Metrics.text() gives counts, gauges and histograms as Prometheus reads them", () => {
  const metrics = new Metrics();
  metrics.request("/a", 200, 0.02);
  metrics.request("/a", 200, 7);
  metrics.request("/a", 429, 5000);
  metrics.firstToken(0.3);
  metrics.tokens({ prompt: 10, cached: 4, generated: 6 });
  metrics.tokens({ prompt: 1, cached: 0, generated: 1 });
  const lines = metrics.text(now, engine).split("\n");
  const value = (name: string) =>
    Number(lines.find((line) => line.startsWith(`probebook_${name} `))?.split(" ")[1]);
  assert.equal(value('requests_total{endpoint="/a",status="200"}'), 2);
  assert.equal(value('requests_total{endpoint="/a",status="429"}'), 1);
  const bucket = (le: string) => value(`request_duration_seconds_bucket{endpoint="/a",le="${le}"}`);
  assert.deepEqual(["0.01", "0.025", "5", "10", "600", "+Inf"].map(bucket), [0, 1, 1, 2, 2, 3]);
  assert.equal(value('request_duration_seconds_sum{endpoint="/a"}'), 5007.02);
  assert.equal(value('request_duration_seconds_count{endpoint="/a"}'), 3);
  assert.equal(value('time_to_first_token_seconds_bucket{le="0.5"}'), 1);
  assert.deepEqual(
    ["prompt", "cached_prompt", "generated"].map((kind) => value(`${kind}_tokens_total`)),
    [11, 4, 7],
  );
  assert.deepEqual(
    ["requests_in_flight", "requests_queued", "samples_in_flight", "engine_cache_bytes"].map(value),
    [2, 1, 7, 5],
  );
  assert.ok(value("resident_memory_bytes") > 1e6);
});

Deno.test("Metrics.text() has a help and a type line for each metric and ends with a line break", () => {
  const text = new Metrics().text(now, engine);
  assert.ok(text.endsWith("\n"));
  for (const line of text.trimEnd().split("\n")) {
    assert.match(line, /^(# (HELP|TYPE) probebook_\w+ .+|probebook_\w+(\{[^}]*\})? [\d.e+-]+)$/);
  }
  const names = new Set(
    [...text.matchAll(/^probebook_(\w+?)(_bucket|_sum|_count)?(\{.*)? /gm)].map(([, n]) => n),
  );
  for (const name of names) assert.match(text, new RegExp(`# TYPE probebook_${name} `));
});
