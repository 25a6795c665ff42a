/**
 * LongMemEval files of made-up questions, of any size.
 * @module
 */
import { join } from "node:path";
import { stringify } from "csv-stringify/sync";
import { writeAtomic } from "../../base/files.ts";
import type { Condition } from "../longmemeval_file.ts";
import { prose } from "../prose.ts";

/** What the files hold. */
export interface MemoryFilesOptions {
  /** Questions; every 25th is unanswerable. */
  readonly questions: number;
  /** Characters of the texts, about. */
  readonly chars: Readonly<Record<Condition, number>>;
}

/** A question's id, by its place. */
export function idOf(index: number): string {
  return `q${String(index).padStart(4, "0")}${index % 25 === 24 ? "_abs" : ""}`;
}

/** Writes both CSVs and `longmemeval_oracle.json` into a folder. @returns the texts of a condition by place. */
export async function writeMemoryFiles(
  folder: string,
  { questions, chars }: MemoryFilesOptions,
): Promise<(condition: Condition, index: number) => string> {
  const filler = prose(Math.max(chars.focused, chars.full) + 20_000, { seed: "memory files" });
  const textOf = (condition: Condition, index: number) =>
    `user: The "word" of ${idOf(index)} is word${index}.\r\n` +
    filler.slice(index * 60, index * 60 + chars[condition]) + `\n\nWhat is the word of ${idOf(index)}?`;
  for (const condition of ["focused", "full"] as const) {
    const lines = function* () {
      yield stringify([["custom_id", "question", "answer", `${condition}_prompt`, "token_count"]]);
      for (let i = 0; i < questions; i++) {
        const text = textOf(condition, i);
        // About what o200k_base counts.
        const tokens = Math.round(text.length / 5.15);
        const answer = idOf(i).endsWith("_abs") ? "This was never mentioned." : `word${i}`;
        yield stringify([[idOf(i), `What is the word of ${idOf(i)}?`, answer, text, tokens]], {
          quoted_match: /\r/,
        });
      }
    };
    await writeAtomic(join(folder, `cleaned_longmemeval_s_${condition}.csv`), lines());
  }
  const types = ["knowledge-update", "temporal-reasoning", "multi-session"];
  const records = Array.from({ length: questions }, (_, i) => ({
    question_id: idOf(i),
    question_type: types[i % 3],
    haystack_sessions: [[{ role: "user", content: `{"question_type": "no"} ${i}` }]],
  }));
  await writeAtomic(join(folder, "longmemeval_oracle.json"), JSON.stringify(records));
  return textOf;
}
