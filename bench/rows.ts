/**
 * Time and memory of a NIAH run of many rows on the simulated model, and of its resumption when it is finished:
 *
 *     deno run -A bench/rows.ts [--rows 100000] [--results DIR] [--json]
 *
 * Each of the two runs is a process of its own, so that its peak is its own.
 * @module
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startNiah } from "../lib/context_rot/start_niah.ts";

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "100000" },
    results: { type: "string" },
    json: { type: "boolean", default: false },
    once: { type: "boolean", default: false },
  },
});

if (values.once) {
  const began = performance.now();
  let peak = 0;
  const watch = setInterval(() => peak = Math.max(peak, Deno.memoryUsage().rss), 50);
  const run = await startNiah({
    model: "simulated",
    lengths: [500],
    depths: [0, 10, 20, 30, 40, 50, 60, 70, 80, 90],
    trials: Math.ceil(Number(values.rows) / 10),
    results: values.results ?? "",
  }, { log: () => {} });
  const [result] = await run.done;
  clearInterval(watch);
  if (result?.error) throw result.error;
  const seconds = (performance.now() - began) / 1000;
  console.log(JSON.stringify({ rows: result?.done, seconds, peakMiB: Math.round(peak / 2 ** 20) }));
} else {
  const results = values.results ?? await Deno.makeTempDir();
  const measured: { rows: number; seconds: number; peakMiB: number }[] = [];
  for (const title of ["run", "resumed when finished"]) {
    const { stdout, success } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", "--no-check", "--quiet", fileURLToPath(import.meta.url)],
        ...["--once", "--rows", values.rows, "--results", results],
      ],
      stderr: "inherit",
    }).output();
    if (!success) Deno.exit(1);
    const result = JSON.parse(new TextDecoder().decode(stdout));
    measured.push(result);
    const { rows, seconds, peakMiB } = result;
    if (!values.json) {
      console.log(
        `${title}: ${rows.toLocaleString("en-US")} rows, ${seconds.toFixed(1)} s, ${peakMiB} MiB at most`,
      );
    }
  }
  if (values.json) console.log(JSON.stringify(measured));
  if (values.results === undefined) await Deno.remove(results, { recursive: true });
}
