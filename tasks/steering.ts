/**
 * What the tasks of steering that run without a notebook have in common.
 * @module
 */
import { resolve } from "node:path";
import { InputError } from "../lib/base/errors.ts";
import type { Json } from "../lib/base/hash.ts";
import { log } from "../lib/base/log.ts";
import { live } from "../lib/notebooks/live.ts";
import { RUN_FLAGS } from "../lib/notebooks/run_experiment_task.ts";
import { type Flags, flagsHelp, readFlags } from "../lib/notebooks/task_flags.ts";
import { runBoard } from "../lib/runs/board.ts";
import { finishedResults, type RunSequence } from "../lib/runs/sequence.ts";
import { stopOnSignal } from "../lib/runs/stop_on_signal.ts";
import type { ExperimentResult } from "../lib/runs/workflow.ts";
import { PLAN_FLAG, TRAIT_FLAG } from "./steering_flags.ts";

/** Reads the flags of a task; null when its help was asked for, and printed. @throws {InputError} */
export function readSteeringFlags(
  args: readonly string[],
  own: Flags,
  command: string,
  about: string,
): { readonly plan: boolean; readonly parameters: Readonly<Record<string, Json>> } | null {
  const { shard: _, ...shared } = RUN_FLAGS;
  const flags = { ...PLAN_FLAG, ...TRAIT_FLAG, ...own, ...shared };
  const { help, plan, trait, ...given } = readFlags(args, flags, command);
  if (help) {
    console.log(
      `${about}\n\n${command} [--test] [flags]\n\n${flagsHelp(flags)}\n\n` +
        "Stop with Ctrl+C; the same command goes on where it was.\n",
    );
    return null;
  }
  if (trait !== undefined && given["traits"] !== undefined) {
    throw new InputError("Give --trait or --traits, not both.");
  }
  const traits = trait === undefined ? {} : { traits: trait };
  return {
    plan: plan === true,
    parameters: { test: false, results: resolve("results"), ...given, ...traits },
  };
}

/** Shows runs until they end; null when they were stopped. @throws {InputError} */
export async function runToEnd(
  run: RunSequence,
  resume: string,
): Promise<readonly ExperimentResult[] | null> {
  using signals = stopOnSignal(() => run.stop(), { onFirst: () => log("Stopping; what is done is kept.") });
  await live(run, runBoard);
  const results = finishedResults(await run.done);
  if (!signals.interrupted) return results;
  console.error(`To go on: ${resume.trim()}`);
  return null;
}
