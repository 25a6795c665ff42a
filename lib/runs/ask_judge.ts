/**
 * The rounds of questions that a judge is asked.
 * @module
 */
import type { AttemptStore } from "./attempts.ts";
import type { Experiment, GradableRow, Judgement, JudgeRow, Row } from "./experiment.ts";
import { countRows } from "./runner.ts";

/** What the judge said. */
export interface Judged {
  /** Its answers by the id of the row that is judged. */
  readonly judgements: ReadonlyMap<string, readonly Judgement[]>;
  /** Questions that ended in an error. */
  readonly errors: number;
  /** Ids of all questions. */
  readonly asked: readonly string[];
}

/**
 * Asks an experiment for judge rows, has those sent that are not answered yet, and goes on until there is no further
 * question.
 *
 * @param options.gradable the rows with the judgements so far.
 * @param options.send sends the rows of a round that are not done; what it throws ends the rounds.
 */
export async function askJudge<R extends Row>(options: {
  readonly judgeRows: NonNullable<Experiment<R>["judgeRows"]>;
  readonly gradable: (judgements: ReadonlyMap<string, readonly Judgement[]>) => readonly GradableRow<R>[];
  readonly store: Pick<AttemptStore, "state" | "read">;
  readonly send: (round: readonly JudgeRow[]) => Promise<void>;
}): Promise<Judged> {
  const { judgeRows, gradable, store, send } = options;
  const judgements = new Map<string, Judgement[]>();
  const asked = new Map<string, JudgeRow>();
  for (;;) {
    const round = judgeRows(gradable(judgements)).filter((row) => !asked.has(row.id));
    if (round.length === 0) break;
    for (const row of round) asked.set(row.id, row);
    const { pending, errors } = countRows(round, store);
    if (pending + errors > 0) await send(round);
    for (const row of round) {
      const attempt = store.read(row.id);
      if (attempt?.status === "done") {
        judgements.set(row.of, [...judgements.get(row.of) ?? [], { row, attempt }]);
      }
    }
  }
  return { judgements, errors: countRows([...asked.values()], store).errors, asked: [...asked.keys()] };
}
