/**
 * A sweep in the layout of the experiment: results, unsteered answers, and the answers of every point.
 * @module
 */
import { basename, extname } from "node:path";
import { readTextIfExists, writeAtomic } from "../base/files.ts";
import type { Json } from "../base/hash.ts";
import type { FilesContext } from "../runs/experiment.ts";
import { resultsExperiment } from "./extract_settings.ts";
import { layoutPath } from "./layout.ts";
import type { Method } from "./methods.ts";
import type { SweepConfig } from "./sweep_config.ts";
import { choosePoint, type SweepAnswer, type SweepPoint } from "./sweep_points.ts";
import { pointJson } from "./sweep_report.ts";
import type { SweepTrait } from "./sweep_trait.ts";

/** What the files are about. */
export interface SweepFilesAbout extends FilesContext {
  /** The settings. */
  readonly config: SweepConfig;
  /** The trait. */
  readonly trait: SweepTrait;
  /** The variant that was steered. */
  readonly variant: string;
}

/**
 * Writes `results.jsonl` (a line for each point; lines of other runs are kept), `responses/baseline.json` (answers
 * without steering) and a file of answers for each steered point.
 *
 * @returns their paths.
 * @throws {InputError} when they cannot be written.
 */
export async function writeSweepFiles(
  points: readonly SweepPoint[],
  about: SweepFilesAbout,
): Promise<readonly string[]> {
  const { config, trait, variant, results, run } = about;
  const place = {
    experiment: resultsExperiment(config),
    trait: trait.name,
    variant,
    position: config.position,
    promptSet: basename(config.promptSet, extname(config.promptSet)),
  };
  const chosen = choosePoint(points, config.coherentShare);
  const files: string[] = [];
  const write = async (path: string, content: Json) => {
    await writeAtomic(path, JSON.stringify(content, null, 2) + "\n");
    files.push(path);
  };
  const lines: string[] = [];
  for (const point of points) {
    const path = steeredFile(point, { ...place, component: config.component, results });
    const head = {
      run,
      ...pointJson(point),
      component: config.component,
      phase: config.phase,
      mode: config.mode,
    };
    if (path !== null) await write(path, { ...head, responses: point.answers.map(answerJson) });
    const kept = path === null && point.arm !== "baseline"
      ? { responses: point.answers.map(answerJson) }
      : {};
    lines.push(JSON.stringify({
      ...head,
      chosen: point === chosen,
      file: path === null
        ? null
        : path.slice(layoutPath({ kind: "steering", ...place }, { results }).length + 1),
      ...kept,
    }));
  }
  const unsteered = points.filter(({ arm }) => arm === "baseline").flatMap(({ answers }) => answers);
  await write(layoutPath({ kind: "steering_baseline_file", ...place }, { results }), {
    run,
    variant,
    trait: trait.name,
    responses: unsteered.map(answerJson),
  });
  const path = layoutPath({ kind: "steering_results_file", ...place }, { results });
  const others = (await readTextIfExists(path) ?? "").split("\n").filter((line) =>
    line !== "" && runOf(line) !== run
  );
  await writeAtomic(path, [...others, ...lines].join("\n") + "\n");
  return [...files, path];
}

/** The file of a steered point; null for unsteered ones, and for shuffled labels, which no method stands for. */
function steeredFile(
  { arm, method, layers, coef, answers }: SweepPoint,
  { results, ...place }: {
    readonly results: string;
    readonly experiment: string;
    readonly trait: string;
    readonly variant: string;
    readonly position: string;
    readonly promptSet: string;
    readonly component: SweepConfig["component"];
  },
): string | null {
  if (coef === null || arm === "shuffled") return null;
  const named: Method = arm === "random"
    ? "random_baseline"
    : method.includes("+")
    ? "ensemble"
    : method as Method;
  const first = answers.map(({ started }) => started).sort()[0] as string;
  return layoutPath({
    kind: "steering_response_file",
    ...place,
    method: named,
    layers: layers.split("+").map(Number),
    coef,
    time: new Date(first),
  }, { results });
}

function answerJson({ row, text, score, how, coherence }: SweepAnswer): Json {
  const { question, prompt, split } = row.params;
  const { coherent, fault, nll, deltaNll, repetition, compression } = coherence;
  return {
    id: row.id,
    question,
    prompt,
    split,
    response: text,
    score,
    scored_by: how,
    coherent,
    fault,
    nll,
    delta_nll: deltaNll,
    repetition,
    compression,
  };
}

/** The run that wrote a line; null when the line cannot be read: it is then left out. */
function runOf(line: string): unknown {
  try {
    return (JSON.parse(line) as { run?: unknown }).run ?? null;
  } catch {
    return null;
  }
}
