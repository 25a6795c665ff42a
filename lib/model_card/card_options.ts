/**
 * What every measurement of a card is told.
 * @module
 */
import type { GradedRow } from "../runs/experiment.ts";
import { finishedResults, type RunSequence } from "../runs/sequence.ts";

/** Options of every measurement of a card. */
export interface CardOptions {
  /** The variant to measure. */
  readonly model: string;
  /** A folder for the runs' files. */
  readonly results: string;
  /** Says how far it is. */
  readonly log?: (line: string) => void;
  /** Share of the usual size, for tests; 1 when left out. */
  readonly scale?: number;
}

/** The graded rows of a sequence of runs, one list for each run. @throws {InputError} as finishedResults does. */
export async function gradedRows(sequence: Pick<RunSequence, "done">): Promise<(readonly GradedRow[])[]> {
  return finishedResults(await sequence.done).map(({ rows }) => rows);
}
