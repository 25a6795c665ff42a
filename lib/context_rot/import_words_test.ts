import assert from "node:assert/strict";
import fc from "fast-check";
import { InputError } from "../base/errors.ts";
import type { ImportOptions } from "./import_run.ts";
import { wordsIn } from "./import_words.ts";
import { importRepeatedWords } from "./import_words_run.ts";
import { standardPositions } from "./repeated_words_grid.ts";
import type { WordPair } from "./repeated_words_pairs.ts";
import { goldText } from "./repeated_words_prompt.ts";
import { inImportFolder } from "./testing/import_files.ts";

const APPLES: WordPair = { base: "apple", modified: "apples" };

/** Rows as Chroma's program writes them. */
function chromaWords(
  pair: WordPair,
  counts: readonly number[],
  output: (gold: string, count: number, position: number) => string,
) {
  return counts.flatMap((count) =>
    standardPositions(count).map((position) => {
      const gold = goldText({ pair, count, position });
      return {
        id: `${count}_${position}`,
        gold,
        token_count: count + 14,
        max_output_tokens: 2 * (count + 14),
        output: output(gold, count, position),
      };
    })
  );
}

const imported = async (path: string, more: Partial<ImportOptions> = {}) => {
  const runs = await importRepeatedWords({
    from: [path],
    as: "chroma-repeated-words",
    results: "unused",
    ...more,
  });
  const [run] = runs;
  assert.ok(run);
  return { runs, run, notes: run.notes.join("\n"), text: run.report.summary };
};

Deno.test("importRepeatedWords() measures Chroma's copies as ours, and tells loops to the cap from wrong copies", () =>
  inImportFolder(async (folder) => {
    const rows = chromaWords(
      APPLES,
      [25, 100],
      (gold, count, position) =>
        count === 25 ? gold : position === 0
          ? "apple ".repeat(230).trim() // to the cap
          : position === 1
          ? "I can't help with that."
          : position === 2
          ? ""
          : position === 3
          ? "ERROR_TIMEOUT: Request exceeded 500s"
          : position < 50
          ? gold.replace("apples", "apple")
          : `${gold}\n`,
    );
    const { run, notes, text } = await imported(
      await folder.csv("gpt_x_repeated_words_apple_apples.csv", rows),
    );
    assert.equal(run.experiment, "repeated-words-apple-apples");
    assert.equal(run.label, "gpt_x");
    const classes = run.rows.filter(({ row }) => row.params["word_count"] === 100).map(({ grade }) =>
      grade?.validity
    );
    assert.deepEqual(classes.slice(0, 4), ["degenerate", "refused", "degenerate", "error"]);
    assert.equal(classes.filter((name) => name === "wrong").length, 46);
    assert.equal(classes.filter((name) => name === "correct").length, 50);
    assert.match(notes, /1 output is as long as the cap allows/);
    assert.match(text, /imported from gpt_x_repeated_words_apple_apples.csv; right is an exact copy/);
    assert.deepEqual(Object.keys(run.report.figures).sort(), [
      "levenshtein_score",
      "modified_word_present",
      "position_accuracy",
      "token_count_performance",
      "word_count_delta",
    ]);
    const score = run.rows.find(({ row }) => row.params["word_count"] === 100 && row.params["position"] === 0)
      ?.grade?.extra;
    assert.ok(Number(score?.["levenshtein_score_cut"]) > 0.9 && Number(score?.["levenshtein_score"]) < 0.6);
  }));

Deno.test("importRepeatedWords() compares an evaluated file's own measures, and says what it leaves out", () =>
  inImportFolder(async (folder) => {
    const rows = chromaWords(APPLES, [25], (gold) => gold).slice(1).map((row, i) => ({
      ...row,
      num_words: 25,
      index: i + 1,
      levenshtein_score: i === 0 ? 0.5 : 1,
      modified_word_present: "True",
      correct_position: "True",
      delta: 0,
      common_word: "apple",
      modified_word: "apples",
    }));
    const { notes, run } = await imported(await folder.csv("evaluated_results.csv", rows));
    assert.match(notes, /1 of the 25 places of these 1 lengths are not in the file/);
    assert.match(notes, /their levenshtein_score is ours on 23 of 24 rows/);
    assert.match(notes, /their modified_word_present is ours on 24 of 24 rows/);
    assert.match(notes, /their delta is ours on 24 of 24 rows/);
    assert.equal(run.rows[0]?.row.params["source_levenshtein_score"], "0.5");
  }));

Deno.test("importRepeatedWords() tells the pairs of one file apart, phrases included", () =>
  inImportFolder(async (folder) => {
    const phrase = { base: "Golden Gate Bridge", modified: "Golden Gate Park" };
    const rows = [...chromaWords(APPLES, [25], (gold) => gold), ...chromaWords(phrase, [50], (gold) => gold)];
    const { runs } = await imported(await folder.csv("two.csv", rows));
    assert.deepEqual(runs.map(({ experiment, rows }) => [experiment, rows.length]), [
      ["repeated-words-apple-apples", 25],
      ["repeated-words-golden-gate-bridge-golden-gate-park", 50],
    ]);
  }));

Deno.test("importRepeatedWords() refuses texts that are none, and rows that do not say where the word stands", () =>
  inImportFolder(async (folder) => {
    const good = chromaWords(APPLES, [25], (gold) => gold)[3] as Record<string, unknown>;
    for (
      const [name, row, message] of [
        ["a.csv", { ...good, gold: "apple banana apples cherry" }, /a.csv, line 2: the text is not 25 words/],
        ["b.csv", { ...good, id: "x" }, /does not say how many words/],
        ["c.csv", { ...good, id: "25_25" }, /place 25 of 25 words/],
        ["d.csv", { ...good, gold: " " }, /no text that was to be copied/],
        ["e.csv", { custom_id: "1", output: "x" }, /looks like LongMemEval results/],
      ] as const
    ) {
      await assert.rejects(imported(await folder.csv(name, [row])), (error) => {
        assert.ok(error instanceof InputError, String(error));
        assert.match(error.message, message);
        return true;
      });
    }
  }));

Deno.test("wordsIn() reads any pair of words or phrases out of its text", () => {
  const phrase = fc.array(fc.stringMatching(/^[a-zA-Z]{1,6}$/), { minLength: 1, maxLength: 3 }).map((words) =>
    words.join(" ")
  );
  fc.assert(
    fc.property(phrase, phrase, fc.integer({ min: 3, max: 40 }), fc.nat(), (base, modified, count, n) => {
      fc.pre(base !== modified);
      const position = n % count;
      const gold = goldText({ pair: { base, modified }, count, position });
      const found = wordsIn(gold, { count, position });
      assert.ok(found !== null);
      assert.equal(goldText({ pair: found, count, position }), gold);
    }),
  );
});
