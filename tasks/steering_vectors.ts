/**
 * `deno task steering-vectors`: contrastive pairs to key and value vectors in files, without their evaluation.
 * @module
 */
import { resolve } from "node:path";
import { INTERRUPTED_EXIT } from "../lib/base/errors.ts";
import type { Json } from "../lib/base/hash.ts";
import { log } from "../lib/base/log.ts";
import { setExitCode } from "../lib/notebooks/run_experiment_task.ts";
import {
  type Flags,
  flagsHelp,
  numberFlag,
  readFlags,
  switchFlag,
  textFlag,
} from "../lib/notebooks/task_flags.ts";
import { stopOnSignal } from "../lib/runs/stop_on_signal.ts";
import { makeVectors, planVectors, vectorsText } from "../lib/steering/make_vectors.ts";
import { startSteeringPairs } from "../lib/steering/start_steering_pairs.ts";
import { VECTOR_FLAGS } from "./steering_factory_flags.ts";

const COMMAND = "deno task steering-vectors";
const FLAGS: Flags = {
  ...VECTOR_FLAGS,
  target: textFlag("A[,B]", "variants that vectors are for (default pocket, the embedded model)"),
  "model-variant": textFlag("A[,B]", "the same, of an experiment"),
  test: switchFlag("fewer pairs, in files of their own (test_)"),
  plan: switchFlag("print what would be asked and read; send and write nothing"),
  cache: switchFlag("answer the teacher's questions from the response cache"),
  "max-usd": numberFlag("N", "stop before this is spent on the teacher"),
  "requests-per-minute": numberFlag("N", "most requests to the teacher in a minute"),
  concurrency: numberFlag("N", "most requests to the teacher at once"),
  results: textFlag("DIR", "where everything is written (default results)", (text) => resolve(text)),
};

async function main(): Promise<number> {
  const { help, plan, target, ...given } = readFlags(Deno.args, FLAGS, COMMAND);
  if (help) {
    console.log(
      `Contrastive pairs to key and value vectors, in results/steering_vectors.\n\n${COMMAND} [flags]\n\n` +
        `${flagsHelp(FLAGS)}\n\nStop with Ctrl+C; the same command goes on where it was.\n` +
        "deno task steering-factory also evaluates them.\n",
    );
    return 0;
  }
  const settings: Record<string, Json> = {
    results: resolve("results"),
    ...(target === undefined ? {} : { modelVariant: target }),
    ...given,
  };
  if (plan) {
    console.log(`${await planVectors(settings)}\n\nNothing was sent or written.`);
    return 0;
  }
  const stopping = new AbortController();
  const pairs = await startSteeringPairs(settings);
  using _stop = stopOnSignal(() => {
    stopping.abort(new Error("stopped"));
    pairs?.stop();
  });
  for (const { error, report, stoppedBy } of await pairs?.done ?? []) {
    if (error !== null) throw error;
    if (stoppedBy !== null) return interrupted();
    console.log(report?.summary ?? "");
  }
  try {
    for (const made of await makeVectors(settings, { signal: stopping.signal })) {
      console.log(vectorsText(made));
    }
  } catch (error) {
    if (stopping.signal.aborted) return interrupted();
    throw error;
  }
  return 0;
}

function interrupted(): number {
  log("stopped; what is made is kept, and the same command goes on from there");
  return INTERRUPTED_EXIT;
}

await setExitCode(main);
