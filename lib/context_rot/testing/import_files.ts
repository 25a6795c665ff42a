/**
 * Result files in the formats of other programs, made for tests.
 * @module
 */
import { join } from "node:path";
import { stringify } from "csv-stringify/sync";

/** Runs a test in a folder of its own. */
export async function inImportFolder(test: (folder: ImportFolder) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempDir();
  const write = async (name: string, text: string | Uint8Array) => {
    const file = join(path, name);
    if (typeof text === "string") await Deno.writeTextFile(file, text);
    else await Deno.writeFile(file, text);
    return file;
  };
  try {
    await test({
      path,
      results: join(path, "results"),
      text: write,
      csv: (name, rows) => write(name, csvText(rows)),
      lines: (name, rows) => write(name, rows.map((row) => JSON.stringify(row)).join("\n") + "\n"),
    });
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

/** A folder of files to import. */
export interface ImportFolder {
  /** The folder. */
  readonly path: string;
  /** A results folder inside it; not made yet. */
  readonly results: string;
  /** Writes a file. @returns its path. */
  text(name: string, text: string | Uint8Array): Promise<string>;
  /** Writes rows as CSV. @returns its path. */
  csv(name: string, rows: readonly Record<string, unknown>[]): Promise<string>;
  /** Writes rows as JSON lines. @returns its path. */
  lines(name: string, rows: readonly object[]): Promise<string>;
}

/** Rows as CSV text. */
export function csvText(rows: readonly Record<string, unknown>[]): string {
  return stringify(rows.map((row) => Object.values(row)) as string[][], {
    header: true,
    columns: Object.keys(rows[0] ?? {}),
    cast: { boolean: (value) => String(value) },
  });
}

const DEPTHS = Array.from({ length: 11 }, (_, i) => i * 10);

/** A needle grid as Chroma's program writes it: one row a cell. */
export function chromaNiah(
  lengths: readonly number[],
  right: (length: number, depth: number) => boolean,
): { evaluated: Record<string, unknown>[]; results: Record<string, unknown>[] } {
  const results = lengths.flatMap((length) =>
    DEPTHS.map((depth) => ({
      token_count: length + (depth % 3) - 1,
      approximate_input_length: length,
      needle_depth: depth,
      question: "What points north?",
      answer: "A compass, she said, is the thing that points north.",
      output: right(length, depth) ? "A compass." : "The document does not say.",
    }))
  );
  const evaluated = results.map((row, i) => ({
    ...row,
    token_count: 100,
    llm_judge_output: ["true", "True", " TRUE "][i % 3] as string,
  })).map((row) =>
    right(row.approximate_input_length, row.needle_depth) ? row : { ...row, llm_judge_output: "False" }
  );
  return { evaluated, results };
}

/** A row of a niah-v2 file. */
export interface NiahV2Row {
  readonly experiment_id: number;
  readonly context_length_chars: number;
  readonly needle_position: number;
  readonly trial: number;
  readonly [field: string]: unknown;
}

/** A niah-v2 run: 11 depths, 10 trials a depth; `change` gives each row what is not ordinary. */
export function niahV2(
  lengths: readonly number[],
  change: (row: { length: number; depth: number; trial: number; nth: number; tokens: number }) => {
    readonly right?: boolean;
    readonly [field: string]: unknown;
  } = () => ({}),
): NiahV2Row[] {
  let id = 0;
  return lengths.flatMap((length) =>
    DEPTHS.flatMap((depth) =>
      Array.from({ length: 10 }, (_, trial) => {
        const nth = DEPTHS.indexOf(depth) * 10 + trial;
        // Another text in every trial: counts are never quite the same.
        const tokens = Math.round(64 + length * (0.62 + trial / 1000)) + depth % 7;
        const { right = true, ...fields } = change({ length, depth, trial, nth, tokens });
        return {
          experiment_id: id++,
          model: "test:8b",
          variant: "traditional",
          context_length_chars: length,
          needle_position: depth / 100,
          trial,
          needle_id: `N0${trial % 5 + 1}`,
          question: "\u54EA\u88E1\uFF1F",
          expected_answer: "\u6771\u65B9",
          model_response: right ? "\u5728\u6771\u65B9\u3002" : "\u5728\u897F\u65B9\u3002",
          token_count_actual: tokens,
          token_count_prompt: tokens,
          token_count_output: 7,
          elapsed_seconds: 1.25,
          skipped: false,
          skip_reason: null,
          model_max_ctx: 131_072,
          evaluation: { exact_match: right, number_match: false, char_overlap: 1, is_correct: right },
          ...fields,
        };
      })
    )
  );
}

/** What the niah-v2 program writes for a row that it does not send. */
export const NIAH_V2_SKIPPED = {
  right: false,
  model_response: null,
  token_count_prompt: null,
  token_count_output: null,
  elapsed_seconds: 0,
  skipped: true,
  skip_reason: "context_length_exceeded",
} as const;
