/**
 * Which steps of which experiments are complete: a small file that people may edit.
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import { InputError, messageOf } from "../base/errors.ts";
import { readTextIfExists, unwritable, writeAtomic } from "../base/files.ts";

/** The steps of an experiment, in order. */
export const STEPS = ["inference", "evaluation", "visualization"] as const;
/** A step of an experiment. */
export type Step = typeof STEPS[number];

/** `{experiment: {variant: {step: complete}}}`; a missing key is a step that is to be done. */
export type WorkflowState = Record<string, Record<string, Partial<Record<Step, boolean | undefined>>>>;

const stateSchema: z.ZodType<WorkflowState> = z.record(
  z.string(),
  z.record(
    z.string(),
    z.strictObject({
      inference: z.boolean().optional(),
      evaluation: z.boolean().optional(),
      visualization: z.boolean().optional(),
    }),
  ),
);

/** Where the state of full runs, or apart from it that of test runs, is kept. */
export function workflowStatePath(results: string, test: boolean): string {
  return join(results, test ? ".test_workflow_state.json" : ".workflow_state.json");
}

/**
 * Reads a workflow state; an empty one when there is no file.
 *
 * @throws {InputError} when the file is not a workflow state. It is left as it is.
 */
export async function readWorkflowState(path: string): Promise<WorkflowState> {
  const text = await readTextIfExists(path).catch((cause) => {
    throw new InputError(`Cannot read ${path}: make it readable or delete it to check every step again.`, {
      cause,
    });
  });
  if (text === undefined) return {};
  let reason: string;
  try {
    const parsed = stateSchema.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    reason = parsed.error.issues.map((issue) => `${issue.path.join(".") || "top"}: ${issue.message}`).join(
      "; ",
    );
  } catch (error) {
    reason = messageOf(error);
  }
  throw new InputError(
    `${path} is not a workflow state (${reason}). Nothing was changed. Write it as {"niah": {"pocket": {"inference": ` +
      `true, "evaluation": true, "visualization": true}}}, or delete it: finished rows are found again and not resent.`,
  );
}

/**
 * Marks a step complete or not, keeping everything else in the file, whoever else writes to it meanwhile.
 *
 * @throws {InputError} when the file is not a workflow state or cannot be written.
 */
export async function markStep(
  path: string,
  experiment: string,
  variant: string,
  step: Step,
  complete: boolean,
): Promise<void> {
  using _ = await waitForLock(`${path}.lock`);
  const state = await readWorkflowState(path);
  if ((state[experiment]?.[variant]?.[step] ?? false) === complete) return;
  const steps = { ...state[experiment]?.[variant], [step]: complete };
  const next = { ...state, [experiment]: { ...state[experiment], [variant]: steps } };
  await writeAtomic(path, JSON.stringify(next, null, 2) + "\n");
}

/** The steps of one experiment on one variant. */
export interface RunSteps {
  /** `niah pocket inference`. */
  title(step: Step): string;
  /** Whether the state says that the step is complete. @throws {InputError} */
  isMarked(step: Step): Promise<boolean>;
  /** See {@linkcode markStep}. */
  mark(step: Step, complete: boolean): Promise<void>;
}

/** The steps of one experiment on one variant, in a state file. */
export function runSteps(path: string, experiment: string, variant: string): RunSteps {
  return {
    title: (step) => `${experiment} ${variant} ${step}`,
    isMarked: async (step) => (await readWorkflowState(path))[experiment]?.[variant]?.[step] ?? false,
    mark: (step, complete) => markStep(path, experiment, variant, step, complete),
  };
}

async function waitForLock(path: string): Promise<Deno.FsFile> {
  try {
    const file = await Deno.open(path, { write: true, create: true });
    await file.lock(true);
    return file;
  } catch (error) {
    throw unwritable(path, error);
  }
}
