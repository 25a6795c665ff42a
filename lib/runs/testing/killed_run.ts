/**
 * A run that is made to be killed: `killed_run.ts RESULTS ROWS`. Answers take a few milliseconds, and every finished
 * answer is first noted in RESULTS/server.txt, as a server would count it.
 * @module
 */
import { fakeCaller, fakeExperiment, workflowCaller } from "../testing.ts";
import { runExperiment } from "../workflow.ts";

const [results = "", rows = ""] = Deno.args;
const caller = fakeCaller(async (question, nth) => {
  await new Promise((resolve) => setTimeout(resolve, 2 + (question.length + nth) % 5));
  Deno.writeTextFileSync(`${results}/server.txt`, question + "\n", { append: true });
  await new Promise((resolve) => setTimeout(resolve, 2)); // on its way back: lost when the kill comes now
  return `answer ${question}`;
}, { maxConcurrency: 3 });
const result = await runExperiment({
  experiment: fakeExperiment(Number(rows)),
  caller: workflowCaller(caller),
  results,
  config: {},
  svgToPng: () => Promise.resolve(new Uint8Array([1])),
  log: () => {},
}).done;
console.log(JSON.stringify({ done: result.done, error: result.error?.message ?? null }));
