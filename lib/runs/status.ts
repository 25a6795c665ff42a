/**
 * Where every experiment stands, from the state file and the runs' own files.
 * @module
 */
import { z } from "zod";
import { readTextIfExists } from "../base/files.ts";
import { scanAttempts } from "./attempt_records.ts";
import type { Experiment } from "./experiment.ts";
import { type RunFiles, runFiles } from "./run_files.ts";
import { readWorkflowState, type Step, STEPS, workflowStatePath } from "./workflow_state.ts";

/** Rows of a run's plan, as its files say. */
export interface RunStatus {
  /** Rows that are to be sent. */
  readonly total: number;
  /** Rows that are done. */
  readonly done: number;
  /** Rows whose last try failed. */
  readonly errors: number;
  /** Rows that are not sent. */
  readonly skipped: number;
  /** The rows that are to be sent, by part of the layout; null where the experiment has no parts. */
  readonly parts: Readonly<Record<string, { readonly total: number; readonly done: number }>> | null;
  /** US dollars spent over all sessions, the judge's calls included; calls without a known price count nothing. */
  readonly spentUsd: number;
}

const planSchema = z.object({
  rows: z.array(z.object({ id: z.string(), skip: z.string().nullable(), part: z.string().optional() })),
});

/**
 * Reads how far a run is, changing nothing; null when it was never begun.
 *
 * @throws {InputError} when its attempts file is damaged.
 */
export async function readRunStatus(files: RunFiles): Promise<RunStatus | null> {
  const last = new Map<string, "done" | "error">();
  let spentUsd = 0, rows = -1;
  await scanAttempts(files.attempts, {
    header: (header) => void (rows = header.rows),
    attempt(attempt) {
      if (last.get(attempt.id) !== "done") last.set(attempt.id, attempt.status);
      spentUsd += attempt.cost_usd ?? 0;
    },
  });
  if (rows < 0) return null;
  await scanAttempts(files.judgeAttempts, { attempt: (attempt) => void (spentUsd += attempt.cost_usd ?? 0) });
  const planned = await readPlanRows(files.plan);
  const sent: PlanRow[] = planned?.filter((row) => row.skip === null) ??
    [...last.keys()].map((id) => ({ id, skip: null }));
  const skipped = planned ? planned.length - sent.length : 0;
  const parts: Record<string, { total: number; done: number }> = {};
  for (const { part } of planned ?? []) if (part !== undefined) parts[part] ??= { total: 0, done: 0 };
  let done = 0, errors = 0;
  for (const { id, part } of sent) {
    const status = last.get(id);
    if (status === "done") done++;
    else if (status === "error") errors++;
    const counts = part === undefined ? undefined : parts[part];
    if (counts === undefined) continue;
    counts.total++;
    if (status === "done") counts.done++;
  }
  return {
    total: planned ? sent.length : rows,
    done,
    errors,
    skipped,
    parts: Object.keys(parts).length > 0 ? parts : null,
    spentUsd,
  };
}

type PlanRow = z.output<typeof planSchema>["rows"][number];

async function readPlanRows(path: string): Promise<PlanRow[] | null> {
  try {
    return planSchema.parse(JSON.parse(await readTextIfExists(path) ?? "null")).rows;
  } catch {
    // The plan file is a courtesy and is written anew at the next start; the attempts are the truth.
    return null;
  }
}

/** One line of the dashboard, without its name: `✓ complete (88/88)`, `⧗ in progress (focused: 306/306, full: 2/306)`. */
export function statusLine(
  status: RunStatus | null,
  steps: Partial<Record<Step, boolean | undefined>> = {},
): string {
  if (status === null) return "✗ not started";
  const { total, done, errors, skipped, parts } = status;
  const notes = parts === null
    ? [`${done}/${total}`]
    : Object.entries(parts).map(([part, counts]) => `${part}: ${counts.done}/${counts.total}`);
  if (errors > 0) notes.push(`${errors} error${errors === 1 ? "" : "s"}`);
  if (skipped > 0) notes.push(`${skipped} skipped`);
  const open = STEPS.filter((step) => step !== "inference" && steps[step] !== true);
  if (done === total && open.length > 0) notes.push(`${open.join(" and ")} to do`);
  return done === total && open.length === 0
    ? `✓ complete (${notes.join(", ")})`
    : `⧗ in progress (${notes.join(", ")})`;
}

/** What {@linkcode statusDashboard} looks at. */
export interface StatusOptions {
  /** The results folder. */
  readonly results: string;
  /** Whether to show test runs or full runs. */
  readonly test: boolean;
  /** Experiments with their titles, in order. */
  readonly experiments: readonly { readonly name: string; readonly title: string }[];
  /** The names of the variants, in order. */
  readonly variants: readonly string[];
  /** The runs as they are planned, for what is not started yet. */
  readonly planned?: readonly {
    readonly variant: { readonly name: string };
    readonly experiment: Pick<Experiment, "name" | "rows" | "part">;
  }[];
  /** Printed as what goes on with the work. */
  readonly resume?: string;
  /** Whether the work was just interrupted. */
  readonly interrupted?: boolean;
}

/** `✗ not started`, with how many rows each part has. */
function notStarted(experiment: Pick<Experiment, "rows" | "part">): string {
  const parts = new Map<string, number>();
  for (const row of experiment.rows) {
    const part = experiment.part?.(row);
    if (part !== undefined) parts.set(part, (parts.get(part) ?? 0) + (row.skip === null ? 1 : 0));
  }
  const counts = [...parts].map(([part, total]) => `${part}: 0/${total}`);
  return `✗ not started${counts.length > 0 ? ` (${counts.join(", ")})` : ""}`;
}

const RULE = "=".repeat(40);

/**
 * The workflow status dashboard.
 *
 * @throws {InputError} when the state file or an attempts file is damaged.
 */
export async function statusDashboard(options: StatusOptions): Promise<string> {
  const { results, test, experiments, variants } = options;
  const state = await readWorkflowState(workflowStatePath(results, test));
  const lines = options.interrupted ? [RULE, "Workflow interrupted! Progress saved.", RULE, ""] : [RULE];
  lines.push(`Workflow Status Dashboard${test ? " (test mode)" : ""}`, RULE);
  const width = Math.max(...variants.map((variant) => variant.length));
  for (const { name, title } of experiments) {
    lines.push("", `${title}:`);
    for (const variant of variants) {
      const status = await readRunStatus(runFiles({ results, test, experiment: name, variant }));
      const plan = options.planned?.find((run) =>
        run.experiment.name === name && run.variant.name === variant
      );
      const line = status === null && plan !== undefined
        ? notStarted(plan.experiment)
        : statusLine(status, state[name]?.[variant]);
      lines.push(`  ${variant.padEnd(width)}  ${line}`);
    }
  }
  if (options.resume !== undefined) lines.push("", `To resume, re-run: ${options.resume}`);
  return lines.join("\n");
}
