/**
 * What is wrong or worth knowing about the inputs of a splice experiment, before anything is sampled.
 * @module
 */
import { compareIds } from "./input_text.ts";
import { UNMEASURED_FIRST } from "./place_effects.ts";
import type { SpliceData, SpliceSource } from "./splice_data.ts";
import type { Cluster } from "./duplicates.ts";
import type { Dropped } from "./source_problems.ts";

/** What is looked at. */
export type DoctorCheck =
  | "ids"
  | "sentences"
  | "reasoning"
  | "duplicates"
  | "baseline"
  | "copies"
  | "rates"
  | "samples"
  | "prompts"
  | "dropped";

/** One thing that was found. */
export interface DoctorFinding {
  /** What was looked at. */
  readonly check: DoctorCheck;
  /** `ok`: nothing wrong. `note`: worth knowing. `warning`: rows are left out, or results would mislead. */
  readonly level: "ok" | "note" | "warning";
  /** Numbers and what they mean, for people. */
  readonly text: string;
  /** Ids of the problems it is about; empty when it is about all. */
  readonly problems: readonly string[];
}

/** Counts of the inputs. */
export interface DoctorFacts {
  /** Problems with recorded reasoning. */
  readonly problems: number;
  /** Rows in the table of deltas, used or not. */
  readonly rows: number;
  /** Problems in the table. */
  readonly tableProblems: number;
  /** Problems in the table whose reasoning is there. */
  readonly withReasoning: number;
  /** Problems in the table without reasoning. */
  readonly withoutReasoning: readonly string[];
  /** Rows whose problem has reasoning. */
  readonly compared: number;
  /** Of these, rows whose sentence stands at its index. */
  readonly atIndex: number;
  /** Rows whose sentence stands at another index: `problem:sentence`. */
  readonly drifted: readonly string[];
  /** Groups of ids of the table (of all problems without one) that are the same problem. */
  readonly duplicates: readonly (readonly string[])[];
  /** Different chains among the problems of the table. */
  readonly distinct: number;
  /** Problems whose first sentence has no measured rate before it. */
  readonly unmeasured: readonly string[];
  /** Rows that repeat a converged rate. */
  readonly copied: number;
  /** Problems with such rows. */
  readonly copiedProblems: number;
  /** Rows whose rate before is not the rate after the sentence before. */
  readonly chainBreaks: number;
  /** Rows whose rate is no multiple of 1/50. */
  readonly unevenRates: number;
}

/** The doctor's report. */
export interface DoctorReport {
  /** The files. */
  readonly sources: readonly SpliceSource[];
  /** Counts. */
  readonly facts: DoctorFacts;
  /** What was found, in the order of {@linkcode DoctorCheck}. */
  readonly findings: readonly DoctorFinding[];
  /** Problems that are the same. */
  readonly clusters: readonly Cluster[];
  /** Every row, chain and problem that is not used, with its reason. */
  readonly dropped: readonly Dropped[];
}

/** Looks through joined inputs. */
export function examineInputs(data: SpliceData): DoctorReport {
  const facts = factsOf(data);
  const findings = [
    ...idFindings(data, facts),
    ...sentenceFindings(data, facts),
    ...chainFindings(data, facts),
    ...rateFindings(data, facts),
    ...promptFindings(data),
    ...droppedFindings(data),
  ];
  return { sources: data.sources, facts, findings, clusters: data.clusters, dropped: data.dropped };
}

function factsOf({ problems, table, placement, clusters }: SpliceData): DoctorFacts {
  const rows = table?.rows ?? [];
  const ids = [...new Set(rows.map(({ problem }) => problem))];
  const subject = new Set(table === null ? problems.map(({ id }) => id) : ids);
  const duplicates = clusters.map((cluster) => cluster.problems.filter((id) => subject.has(id)))
    .filter((group) => group.length > 1);
  const placed = placement?.placed ?? [];
  const withReasoning = new Set(placement?.chains.keys() ?? []);
  const copied = rows.filter((row) => row.copied);
  return {
    problems: problems.length,
    rows: table?.records ?? 0,
    tableProblems: ids.length,
    withReasoning: withReasoning.size,
    withoutReasoning: placement?.withoutReasoning ?? [],
    compared: rows.filter(({ problem }) => withReasoning.has(problem)).length,
    atIndex: placed.filter(({ drift }) => drift === 0).length,
    drifted: placed.filter(({ drift }) => drift !== 0).map(({ effect, drift }) =>
      `${effect.problem}:${effect.sentence - drift}`
    ),
    duplicates,
    distinct: subject.size - duplicates.reduce((sum, group) => sum + group.length - 1, 0),
    unmeasured: [
      ...rows.filter((row) => !row.beforeMeasured).map(({ problem }) => problem),
      ...(placement?.dropped ?? []).filter(({ reason }) => reason === UNMEASURED_FIRST)
        .flatMap(({ problem }) => problem ?? []),
    ],
    copied: copied.length,
    copiedProblems: new Set(copied.map(({ problem }) => problem)).size,
    chainBreaks: table?.chainBreaks.length ?? 0,
    unevenRates: table?.unevenRates ?? 0,
  };
}

