/**
 * Repeated words runs of other programs, measured, audited and drawn as ours are.
 * @module
 */
import { basename } from "node:path";
import { loadO200k } from "../backends/tokenizers.ts";
import type { GradedRow } from "../runs/experiment.ts";
import { median } from "./import_counts.ts";
import { gradeImported } from "./import_graded.ts";
import { labelOf } from "./import_label.ts";
import { readWordsRuns, type WordsSource, type WordsSourceRow } from "./import_words.ts";
import type { ImportedRun, ImportOptions } from "./import_run.ts";
import { repeatedWordsName } from "./repeated_words.ts";
import { copyVerdict } from "./repeated_words_grade.ts";
import { relativePosition } from "./repeated_words_grid.ts";
import { measureCopies } from "./repeated_words_measure.ts";
import { pairName } from "./repeated_words_pairs.ts";
import { repeatedWordsReport } from "./repeated_words_report.ts";

/** Reads, measures and draws the runs of some files, one for each pair of words. Writes nothing. */
export async function importRepeatedWords(options: ImportOptions): Promise<ImportedRun[]> {
  const sources = await readWordsRuns(options.from, {
    mapping: options.mapping ?? {},
    where: options.where ?? {},
  });
  const runs: ImportedRun[] = [];
  for (const source of sources) runs.push(await oneRun(source, options));
  return runs;
}

/** From this share of the cap on, an output whose tokens we counted ourselves was stopped by it. */
const AT_CAP = 0.98;

async function oneRun(source: WordsSource, options: ImportOptions): Promise<ImportedRun> {
  const { pair } = source;
  const stopped = await atCap(source.rows);
  const lengths = new Map(
    [...Map.groupBy(source.rows, (row) => row.count)].map((
      [count, rows],
    ) => [count, median(rows.flatMap((row) => row.sent ?? [])) ?? count]),
  );
  const answered = source.rows.filter((row) => row.output !== null && row.error === null);
  const metrics = await measureCopies(
    answered.map(({ count, position, output }) => ({
      spec: { pair, count, position },
      output: output ?? "",
    })),
    { kept: null },
  );
  const measured = new Map(answered.map((row, i) => [row, metrics[i]]));
  const rows = gradeImported(
    source.rows.map((row) => {
      const measures = measured.get(row);
      return {
        fields: stopped.has(row) ? { ...row, finish: row.finish ?? "length" } : row,
        key: [pairName(pair), row.count, row.position],
        params: {
          base_word: pair.base,
          modified_word: pair.modified,
          word_count: row.count,
          position: row.position,
          relative_position: Number(relativePosition(row.position, row.count).toFixed(6)),
        },
        length: lengths.get(row.count) ?? row.count,
        sent: row.sent,
        ...(measures === undefined ? {} : { verdict: copyVerdict(measures, row.output ?? "") }),
      };
    }),
    {
      judge: "match",
      match: true,
      accept: [],
      exact: false,
      window: options.window ?? null,
      maxOutput: options.maxOutputTokens ?? null,
    },
  );
  const label = options.variant ?? source.rows[0]?.model ?? labelOf(source.rows[0]?.file ?? "run");
  const counts = [...lengths.keys()].sort((a, b) => a - b);
  const files = [...new Set(source.files.map(({ path }) => basename(path)))].join(" and ");
  const report = await repeatedWordsReport(rows, {
    config: { seed: 0 },
    variant: { name: label, backend: "api" },
    pair,
    grid: { counts: counts.map((count) => ({ count, positions: [] })) },
    source: `imported from ${files}`,
  });
  return {
    experiment: repeatedWordsName(pair),
    label,
    stem: label,
    suffix: "",
    layout: { figureFolder: true },
    rows,
    report,
    notes: [...source.notes, ...notesOf(source, rows, stopped.size)],
    files: source.files,
  };
}

/** Rows whose output is as long as its cap allows, by our own count where the file has none. */
async function atCap(rows: readonly WordsSourceRow[]): Promise<Set<WordsSourceRow>> {
  const tokenizer = await loadO200k();
  return new Set(rows.filter(({ output, completion, finish, maxOutput }) => {
    if (output === null || maxOutput === null || finish !== null) return false;
    // A token has at least one character: shorter outputs cannot have reached the cap.
    if (completion === null && output.length < AT_CAP * maxOutput) return false;
    return (completion ?? tokenizer.count(output)) >= AT_CAP * maxOutput;
  }));
}

function notesOf(source: WordsSource, rows: readonly GradedRow[], stopped: number): string[] {
  const notes: string[] = [];
  if (stopped > 0) {
    notes.push(
      `${stopped} output${
        stopped === 1 ? " is" : "s are"
      } as long as the cap allows (counted with o200k_base): taken as ` +
        `stopped by it`,
    );
  }
  for (
    const [theirs, ours] of [
      ["levenshtein_score", "levenshtein_score"],
      ["modified_word_present", "modified_word_present"],
      ["correct_position", "position_accuracy"],
      ["delta", "word_count_delta"],
    ] as const
  ) {
    let same = 0, both = 0;
    for (const { row, grade } of rows) {
      const said = row.params[`source_${theirs}`];
      const own = grade?.extra?.[ours];
      if (said === undefined || said === null || own === undefined || own === null) continue;
      both++;
      const number = Number(said);
      if (
        typeof own === "number" ? Math.abs(number - own) < 1e-6 : String(said).toLowerCase() === String(own)
      ) same++;
    }
    if (both > 0) notes.push(`their ${theirs} is ours on ${same} of ${both} rows`);
  }
  if (!source.rows.some((row) => row.reported !== null)) {
    notes.push("the files hold no token counts of the server: a cut prompt could not be seen");
  }
  return notes;
}
