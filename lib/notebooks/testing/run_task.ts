/**
 * A task in a process of its own, for tests that send it signals: notebook, executed notebook, grace in ms.
 * @module
 */
import { runNotebookTask } from "../run_notebook_task.ts";

const [path = "", outPath = "", graceMs = "30000"] = Deno.args;
Deno.exit(
  await runNotebookTask({
    path,
    outPath,
    parameters: {},
    resume: "deno task test-notebook",
    status: () => "STATUS 3 of 9",
    graceMs: Number(graceMs),
  }),
);
