import assert from "node:assert/strict";
import { InputError } from "../base/errors.ts";
import type { ImportKind } from "./import_fields.ts";
import { importNiah } from "./import_niah_run.ts";
import type { ImportOptions } from "./import_run.ts";
import {
  chromaNiah,
  csvText,
  type ImportFolder,
  inImportFolder,
  NIAH_V2_SKIPPED,
  niahV2,
} from "./testing/import_files.ts";

const options = (from: readonly string[], more: Partial<ImportOptions> = {}): ImportOptions => ({
  from,
  as: "chroma-niah",
  results: "unused",
  ...more,
});

interface Published {
  readonly correct: number;
  readonly n: number;
  readonly skipped: number;
  readonly unjudged: number;
  readonly by_length: Record<string, { correct: number; n: number; wilson95: [number, number] }>;
  readonly by_depth: Record<string, { correct: number; n: number }>;
  readonly valid_by_length: Record<string, { correct: number; n: number }>;
}

async function imported(from: readonly string[], more: Partial<ImportOptions> = {}) {
  const runs = await importNiah(options(from, more));
  const run = runs[0];
  assert.ok(run);
  const { published } = run.report.statistics as unknown as { published: Published };
  return { runs, run, published, text: run.report.summary, notes: run.notes.join("\n") };
}

const refused = (work: Promise<unknown>, message: RegExp) =>
  assert.rejects(work, (error) => {
    assert.ok(error instanceof InputError, String(error));
    assert.match(error.message, message);
    return true;
  });

const counts = (published: Published, key: "by_length" | "valid_by_length" = "by_length") =>
  Object.entries(published[key]).map(([length, { correct, n }]) => `${length}: ${correct}/${n}`);

const chroma = async (folder: ImportFolder) => {
  const { evaluated, results } = chromaNiah([500, 10_000], (length, depth) => length === 500 || depth >= 90);
  return {
    evaluated,
    results,
    files: [
      await folder.csv("m_niah_evaluated.csv", evaluated),
      await folder.csv("m_niah_results.csv", results),
    ],
  };
};

Deno.test("importNiah() counts Chroma's verdicts in every spelling, by length and depth, with the true tokens", () =>
  inImportFolder(async (folder) => {
    const { files } = await chroma(folder);
    for (const from of [files, files.toReversed()]) {
      const { published, run, notes, text } = await imported(from);
      assert.deepEqual(counts(published), ["500: 11/11", "10000: 2/11"]);
      assert.deepEqual(published.by_length["10000"]?.wilson95, [0.051368, 0.476981]);
      assert.deepEqual([published.by_depth["0"]?.correct, published.by_depth["100"]?.correct], [1, 2]);
      assert.match(text, /By needle depth:\n +0%: raw 1\/2 /);
      assert.match(notes, /token_count is 100 on all 22 rows.*stale/);
      assert.match(notes, /m_niah_results.csv: 22 of 22 rows found again/);
      assert.deepEqual(
        run.rows.slice(0, 3).map((
          { row, attempt },
        ) => [row.params["token_count_from"], attempt?.token_count]),
        [["file", 499], ["file", 500], ["file", 501]],
      );
      assert.equal(run.label, "m");
    }
  }));

Deno.test("importNiah() takes the planned length where only the evaluated file is there", () =>
  inImportFolder(async (folder) => {
    const { files } = await chroma(folder);
    const { run, notes } = await imported(files.slice(0, 1));
    assert.match(notes, /22 of 22 rows: tokens sent are not known, the planned length stands for them/);
    assert.equal(run.rows[0]?.attempt?.token_count, 500);
  }));

Deno.test("importNiah() matches outputs where there is no verdict, and says so", () =>
  inImportFolder(async (folder) => {
    const { files } = await chroma(folder);
    const alone = await imported(files.slice(1));
    assert.deepEqual(counts(alone.published), ["500: 0/11", "10000: 0/11"], "the answer is a whole sentence");
    assert.match(alone.notes, /whole sentences.*--accept/);
    assert.match(alone.text, /no verdicts in the files: graded by normalised match alone/);
    const accepted = await imported(files.slice(1), { accept: ["compass"] });
    assert.deepEqual(counts(accepted.published), ["500: 11/11", "10000: 2/11"]);
    assert.equal(accepted.run.rows[0]?.grade?.judge, "match");
  }));

