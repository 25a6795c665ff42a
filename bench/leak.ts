/**
 * Does generating leak? Prefills and generates again and again, some of it cancelled, and watches resident memory:
 *
 *     deno run -A bench/leak.ts [MODEL] [CALLS]
 *
 * It must not grow by more than 5% between the first fifth of the calls, which warm up, and the last.
 * @module
 */
import { loadDecoder } from "../lib/engine/mod.ts";

const [dir = "models/pocket", calls = "1000"] = Deno.args;
const count = Number(calls);
await using model = await loadDecoder(dir, { cacheBytes: 2 ** 24 });
const resident: number[] = [];
for (let i = 0; i < count; i++) {
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
  resident.push(Deno.memoryUsage().rss);
}
const most = (from: number, to: number) => Math.max(...resident.slice(from * count, to * count)) / 2 ** 20;
const [before, after] = [most(0.1, 0.2), most(0.9, 1)];
const growth = after / before - 1;
console.log(
  `${count} calls: ${before.toFixed(0)} MiB at the start, ${after.toFixed(0)} MiB at the end, ` +
    `${(100 * growth).toFixed(1)}% more`,
);
if (growth > 0.05) Deno.exit(1);