function idFindings({ table, placement }: SpliceData, facts: DoctorFacts): DoctorFinding[] {
  if (table === null || placement === null) {
    const text =
      `${facts.problems} problems with recorded reasoning and no table of deltas: measure them first.`;
    return [{ check: "ids", level: "note", text, problems: [] }];
  }
  const other = [...placement.joinedByText];
  const found: DoctorFinding[] = [{
    check: "ids",
    level: other.length > 0 ? "warning" : "ok",
    text:
      `${facts.tableProblems} problems in the table, ${facts.withReasoning} of them joined to recorded reasoning ` +
      `(${facts.withReasoning - other.length} by id, ${other.length} by their sentences).`,
    problems: [],
  }];
  if (other.length > 0) {
    const pairs = other.slice(0, 8).map(([id, chain]) => `${id} is ${chain}`).join(", ");
    found.push({
      check: "ids",
      level: "warning",
      text: `The files number problems differently: ${pairs}${
        other.length > 8 ? ", ..." : ""
      }. Joined by sentences.`,
      problems: other.map(([id]) => id),
    });
  }
  return found;
}

function sentenceFindings({ table, placement }: SpliceData, facts: DoctorFacts): DoctorFinding[] {
  if (table === null || placement === null || facts.compared === 0) return [];
  const { atIndex, compared, drifted } = facts;
  const lost = compared - atIndex - drifted.length;
  const text = `${atIndex} of ${compared} sentences stand at their published index` +
    (drifted.length > 0
      ? `, ${drifted.length} at another (${someOf(drifted)}), taken where they stand`
      : "") +
    (lost > 0 ? `, ${lost} nowhere, left out` : "") + ".";
  return [{
    check: "sentences",
    level: atIndex === compared ? "ok" : "warning",
    text,
    problems: [...new Set(drifted.map((key) => key.split(":")[0] as string))],
  }];
}

function chainFindings(data: SpliceData, facts: DoctorFacts): DoctorFinding[] {
  const { withoutReasoning, duplicates, distinct } = facts;
  const found: DoctorFinding[] = [];
  const what = data.table === null ? "problems" : "problems of the table";
  if (data.table !== null) {
    found.push({
      check: "reasoning",
      level: withoutReasoning.length > 0 ? "warning" : "ok",
      text: withoutReasoning.length === 0
        ? "Every problem of the table has reasoning."
        : `${withoutReasoning.length} ${what} have no reasoning: ${
          someOf(withoutReasoning)
        }. They cannot be spliced.`,
      problems: withoutReasoning,
    });
  }
  const pairs = duplicates.map((group) => group.join(" = "));
  found.push({
    check: "duplicates",
    level: duplicates.length > 0 ? "warning" : "ok",
    text: duplicates.length === 0
      ? `All ${distinct} ${what} are different.`
      : `${duplicates.length} groups of ${what} are the same problem under several numbers: ${
        pairs.join(", ")
      }. They ` +
        `count once: ${distinct} distinct chains.`,
    problems: duplicates.flat(),
  });
  const repeated = data.problems.flatMap(({ id, chains }) => {
    const texts = new Set(chains.map(({ arm, reasoning }) => `${arm}\n${reasoning}`));
    return texts.size < chains.length ? [`${id} (${chains.length - texts.size} of ${chains.length})`] : [];
  });
  if (repeated.length > 0) {
    found.push({
      check: "samples",
      level: "warning",
      text: `Samples of a problem repeat each other byte for byte, as a cache of responses would make them: ${
        someOf(repeated)
      }.`,
      problems: repeated.map((key) => key.split(" ")[0] as string),
    });
  }
  return found;
}

