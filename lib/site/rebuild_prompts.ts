/**
 * The prompts of a run, built again from what its plan file says.
 * @module
 */
import { InputError, messageOf } from "../base/errors.ts";
import type { Attempt, Prompt, Row } from "../runs/experiment.ts";
import type { ExperimentKind, PlannedExperiment } from "../runs/experiment_kind.ts";
import { type FoundRun, readRunConfig } from "../runs/find_runs.ts";
import { planRuns } from "../runs/plan_runs.ts";

/** Builds prompts of one run. */
export interface PromptBuilder {
  /** The row's prompt, or why it cannot be shown. */
  build(id: string): Promise<Prompt | { readonly problem: string }>;
}

/**
 * Plans a run again by its own settings, as `--show ROW_ID` does, so that its prompts can be built; nothing is sent or
 * written. Rows that follow from answers are found again from `attempt`. Whatever stands in the way is a reason in place
 * of each prompt.
 */
export async function promptBuilder(
  run: FoundRun,
  kinds: readonly ExperimentKind[],
  attempt: (id: string) => Promise<Attempt | null> = () => Promise.resolve(null),
): Promise<PromptBuilder> {
  const problem = (text: string): PromptBuilder => ({ build: () => Promise.resolve({ problem: text }) });
  if (run.imported) return problem("Imported rows hold no recipe of their prompt.");
  const config = await readRunConfig(run.files);
  if (config === null) {
    return problem("The run's plan file is not there: start its command again to write it.");
  }
  try {
    // `results` would decide where a plan looks for what is done, `judge` which models must be there: no prompt needs them.
    const settings = {
      ...config,
      model: modelOf(config, run),
      results: run.files.folder,
      judge: null,
      shard: null,
      maxUsd: null,
    };
    for (const kind of kinds) {
      if (!specNames(kind, settings).includes(run.experiment)) continue;
      const planned = (await planRuns(kind, settings)).find(({ experiment, variant }) =>
        experiment.name === run.experiment && variant.name === run.variant
      );
      if (planned === undefined) continue;
      const { experiment } = planned;
      const rows = await allRows(experiment, attempt, planned.files.kept);
      return {
        async build(id) {
          const row = rows.get(id);
          if (row === undefined) {
            return {
              problem: "The plan has changed since (model, data or settings): this row is no longer in it.",
            };
          }
          try {
            return await experiment.prompt(row);
          } catch (error) {
            return { problem: `The prompt cannot be built again: ${messageOf(error)}` };
          }
        },
      };
    }
    return problem(`There is no kind of experiment for ${run.experiment}.`);
  } catch (error) {
    return problem(
      `The plan cannot be made again: ${error instanceof InputError ? error.message : messageOf(error)}`,
    );
  }
}

/** The rows of the plan, then those that follow from their answers, as the run itself came to them. */
async function allRows(
  experiment: PlannedExperiment,
  attempt: (id: string) => Promise<Attempt | null>,
  kept: string,
): Promise<Map<string, Row>> {
  const rows = new Map<string, Row>(experiment.rows.map((row) => [row.id, row]));
  const { signal } = new AbortController();
  for (let size = 0; experiment.more !== undefined && rows.size > size;) {
    size = rows.size;
    const tried = await Promise.all([...rows.values()].map(async (row) => {
      const last = await attempt(row.id);
      return { row, attempt: last, attempts: last?.attempt ?? 0, judgements: [] };
    }));
    for (const row of await experiment.more(tried, { signal, kept, judge: 0 })) {
      if (!rows.has(row.id)) rows.set(row.id, row);
    }
  }
  return rows;
}

/** One variant alone, where the settings name several; kinds that choose their own are asked as they were. */
function modelOf(config: Readonly<Record<string, unknown>>, run: FoundRun): string {
  const model = String(config["model"] ?? run.variant);
  return model.split(",").map((name) => name.trim()).includes(run.variant) ? run.variant : model;
}

function specNames(kind: ExperimentKind, settings: unknown): string[] {
  try {
    return kind.parse(settings).experiments.map(({ name }) => name);
  } catch {
    return []; // settings of another kind
  }
}
