/**
 * Does generating leak? Prefills and generates again and again, some of it cancelled, and watches resident memory:
 *
 *     deno run -A bench/leak.ts [MODEL] [CALLS]
 *
 * Of the CALLS (1,000) that follow 400 to warm up, in which the heaps of both threads reach their size, the median of
 * the last tenth must not be more than 5% above that of the first.
 * @module
 */
import { loadDecoder } from "../lib/engine/mod.ts";

const [dir = "models/pocket", calls = "1000"] = Deno.args;
const WARM_UP = 400;
const count = Number(calls);
await using model = await loadDecoder(dir, { cacheBytes: 2 ** 24 });
const resident: number[] = [];
for (let i = 0; i < WARM_UP + count; i++) {
  const ids = Array.from({ length: 200 + i % 50 }, (_, at) => (at * 31 + i * 7) % model.config.vocabSize);
  using prefix = await model.prefill(ids, { reuse: i % 3 === 0 });
  const abort = new AbortController();
  const cancelled = i % 10 === 9;
  await prefix.generate({
    n: 1 + i % 4,
    maxNewTokens: 16,
    temperature: 1,
    ignoreEos: true,
    signal: abort.signal,
    ...(cancelled ? { onToken: () => abort.abort() } : {}),
  });
  if (i >= WARM_UP) resident.push(Deno.memoryUsage().rss);
}
const median = (from: number, to: number) =>
  (resident.slice(from * count, to * count).sort((a, b) => a - b)[Math.floor((to - from) * count / 2)] ?? 0) /
  2 ** 20;
const [before, after] = [median(0, 0.1), median(0.9, 1)];
const growth = after / before - 1;
console.log(
  `${count} calls: ${before.toFixed(0)} MiB at the start, ${after.toFixed(0)} MiB at the end, ` +
    `${(100 * growth).toFixed(1)}% more`,
);
if (growth > 0.05) Deno.exit(1);
