/**
 * What a splice experiment begins with: files, or problems of our own.
 * @module
 */
import { dirname, join } from "node:path";
import { InputError } from "../base/errors.ts";
import { examineInputs, formatDoctor } from "./input_doctor.ts";
import { ownProblems } from "./own_problems.ts";
import { problemIds, type Sizes, type SpliceConfig } from "./splice_config.ts";
import { readSpliceData, type SpliceData } from "./splice_data.ts";
import { type Stage, STAGES } from "./splice_rows.ts";

/** What a splice experiment begins with, and what it has to find out. */
export interface SpliceMaterial {
  /** The problems, and what files say of them. */
  readonly data: SpliceData;
  /** What is done: recording, measuring, splicing, or the last of them. */
  readonly stages: readonly Stage[];
  /** Lines for people. */
  readonly notes: readonly string[];
}

/**
 * Reads the files that a config names, or draws problems of our own.
 *
 * @throws {InputError} when a file is missing or wrong, or the settings do not go together.
 */
export async function loadMaterial(config: SpliceConfig, sizes: Sizes): Promise<SpliceMaterial> {
  const { cotData, deltas, measureDeltas, problemsFile, problems } = config;
  if (cotData === null) {
    const given = Object.entries({ "--deltas": deltas, "--problems-file": problemsFile })
      .find(([, file]) => file !== null);
    if (given !== undefined) {
      throw new InputError(
        `${given[0]} ${given[1]} needs the recorded chains it belongs to: name them with --cot-data. ` +
          "To record chains on problems of your own: deno task record-cots --problems-file FILE.",
      );
    }
    const own = ownProblems(sizes.problems, config.seed);
    const data = { ...NO_FILES, problems: own };
    return {
      data,
      stages: STAGES,
      notes: [
        `problems: ${own.length} small sums of our own with a hint towards a wrong choice (seed ${config.seed})`,
      ],
    };
  }
  if (deltas === null && !measureDeltas) {
    throw new InputError(
      `${cotData} says what was reasoned, not how far each sentence moved the answer: give that with --deltas FILE, or ` +
        "measure it with --measure-deltas.",
    );
  }
  if (deltas !== null && measureDeltas) {
    throw new InputError(
      "--deltas and --measure-deltas: give one of them, what is known or what is to be measured.",
    );
  }
  const data = await readSpliceData({
    cotData: filesIn(cotData),
    deltas,
    problemsFile: problemsFile ?? await besides(cotData),
  });
  const ids = problemIds(problems);
  const missing = [...ids ?? []].filter((id) => !data.problems.some((problem) => problem.id === id));
  if (missing.length > 0) {
    const known = data.problems.slice(0, 12).map(({ id }) => id).join(", ");
    throw new InputError(
      `--problems ${missing.join(",")}: no such problem in ${cotData}. It has ${known}${
        data.problems.length > 12 ? ", ..." : ""
      }.`,
    );
  }
  return {
    data,
    stages: deltas === null ? ["deltas", "arms"] : ["arms"],
    notes: formatDoctor(examineInputs(data)).trimEnd().split("\n"),
  };
}

const NO_FILES: Omit<SpliceData, "problems"> = {
  sources: [],
  writers: new Map(),
  metadata: null,
  table: null,
  placement: null,
  prompts: null,
  clusters: [],
  dropped: [],
  notes: [],
};

function filesIn(list: string): string[] {
  return list.split(",").map((path) => path.trim()).filter((path) => path !== "");
}

/** The prompts that `record-cots` has written beside its chains; null where there are none. */
async function besides(cotData: string): Promise<string | null> {
  const [first, ...more] = filesIn(cotData);
  if (first === undefined || more.length > 0) return null;
  const path = join(dirname(first), "problems.json");
  return await Deno.stat(path).then(({ isFile }) => isFile, () => false) ? path : null;
}
