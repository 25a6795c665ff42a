import assert from "node:assert/strict";
import { parseVariants, type Variant } from "../backends/variants.ts";
import { simulatedTokenizer } from "../backends/tokenizers.ts";
import { type OwnProblem, ownProblems, writtenChain } from "./own_problems.ts";
import { PromptBook } from "./prompt_book.ts";
import { splitSentences } from "./sentences.ts";
import { armRows, DELTA_SEEDS, deltaRows, type DrawSettings, recordRows } from "./splice_rows.ts";
import { ARM_NAMES, type SplicePlace, type SplicePoint } from "./types.ts";

const variant = parseVariants(
  JSON.stringify({
    variants: { m: { backend: "simulated", description: "d", mode: "anchors", contextWindow: 4096 } },
  }),
  "models.json",
).get("m") as Variant;

function draw(): DrawSettings {
  const book = new PromptBook(variant, simulatedTokenizer);
  return { variant, model: "m", book, samples: 3, seed: 0, temperature: 0.7, topP: 0.95, maxNewTokens: 100 };
}

function placeAt(problem: string, chain: SplicePoint["chain"], sentence: number): SplicePlace {
  const spans = splitSentences(chain.reasoning);
  const span = spans[sentence] as SplicePlace["span"];
  const cut = { excluded: spans[sentence - 1]?.end ?? 0, included: span.end };
  return { problem, sentence, delta: 0.6, before: 0.1, after: 0.7, span, cut, position: 0.5 };
}

function pointsOf(problems: readonly OwnProblem[]): SplicePoint[] {
  return problems.flatMap((problem) => {
    const chain = writtenChain(problem);
    return [1, 0].map((sentence) => ({
      ...placeAt(problem.id, chain, sentence),
      chain,
      bucket: "0.5-0.7" as const,
      cluster: problem.id,
      control: placeAt(problem.id, chain, 1 - sentence),
    }));
  });
}

Deno.test("armRows() draws every arm of every point with seeds from 0 on, and arms without a prefix once a problem", () => {
  const problems = ownProblems(3, 1) as OwnProblem[];
  const rows = armRows(pointsOf(problems), new Map(problems.map((p) => [p.id, p])), ARM_NAMES, draw());
  assert.equal(rows.length, 3 * (3 * 2 + 9 * 2 * 3));
  assert.equal(new Set(rows.map(({ id }) => id)).size, rows.length);
  for (
    const group of Map.groupBy(rows, ({ params: p }) => `${p.problem_number}/${p.sentence_number}/${p.arm}`)
      .values()
  ) {
    assert.deepEqual(group.map(({ params }) => params.seed), [0, 1, 2]);
  }
});

Deno.test("armRows() lets the prompts of a chain grow, and ends none in white space", () => {
  const problems = ownProblems(2, 1) as OwnProblem[];
  const rows = armRows(pointsOf(problems), new Map(problems.map((p) => [p.id, p])), ARM_NAMES, draw());
  for (const { asked } of rows) assert.doesNotMatch(asked.prefix as string, /\s$/);
  const groups = Map.groupBy(rows, ({ asked, problem }) => `${problem.id}${asked.messages[0]?.content}`);
  assert.equal(groups.size, 4);
  for (const group of groups.values()) {
    const lengths = group.filter(({ asked }) => !asked.forced).map(({ asked }) => asked.prefix?.length ?? 0);
    assert.deepEqual(lengths, lengths.toSorted((a, b) => a - b));
    const prompts = group.map(({ asked }) => asked.sha256);
    assert.equal(
      prompts.filter((sha, i) => sha !== prompts[i - 1]).length,
      new Set(prompts).size,
      "no prompt comes back",
    );
  }
});

Deno.test("armRows() keeps samples of duplicate problems apart", () => {
  const [one] = ownProblems(1, 1) as [OwnProblem];
  const twin = { ...one, id: "2" };
  const rows = armRows(
    pointsOf([one, twin]),
    new Map([[one.id, one], [twin.id, twin]]),
    ["no_prefix"],
    draw(),
  );
  assert.equal(new Set(rows.map(({ asked }) => asked.sha256)).size, 1);
  assert.equal(new Set(rows.map(({ id }) => id)).size, 6);
});

Deno.test("deltaRows() measures no prefix and every sentence but the last, with seeds of their own", () => {
  const [problem] = ownProblems(1, 1) as [OwnProblem];
  const chain = writtenChain(problem);
  const rows = deltaRows([{ problem, chain }], draw());
  const sentences = splitSentences(chain.reasoning).length;
  assert.deepEqual(
    [...new Set(rows.map(({ params }) => params.sentence_number))],
    [null, ...Array.from({ length: sentences - 1 }, (_, i) => i)],
  );
  assert.ok(rows.every(({ params }) => params.seed >= DELTA_SEEDS));
  assert.deepEqual(rows[0]?.asked.prefix, "<think>");
});

Deno.test("recordRows() asks with and without the hint, and skips what the window has no room for", () => {
  const problems = ownProblems(2, 1);
  const rows = recordRows(problems, draw());
  assert.equal(rows.length, 12);
  assert.deepEqual(rows.map(({ params }) => params.arm).slice(0, 6), [
    "base",
    "base",
    "base",
    "hinted",
    "hinted",
    "hinted",
  ]);
  assert.ok(rows.every(({ skip }) => skip === null));
  const small = recordRows(problems, {
    ...draw(),
    variant: { ...variant, contextWindow: rows[0]?.tokens ?? 0 },
  });
  assert.ok(small.every(({ skip }) => skip === "window"));
});