Deno.test("importNiah() leaves rows unjudged whose verdict is neither true nor false, and never counts them as false", () =>
  inImportFolder(async (folder) => {
    const { evaluated } = await chroma(folder);
    const odd = evaluated.map((row, i) =>
      i === 0
        ? { ...row, llm_judge_output: "maybe" }
        : i === 1
        ? { ...row, llm_judge_output: "" }
        : i === 2
        ? { ...row, llm_judge_output: "ERROR_TIMEOUT: Request exceeded 500s" }
        : row
    );
    const { published, notes, run, text } = await imported([await folder.csv("x_evaluated.csv", odd)]);
    assert.deepEqual(counts(published), ["500: 8/8", "10000: 2/11"]);
    assert.deepEqual([published.unjudged, published.n], [3, 19]);
    assert.match(notes, /1 row unjudged \("maybe" is neither true nor false\)/);
    assert.match(notes, /1 row unjudged \(the judge's request failed\)/);
    assert.match(text, /Rows: 22 sent, 3 not graded/);
    assert.deepEqual([run.rows[0]?.grade?.validity, run.rows[0]?.grade?.correct], ["error", null]);
    assert.equal(run.rows[0]?.grade?.judge_output, "maybe");
  }));

Deno.test("importNiah() tells errors and empty outputs from wrong answers", () =>
  inImportFolder(async (folder) => {
    const { evaluated } = await chroma(folder);
    const broken = evaluated.map((row, i) =>
      i === 11
        ? { ...row, output: "ERROR_TIMEOUT: Request exceeded 500s" }
        : i === 12
        ? { ...row, output: "" }
        : i === 13
        ? { ...row, output: "FUTURE_ERROR: connection" }
        : row
    );
    const { published, run, text } = await imported([await folder.csv("x_evaluated.csv", broken)]);
    assert.deepEqual(run.rows.slice(11, 14).map(({ grade }) => grade?.validity), [
      "error",
      "degenerate",
      "error",
    ]);
    assert.deepEqual(counts(published, "valid_by_length"), ["500: 11/11", "10000: 2/8"]);
    assert.match(text, /Warning: 13.6% of the rows sent are invalid \(1 degenerate, 2 error\)/);
    assert.match(run.report.figures["heatmap"]?.svg ?? "", /13.6% of rows invalid/);
  }));

Deno.test("importNiah() counts copies once and rows of one cell that differ as trials", () =>
  inImportFolder(async (folder) => {
    const { evaluated } = await chroma(folder);
    const [first, second] = evaluated;
    const more = [...evaluated, { ...first }, { ...second, output: "Another try." }];
    const { published, run, notes } = await imported([await folder.csv("x_evaluated.csv", more)]);
    assert.equal(published.n, 23);
    assert.match(notes, /1 row is a copy of another, counted once/);
    assert.match(notes, /1 cell is in several rows that differ; they count as trials/);
    const ids = run.rows.map(({ row }) => row.id);
    assert.equal(new Set(ids).size, ids.length);
    assert.deepEqual(
      run.rows.filter(({ row }) => row.params["trial"] === 1).map(({ attempt }) => attempt?.output),
      [
        "Another try.",
      ],
    );
  }));

Deno.test("importNiah() says which rows of two files do not meet", () =>
  inImportFolder(async (folder) => {
    const { evaluated, results } = await chroma(folder);
    const less = evaluated.slice(0, 20);
    const { notes } = await imported([
      await folder.csv("x_evaluated.csv", less),
      await folder.csv(
        "x_results.csv",
        results.slice(1).map((row, i) => i === 3 ? { ...row, output: "Else." } : row),
      ),
    ]);
    assert.match(notes, /19 of 20 rows found again.*1 have no row there; 2 of its rows were never evaluated/);
    assert.match(notes, /1 outputs differ from the evaluated ones/);
  }));

Deno.test("importNiah() reads Kamradt's JSON files with scores, one file a row", () =>
  inImportFolder(async (folder) => {
    await Deno.mkdir(`${folder.path}/kamradt`);
    let n = 0;
    for (const length of [1000, 50_000]) {
      for (const depth of [0, 11.31, 50, 100]) {
        const row = {
          model: "claude-test",
          context_length: length,
          depth_percent: depth,
          version: 1,
          needle: "\nEat a sandwich.\n",
          model_response: depth === 50 ? "I do not know." : "Eat a sandwich.",
          score: length === 1000 ? 10 : depth === 50 ? 3 : depth === 100 ? 7 : 10,
        };
        await folder.text(`kamradt/token_len_${n++}_results.json`, JSON.stringify(row, null, 2));
      }
    }
    const from = [`${folder.path}/kamradt`];
    const { published, run } = await imported(from);
    assert.deepEqual(counts(published), ["1000: 4/4", "50000: 2/4"]);
    assert.equal(run.label, "claude-test");
    assert.deepEqual(Object.keys(published.by_depth).sort(), ["0", "100", "11.31", "50"]);
    assert.deepEqual(counts((await imported(from, { passScore: 7 })).published), ["1000: 4/4", "50000: 3/4"]);
  }));

Deno.test("importNiah() reads scores without outputs, and calls no row degenerate for it", () =>
  inImportFolder(async (folder) => {
    const rows = [0, 50, 100].flatMap((depth) =>
      [1000, 128_000].map((length) => ({
        token_limit: length,
        depth_percent: depth,
        score: length > 1e5 ? 3 : 10,
      }))
    );
    const { published, run } = await imported([await folder.text("openai.json", JSON.stringify(rows))]);
    assert.deepEqual(counts(published), ["1000: 3/3", "128000: 0/3"]);
    assert.deepEqual([...new Set(run.rows.map(({ grade }) => grade?.validity))], ["correct", "wrong"]);
  }));

Deno.test("importNiah() refuses wrong kinds, missing columns and values that are no numbers, with the remedy", () =>
  inImportFolder(async (folder) => {
    const { evaluated } = await chroma(folder);
    const row = evaluated[0] as Record<string, unknown>;
    const bad = (name: string, rows: readonly Record<string, unknown>[], as: ImportKind = "chroma-niah") =>
      folder.csv(name, rows).then((path) => importNiah(options([path], { as })));
    await refused(
      bad("a.csv", [{ custom_id: "1", output: "x", answer: "y" }]),
      /looks like LongMemEval results.*--as chroma-longmemeval/,
    );
    await refused(
      bad("b.csv", [{ id: "25_0", gold: "a b", output: "a b" }]),
      /repeated words results.*--as chroma-repeated-words/,
    );
    await refused(
      bad("c.csv", [{ token_count: 1, approximate_input_length: 1, needle_depth: 0, prompt: "x" }]),
      /prompts, without outputs/,
    );
    const { approximate_input_length: _, ...lengthless } = row;
    await refused(
      bad("d.csv", [lengthless]),
      /no column for length \(it has token_count, needle_depth.*--map length=COLUMN/,
    );
    await refused(
      bad("e.csv", [row, { ...row, needle_depth: "deep" }]),
      /e.csv, line 3: needle_depth is "deep", a number was expected/,
    );
    await refused(
      bad("f.csv", [{ ...row, approximate_input_length: "" }]),
      /approximate_input_length is empty/,
    );
    await refused(bad("g.csv", [{ ...row, needle_depth: 180 }]), /depth of 180 is beyond 100%/);
    await refused(bad("h.csv", [{ ...row, approximate_input_length: 0 }]), /an input length of 0/);
    const { llm_judge_output: __, output: ___, ...bare } = row;
    await refused(
      bad("i.csv", [{ ...bare, score_text: "x", verdict_by: "me" }]),
      /without outputs|neither outputs nor verdicts/,
    );
    await refused(
      importNiah(
        options([await folder.csv("j.csv", evaluated), await folder.csv("k.csv", evaluated.slice(0, 5))]),
      ),
      /j.csv and .*k.csv are evaluated files of the same kind/,
    );
    await refused(
      importNiah(options([await folder.csv("l.csv", evaluated)], { mapping: { size: "x" } })),
      /no field "size"/,
    );
    await refused(
      importNiah(options([`${folder.path}/l.csv`], { where: { colour: "red" } })),
      /no row has a column "colour"/,
    );
  }));

Deno.test("importNiah() reads columns of other names by --map, and soft columns that are no numbers as unknown", () =>
  inImportFolder(async (folder) => {
    const text = csvText([
      { Laenge: 500, Tiefe: 0, Antwort: "A compass.", Urteil: "true", "Token Count": "viele" },
      { Laenge: 500, Tiefe: 100, Antwort: "No.", Urteil: "false", "Token Count": 501 },
    ]);
    const from = [await folder.text("de.csv", text)];
    const mapping = { length: "Laenge", depth: "Tiefe", output: "Antwort", verdict: "Urteil" };
    const { published, notes, run } = await imported(from, { mapping });
    assert.deepEqual(counts(published), ["500: 1/2"]);
    assert.match(notes, /Token Count: 1 value is no number, such as "viele"; taken as not known/);
    assert.deepEqual(run.rows.map(({ attempt }) => attempt?.token_count), [500, 501]);
  }));

const SHORT = [500, 1000, 2000, 4000, 8000, 16_000, 32_000];

/** A model with a window of 40,960 tokens behind a server that cuts the front of longer prompts. */
const cutRun = (fields: Record<string, unknown> = { model_max_ctx: 40_960 }) =>
  niahV2([...SHORT, 65_000, 100_000, 130_000], ({ length, depth, trial }) => {
    if (length > 65_000) return { ...NIAH_V2_SKIPPED, ...fields };
    if (length < 65_000) return fields;
    const right = depth >= 70 || (depth === 60 && trial < 5);
    return { right, token_count_actual: 40_960, token_count_prompt: 40_960, ...fields };
  });

Deno.test("importNiah() classes the cut prompts of a niah-v2 run as truncated and counts no skipped row", () =>
  inImportFolder(async (folder) => {
    const { published, run, text, notes } = await imported(
      [await folder.lines("m_results.jsonl", cutRun())],
      { as: "niah-v2" },
    );
    for (const length of SHORT) {
      assert.deepEqual(
        published.by_length[length],
        { correct: 110, n: 110, wilson95: [0.966256, 1] },
        `${length}`,
      );
    }
    assert.deepEqual(counts(published).slice(-3), ["65000: 45/110", "100000: 0/0", "130000: 0/0"]);
    assert.deepEqual(counts(published, "valid_by_length").slice(-3), [
      "65000: 0/0",
      "100000: 0/0",
      "130000: 0/0",
    ]);
    assert.equal(published.skipped, 220);
    const at = run.rows.filter(({ row }) => row.params["approximate_input_length"] === 65_000);
    assert.ok(at.every(({ grade }) => grade?.validity === "truncated"));
    assert.match(
      String(at[0]?.grade?.extra?.["reason"]),
      /the count (?:is|fills) the window of 40,960 tokens/,
    );
    assert.match(String(at[0]?.grade?.extra?.["reason"]), /step in depth: the front/);
    assert.match(text, /65,000 characters: raw 45\/110 = 40.9% .*valid only no rows/);
    assert.match(text, /Warning: 12.5% of the rows sent are invalid \(110 truncated\)/);
    assert.match(text, /at least 32,000 characters/);
    assert.match(notes, /220 rows were never sent and yet stored as not correct/);
    const { svg, alt } = run.report.figures["heatmap"] ?? { svg: "", alt: "" };
    assert.match(svg, /12.5% of rows invalid/);
    assert.match(svg, /Input length \(characters\)/);
    assert.match(alt, /length in characters/);
  }));

Deno.test("importNiah() finds the cut without being told the window, and even with no shorter length", () =>
  inImportFolder(async (folder) => {
    const silent = cutRun({ model_max_ctx: null });
    const { published, notes } = await imported([await folder.lines("a.jsonl", silent)], { as: "niah-v2" });
    assert.deepEqual(counts(published, "valid_by_length").at(-3), "65000: 0/0");
    assert.match(notes, /a context window of 40,960 tokens is taken from the counts/);
    const alone = silent.filter((row) => row.context_length_chars === 65_000);
    const found = await imported([await folder.lines("b.jsonl", alone)], { as: "niah-v2" });
    assert.deepEqual(counts(found.published, "valid_by_length"), ["65000: 0/0"]);
    // A count that is no round number and stands for no window is not taken for one.
    const odd = alone.map((row) => ({ ...row, token_count_prompt: 40_961, token_count_actual: 40_961 }));
    const left = await imported([await folder.lines("c.jsonl", odd)], { as: "niah-v2" });
    assert.deepEqual(counts(left.published, "valid_by_length"), ["65000: 45/110"]);
    assert.match(left.text, /failures are a step in depth/);
    const told = await imported([`${folder.path}/c.jsonl`], { as: "niah-v2", window: 40_961 });
    assert.deepEqual(counts(told.published, "valid_by_length"), ["65000: 0/0"]);
  }));

Deno.test("importNiah() classes pad runs with token counts of 0 as degenerate, and leaves the other rows their accuracy", () =>
  inImportFolder(async (folder) => {
    const pads = {
      right: false,
      model_response: "<pad>".repeat(31),
      token_count_actual: 0,
      token_count_prompt: 0,
      token_count_output: 0,
    };
    const rows = niahV2([32_000, 65_000, 100_000, 130_000], ({ length, nth }) => {
      if (length === 65_000) return { right: nth !== 3 };
      if (length === 100_000) return nth < 86 ? pads : { right: nth !== 90 };
      return length > 100_000 ? pads : {};
    });
    const { published, text } = await imported([await folder.lines("g.jsonl", rows)], { as: "niah-v2" });
    assert.deepEqual(counts(published), [
      "32000: 110/110",
      "65000: 109/110",
      "100000: 23/110",
      "130000: 0/110",
    ]);
    assert.deepEqual(counts(published, "valid_by_length"), [
      "32000: 110/110",
      "65000: 109/110",
      "100000: 23/24",
      "130000: 0/0",
    ]);
    assert.match(text, /\(196 degenerate\): they are no evidence of context rot/);
  }));

Deno.test("importNiah() does not call an ordinary niah-v2 run cut, whatever its tokenizer", () =>
  inImportFolder(async (folder) => {
    for (const rate of [0.3, 0.62, 1.4]) {
      const rows = niahV2([...SHORT, 65_000, 130_000], ({ length, depth, trial, tokens }) => {
        // Texts of longer prompts are other articles: 8% more tokens a character.
        const count = Math.round((tokens - 64) / 0.62 * rate * (length > 8000 ? 1.08 : 1)) + 64;
        return {
          token_count_prompt: count,
          token_count_actual: count,
          right: length < 65_000 || (depth + trial) % 3 > 0,
          model_max_ctx: 262_144,
        };
      });
      const { published, run } = await imported([await folder.lines("o.jsonl", rows)], { as: "niah-v2" });
      assert.ok(
        run.rows.every(({ grade }) => ["correct", "wrong"].includes(grade?.validity ?? "")),
        `${rate}`,
      );
      assert.equal(published.by_length["65000"]?.n, 110);
    }
  }));

Deno.test("importNiah() tells text variants and models of one file apart, and takes the last of a repeated id", () =>
  inImportFolder(async (folder) => {
    const first = niahV2([1000]);
    const rows = [
      ...first,
      ...first.map((row) => ({ ...row, variant: "simplified", evaluation: { is_correct: row.trial > 0 } })),
      ...first.map((row) => ({ ...row, model: "other:1b" })),
      { ...first[0], evaluation: { is_correct: false } },
      { ...first[1] },
    ];
    const from = [await folder.lines("mixed.jsonl", rows)];
    const { runs } = await imported(from, { as: "niah-v2" });
    assert.deepEqual(
      runs.map(({ label, suffix, report }) => {
        const { published } = report.statistics as unknown as { published: Published };
        return [label, suffix, `${published.correct}/${published.n}`];
      }),
      [
        ["test:8b (traditional)", "traditional", "109/110"],
        ["test:8b (simplified)", "simplified", "99/110"],
        ["other:1b (traditional)", "traditional", "110/110"],
      ],
    );
    assert.match(
      runs[0]?.notes.join() ?? "",
      /1 row is a copy.*1 id is in several rows that differ; the last counts/,
    );
    const one = await imported(from, { as: "niah-v2", where: { variant: "simplified" } });
    assert.deepEqual([one.runs.length, one.run.suffix, one.published.correct], [1, "", 99]);
  }));

Deno.test("importNiah() keeps what it does not know, and says what was too long to keep", () =>
  inImportFolder(async (folder) => {
    const rows = niahV2([1000]).map((row) => ({
      ...row,
      seed: 7,
      validity: "theirs",
      prompt: "x".repeat(3000),
    }));
    const { run, notes } = await imported([await folder.lines("e.jsonl", rows)], { as: "niah-v2" });
    const params = run.rows[0]?.row.params ?? {};
    assert.deepEqual(
      [
        params["seed"],
        params["source_validity"],
        params["needle_id"],
        params["evaluation.char_overlap"],
        params["prompt"],
      ],
      [7, "theirs", "N01", 1, undefined],
    );
    assert.match(notes, /left out, too long to keep: column prompt/);
  }));
