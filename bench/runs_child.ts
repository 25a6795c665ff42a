/**
 * One contender or workload of `bench/runs.ts`, in a process of its own: `deno run -A bench/runs_child.ts NAME ...`.
 * @module
 */
import { openBackend } from "../lib/backends/open_backend.ts";
import { createCaller } from "../lib/backends/caller.ts";
import { parseVariants, type Variant } from "../lib/backends/variants.ts";
import { hashJson } from "../lib/base/hash.ts";
import { auditRows } from "../lib/context_rot/audit.ts";
import { startNiah } from "../lib/context_rot/start_niah.ts";
import type { Experiment } from "../lib/runs/experiment.ts";
import { runExperiment } from "../lib/runs/workflow.ts";
import { ANSWER } from "./completion_server.ts";
import { auditSample } from "./audit_sample.ts";
import { benchVariants, CONCURRENCY, MAX_TOKENS, promptOf } from "./requests.ts";

/** Sends the requests with nothing but `fetch`: as fast as the server and the runtime can go. */
async function bareFetch(url: string, count: number): Promise<void> {
  let next = 0;
  const work = async () => {
    while (next < count) {
      const messages = [{ role: "user", content: promptOf(next++) }];
      const response = await fetch(`${url}/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model: "bench", messages, temperature: 0, max_tokens: MAX_TOKENS }),
      });
      await response.json();
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
}

/** Sends them as rows of an experiment: everything that a run does, but figures. */
async function probebook(url: string, count: number): Promise<void> {
  const variant = parseVariants(benchVariants(url), "models.json").get("bench") as Variant;
  const backend = await openBackend(variant);
  await using caller = createCaller(backend);
  const tokenizer = await backend.tokenizer();
  const experiment: Experiment = {
    name: "bench",
    sampling: { temperature: 0 },
    rows: Array.from({ length: count }, (_, i) => ({
      id: hashJson(["bench", i]),
      params: { i },
      recipe: { i },
      tokens: 20,
      maxTokens: MAX_TOKENS,
      skip: null,
    })),
    prompt(row) {
      const messages = [{ role: "user" as const, content: promptOf(Number(row.params["i"])) }];
      return { messages, tokens: tokenizer.countMessages(messages) };
    },
    grade: (rows) =>
      rows.map(({ row, attempt, attempts }) => {
        const correct = attempt?.output === ANSWER;
        const validity = correct ? "correct" : attempt?.status === "done" ? "wrong" : "error";
        return {
          row,
          attempt,
          attempts,
          grade: { validity, correct, judge: "match", judge_output: `${correct}` },
        };
      }),
    report: (rows) => {
      const right = rows.filter(({ grade }) => grade?.correct).length;
      return { summary: `${right} of ${rows.length} right`, statistics: { right }, figures: {} };
    },
  };
  const results = await Deno.makeTempDir();
  const run = runExperiment({
    experiment,
    caller,
    results,
    config: {},
    svgToPng: () => Promise.reject(new Error("There is no figure")),
    log: () => {},
  });
  const { error, report } = await run.done;
  if (error !== null) throw error;
  if (report?.summary !== `${count} of ${count} right`) throw new Error(`Not every row: ${report?.summary}`);
  await Deno.remove(results, { recursive: true });
}

/** Runs NIAH on the simulated model; killed without warning after `killAfter` rows, when that is given. */
async function manyRows(count: number, results: string, killAfter: number): Promise<void> {
  const run = await startNiah({
    model: "simulated",
    lengths: [500],
    depths: [0, 10, 20, 30, 40, 50, 60, 70, 80, 90],
    trials: Math.ceil(count / 10),
    results,
  }, { log: () => {} });
  if (killAfter > 0) {
    run.onProgress(() => {
      if (run.snapshot().done >= killAfter) Deno.kill(Deno.pid, "SIGKILL");
    });
  }
  const [result] = await run.done;
  if (result?.error) throw result.error;
  if (result?.done !== count) throw new Error(`${result?.done} of ${count} rows are done`);
}

/** Audits made-up rows and prints the seconds it took. */
function audit(count: number): void {
  const rows = auditSample(count);
  const began = performance.now();
  const audited = auditRows(rows, { tokenizerExact: true, window: 131_072 });
  const seconds = (performance.now() - began) / 1000;
  const classes = new Set(audited.map(({ validity }) => validity));
  if (audited.length !== count || classes.size < 8) throw new Error("The sample does not hold every class");
  console.log(JSON.stringify({ seconds }));
}

if (import.meta.main) {
  const [name, first = "", second = "", third = "0"] = Deno.args;
  if (name === "fetch") await bareFetch(first, Number(second));
  else if (name === "probebook") await probebook(first, Number(second));
  else if (name === "rows") await manyRows(Number(first), second, Number(third));
  else if (name === "audit") audit(Number(first));
  else throw new Error(`There is no ${name}`);
}
