/**
 * All inputs of a splice experiment, read and joined.
 * @module
 */
import { dirname, join } from "node:path";
import { InputError } from "../base/errors.ts";
import { readTextIfExists } from "../base/files.ts";
import { readCotResponses } from "./cot_responses.ts";
import { type DeltaTable, readDeltaTable } from "./delta_table.ts";
import { type Cluster, clusterProblems } from "./duplicates.ts";
import { compareIds, parseJson, readInputText } from "./input_text.ts";
import { placeEffects, type Placement } from "./place_effects.ts";
import { type JoinedPrompts, joinPrompts, readProblemsFile } from "./problems_file.ts";
import type { Dropped, SourceProblems } from "./source_problems.ts";
import { isThoughtBranches, readThoughtBranches } from "./thought_branches.ts";
import type { SpliceProblem } from "./types.ts";

/** Where the inputs are. */
export interface SpliceInputs {
  /** Files of recorded reasoning: `cot_responses.json` or those of thought-branches. */
  readonly cotData: readonly string[];
  /** Table of deltas; null when they are still to be measured. */
  readonly deltas?: string | null;
  /** Prompts as they were sent; null where the recorded reasoning has them. */
  readonly problemsFile?: string | null;
}

/** A file that was read. */
export interface SpliceSource {
  /** Where it is. */
  readonly path: string;
  /** What it holds. */
  readonly kind: SourceProblems["kind"] | "deltas" | "problems";
  /** Records or rows in it. */
  readonly records: number;
  /** SHA-256 of its bytes. */
  readonly sha256: string;
}

/** The inputs, joined. */
export interface SpliceData {
  /** The files. */
  readonly sources: readonly SpliceSource[];
  /** The problems, each once, by id. */
  readonly problems: readonly SpliceProblem[];
  /** The model that wrote the chains, by problem, where a file says it. */
  readonly writers: ReadonlyMap<string, string>;
  /** What `metadata.json` beside the recorded reasoning says; null where there is none. */
  readonly metadata: Readonly<Record<string, unknown>> | null;
  /** The table of deltas; null without one. */
  readonly table: DeltaTable | null;
  /** Its rows, placed in the chains; null without one. */
  readonly placement: Placement | null;
  /** How the problems file was joined; null without one. */
  readonly prompts: JoinedPrompts | null;
  /** Problems that are the same under several ids. */
  readonly clusters: readonly Cluster[];
  /** Everything that is not used, each with its reason. */
  readonly dropped: readonly Dropped[];
  /** What else a reader should know. */
  readonly notes: readonly string[];
}

/**
 * Reads and joins the inputs. Nothing is sent to a model.
 *
 * @throws {InputError} when a file cannot be read or is not of a known form, or no problem can be used.
 */
export async function readSpliceData(inputs: SpliceInputs): Promise<SpliceData> {
  if (inputs.cotData.length === 0) {
    throw new InputError("No recorded reasoning was given: name a file with --cot-data.");
  }
  const sources: SpliceSource[] = [], dropped: Dropped[] = [], notes: string[] = [];
  const problems = new Map<string, SpliceProblem>();
  const writers = new Map<string, string>();
  let metadata: SpliceData["metadata"] = null;
  for (const path of inputs.cotData) {
    const file = await readInputText(path, "--cot-data");
    const value = parseJson(file);
    const found = isThoughtBranches(value) ? readThoughtBranches(value, path) : readCotResponses(value, path);
    sources.push({ path, kind: found.kind, records: found.records, sha256: file.sha256 });
    dropped.push(...found.dropped);
    const twice = found.problems.filter((problem) => {
      const known = problems.get(problem.id);
      if (known === undefined) problems.set(problem.id, problem);
      return known !== undefined && !sameHinted(known, problem);
    }).map(({ id }) => id);
    if (twice.length > 0) {
      throw new InputError(
        `${path} holds other reasoning than the file before it for the problems ${
          twice.slice(0, 8).join(", ")
        }` +
          `${twice.length > 8 ? ", ..." : ""}: their ids are not the same problems. Use these files apart.`,
      );
    }
    for (const [id, writer] of found.writers) writers.set(id, writer);
    metadata ??= await readMetadata(join(dirname(path), "metadata.json"), notes);
  }
  if (problems.size === 0) {
    const why = dropped.slice(0, 3).map(({ problem, reason }) => `${problem}: ${reason}`).join("; ");
    throw new InputError(
      `${inputs.cotData.join(", ")}: no problem can be used${why === "" ? "" : ` (${why})`}.`,
    );
  }
  let list = [...problems.values()].sort((a, b) => compareIds(a.id, b.id));
  let prompts: JoinedPrompts | null = null;
  if (inputs.problemsFile) {
    const file = await readInputText(inputs.problemsFile, "--problems-file");
    const entries = readProblemsFile(parseJson(file), inputs.problemsFile);
    sources.push({ path: file.path, kind: "problems", records: entries.length, sha256: file.sha256 });
    prompts = joinPrompts(list, entries);
    list = [...prompts.problems];
  }
  let table: DeltaTable | null = null;
  let placement: Placement | null = null;
  if (inputs.deltas) {
    const file = await readInputText(inputs.deltas, "--deltas");
    table = readDeltaTable(file);
    sources.push({ path: file.path, kind: "deltas", records: table.records, sha256: file.sha256 });
    placement = placeEffects(table.rows, list, inputs.deltas);
    dropped.push(...table.dropped, ...placement.dropped);
  }
  const clusters = clusterProblems(list, table?.rows ?? []);
  return { sources, problems: list, writers, metadata, table, placement, prompts, clusters, dropped, notes };
}

function sameHinted(a: SpliceProblem, b: SpliceProblem): boolean {
  const key = ({ question, hinted, correct, chains }: SpliceProblem) =>
    JSON.stringify([question, hinted, correct, chains.filter(({ arm }) => arm === "hinted")]);
  return key(a) === key(b);
}

async function readMetadata(path: string, notes: string[]): Promise<SpliceData["metadata"]> {
  const text = await readTextIfExists(path);
  if (text === undefined) return null;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
  } catch {
    // Said below: nothing of the experiment depends on it.
  }
  notes.push(`${path} is no JSON object and is left out.`);
  return null;
}