function rateFindings({ table }: SpliceData, facts: DoctorFacts): DoctorFinding[] {
  if (table === null) return [];
  const { unmeasured, copied, copiedProblems, chainBreaks, unevenRates } = facts;
  const firsts = table.rows.filter(({ sentence }) => sentence === 0).length;
  const artefacts =
    table.rows.filter(({ beforeMeasured, stated }) => !beforeMeasured && (stated ?? 0) >= 0.5).length;
  const found: DoctorFinding[] = [{
    check: "baseline",
    level: unmeasured.length > 0 ? "warning" : "ok",
    text: unmeasured.length === 0
      ? `All ${firsts} first sentences are compared with a measured rate without a prefix.`
      : `${unmeasured.length} first sentences, of ${facts.tableProblems} problems, have no measured rate before them (missing, or taken as ` +
        `0): their deltas are artefacts (${artefacts} would reach 0.5) and are never selected. Measure with --measure-deltas.`,
    problems: [...new Set(unmeasured)],
  }];
  if (copied > 0) {
    found.push({
      check: "copies",
      level: "note",
      text:
        `${copied} rows of ${copiedProblems} problems repeat a rate of 49 of 50 or more to the end of their chain: ` +
        `sampling stopped there and the value was copied. They count as not measured.`,
      problems: [],
    });
  }
  if (chainBreaks > 0) {
    found.push({
      check: "rates",
      level: "warning",
      text: `${chainBreaks} rows are compared with another rate than that of the sentence before them: ${
        someOf(table.chainBreaks)
      }.`,
      problems: [...new Set(table.chainBreaks.map((key) => key.split(":")[0] as string))],
    });
  }
  if (unevenRates > 0) {
    found.push({
      check: "rates",
      level: "note",
      text:
        `${unevenRates} rates are no multiples of 1/50: answers that could not be read are not counted, so that n differs.`,
      problems: [],
    });
  }
  return found;
}

function promptFindings({ problems, prompts }: SpliceData): DoctorFinding[] {
  const found: DoctorFinding[] = [];
  if (prompts !== null) {
    const { byId, byQuestion, missing } = prompts;
    found.push({
      check: "prompts",
      level: byQuestion.length + missing.length > 0 ? "warning" : "ok",
      text: `Prompts were found for ${byId.length} problems by id` +
        (byQuestion.length > 0
          ? `, for ${byQuestion.length} by their question, because their id is another problem in that file`
          : "") +
        (missing.length > 0 ? `, for ${missing.length} not at all (${someOf(missing)})` : "") + ".",
      problems: [...byQuestion.map(({ problem }) => problem), ...missing],
    });
  }
  const unhinted = problems.filter(({ hintedPrompt }) => hintedPrompt === null).map(({ id }) => id);
  if (unhinted.length > 0) {
    found.push({
      check: "prompts",
      level: "note",
      text:
        `${unhinted.length} problems have no prompt with the hint, so that they have no arms under it: give prompts ` +
        `with --problems-file. Without it the question itself is the prompt.`,
      problems: unhinted,
    });
  }
  return found;
}

function droppedFindings({ dropped, notes }: SpliceData): DoctorFinding[] {
  const reasons = Map.groupBy(dropped, ({ reason }) => reason.replace(/^row \d+: /, ""));
  return [
    ...[...reasons].map(([reason, group]): DoctorFinding => {
      const ids = [...new Set(group.flatMap(({ problem }) => problem ?? []))].sort(compareIds);
      return {
        check: "dropped",
        level: "warning",
        text: `${group.length} left out: ${reason} (${someOf(ids)}).`,
        problems: ids,
      };
    }),
    ...notes.map((text): DoctorFinding => ({ check: "dropped", level: "note", text, problems: [] })),
  ];
}

function someOf(items: readonly string[]): string {
  return items.slice(0, 8).join(", ") + (items.length > 8 ? ` and ${items.length - 8} more` : "");
}

/** The report for people: the files, then a line for each finding. */
export function formatDoctor({ sources, findings }: DoctorReport): string {
  const marks = { ok: "  ok  ", note: " note ", warning: " WARN " };
  return [
    "Inputs",
    ...sources.map(({ path, kind, records }) => `  ${path}: ${kind}, ${records} records`),
    ...findings.map(({ check, level, text }) => `[${marks[level]}] ${check.padEnd(10)} ${text}`),
  ].join("\n");
}
