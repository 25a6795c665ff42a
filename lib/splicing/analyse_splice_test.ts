import assert from "node:assert/strict";
import { formatAnalysis, pointTable } from "./analysis_text.ts";
import { analyseSplice } from "./analyse_splice.ts";
import { spliceWorld, worldChain, worldPoint } from "./testing/worlds.ts";
import type { ArmName, GradedSample, Letter, SampleGrade, SpliceProblem } from "./types.ts";

const LETTER: Partial<Record<SampleGrade, Letter>> = { correct: "A", hinted: "B", other: "C" };
/** Samples of an arm by their grades: `{ hinted: 3, correct: 2 }`. */
function samples(arm: ArmName, counts: Partial<Record<SampleGrade, number>>, problem = "1"): GradedSample[] {
  const sentence = arm.endsWith("no_prefix") ? null : 2;
  const grades = Object.entries(counts).flatMap(([grade, n]) =>
    Array<SampleGrade>(n).fill(grade as SampleGrade)
  );
  return grades.map((grade, sample) => ({
    arm,
    problem,
    sentence,
    sample,
    grade,
    answer: LETTER[grade] ?? null,
  }));
}
const problem: SpliceProblem = {
  id: "1",
  subject: null,
  question: "What?",
  choices: { A: "one", B: "two", C: "three", D: "four" },
  basePrompt: "What?",
  hintedPrompt: null,
  correct: "A",
  hinted: "B",
  chains: [worldChain("1")],
};
const point = worldPoint("1", 0.2, 0.8);
const analyse = (rows: GradedSample[], problems = [problem]) =>
  analyseSplice(rows, [point], { problems, seed: 1, resamples: 100 });

Deno.test("analyseSplice() gives rates over readable answers, and every difference and distance of a point", () => {
  const { points: [found], arms } = analyse([
    ...samples("unhinted_anchor_included", { hinted: 32, correct: 8, invalid: 6, output_cap: 3, error: 1 }),
    ...samples("unhinted_anchor_excluded", { hinted: 10, correct: 40 }),
    ...samples("unhinted_control_included", { hinted: 11, correct: 39 }),
    ...samples("unhinted_control_excluded", { hinted: 10, correct: 40 }),
    ...samples("no_prefix", { hinted: 5, correct: 45 }),
    ...samples("hinted_no_prefix", { hinted: 48, correct: 1, other: 1 }),
  ]);
  assert.ok(found !== undefined);
  const included = found.arms.unhinted_anchor_included;
  assert.deepEqual(included, {
    samples: 50,
    valid: 40,
    hinted: 32,
    correct: 8,
    other: 0,
    invalid: 6,
    output_cap: 3,
    error: 1,
    invalid_share: 9 / 49,
    hinted_rate: 0.8,
    // statsmodels: proportion_confint(32, 40, method="wilson")
    hinted95: included?.hinted95,
    correct_rate: 0.2,
    correct95: included?.correct95,
  });
  assert.deepEqual(included?.hinted95.map((end) => end.toFixed(4)), ["0.6524", "0.8950"]);
  const estimate = (value: { estimate: number } | null) => Number(value?.estimate.toFixed(9));
  assert.deepEqual(
    [found.effect, found.control_effect, found.net_effect, found.drop_from_hinted, found.shift_from_unhinted]
      .map(estimate),
    [0.6, 0.02, 0.58, 0.16, 0.7],
  );
  assert.deepEqual([found.effect_against, found.anchor_broken, found.closer_to], [
    "excluded",
    true,
    "hinted",
  ]);
  assert.equal(found.l1_hinted?.toFixed(9), "0.360000000");
  assert.equal(found.l1_unhinted?.toFixed(9), "1.400000000");
  // scipy.stats.entropy of the counts with one half added: [8.5, 32.5, 0.5, 0.5] against those of both prompts.
  assert.equal(found.kl_hinted?.toFixed(6), "0.241771");
  assert.equal(found.kl_unhinted?.toFixed(6), "1.248717");
  assert.deepEqual([found.outcome, found.n_needed], ["pass", null]);
  assert.ok(found.p !== null && found.p < 1e-7 && found.p === found.p_adjusted);
  assert.deepEqual([found.check.excluded?.agrees, found.check.included?.agrees], [true, true]);
  assert.deepEqual(arms.map(({ arm, clusters }) => [arm, clusters]).slice(0, 2), [
    ["unhinted_anchor_included", 1],
    ["unhinted_anchor_excluded", 1],
  ]);
});

Deno.test("analyseSplice() takes recorded answers where no arm gives a distribution, and none where they are few", () => {
  const rows = samples("unhinted_anchor_included", { hinted: 5, correct: 5 });
  const chains = (arm: "base" | "hinted", answers: string) =>
    [...answers].map((answer, sample) => ({ ...worldChain("1"), arm, sample, answer: answer as Letter }));
  const recorded = { ...problem, chains: [...chains("base", "AAAAB"), ...chains("hinted", "BBBBBA")] };
  const [found] = analyse(rows, [recorded]).points;
  assert.equal(found?.effect_against, "no_prefix");
  assert.equal(found?.effect?.estimate.toFixed(9), "0.300000000");
  assert.equal(found?.drop_from_hinted?.estimate.toFixed(9), (5 / 6 - 0.5).toFixed(9));
  const [few] = analyse(rows).points;
  assert.deepEqual([few?.effect, few?.drop_from_hinted, few?.closer_to, few?.outcome], [
    null,
    null,
    null,
    "inconclusive",
  ]);
  assert.equal(analyse(rows).tested, 0);
});

Deno.test("analyseSplice() counts a cluster once, says nothing of problems from fewer than five, and takes no rows of others", () => {
  const world = spliceWorld("clusters", { problems: 4, samples: 50, effect: 0.5 });
  const alone = analyseSplice(world.rows, world.points, {
    problems: world.problems,
    seed: 1,
    resamples: 100,
  });
  assert.equal(alone.verdicts[0]?.outcome, "inconclusive");
  assert.match(alone.verdicts[0]?.reason ?? "", /fewer than 5 problems/);
  assert.equal(alone.verdicts[0]?.n_needed, 5);
  const strangers = samples("unhinted_anchor_included", { hinted: 50 }, "99");
  assert.deepEqual(
    analyseSplice([...world.rows, ...strangers], world.points, {
      problems: world.problems,
      seed: 1,
      resamples: 100,
    }),
    alone,
  );
  const twelve = spliceWorld("twelve", { problems: 12, samples: 50, effect: 0.5 });
  const as = (cluster: (problem: string) => string) =>
    analyseSplice(twelve.rows, twelve.points.map((one) => ({ ...one, cluster: cluster(one.problem) })), {
      problems: twelve.problems,
      seed: 1,
      resamples: 400,
    });
  assert.equal(as((id) => id).comparisons[0]?.clusters, 12);
  assert.equal(as((id) => String(Number(id) % 3)).comparisons[0]?.interval95, null);
  assert.equal(as((id) => String(Number(id) % 6)).comparisons[0]?.clusters, 6);
});

Deno.test("analyseSplice() keeps an interval where all points are alike, and analyses no rows without failing", () => {
  const problems = ["1", "2", "3", "4", "5", "6"].map((id) => ({ ...problem, id }));
  const points = problems.map(({ id }) => worldPoint(id, 0, 1));
  const rows = problems.flatMap(({ id }) => [
    ...samples("unhinted_anchor_included", { hinted: 20 }, id),
    ...samples("unhinted_anchor_excluded", { correct: 20 }, id),
  ]);
  const { comparisons: [mean], verdicts, correlation } = analyseSplice(rows, points, {
    problems,
    seed: 1,
    resamples: 100,
  });
  assert.equal(mean?.estimate, 1);
  assert.ok(
    mean.interval95 !== null && mean.interval95[0] > 0.7 && mean.interval95[0] < 0.95 &&
      mean.interval95[1] === 1,
  );
  assert.deepEqual([verdicts[0]?.outcome, correlation.anchors.r], ["pass", null]);
  const empty = analyseSplice([], points, { problems, seed: 1, resamples: 100 });
  assert.ok(empty.verdicts.every(({ outcome }) => outcome === "inconclusive"));
  assert.deepEqual([empty.arms, empty.called, empty.points.length], [[], 0, 6]);
  assert.equal(
    formatAnalysis(analyseSplice([], [], { problems: [], seed: 1 })),
    "No splice points were analysed.",
  );
});

Deno.test("formatAnalysis() and pointTable() say what was found", () => {
  const world = spliceWorld("text", { problems: 8, samples: 40, effect: 0.6 });
  const analysis = analyseSplice(world.rows, world.points, {
    problems: world.problems,
    seed: 1,
    resamples: 200,
  });
  const text = formatAnalysis(analysis);
  for (
    const part of [
      /8 splice points of 8 problems; the effect of \d of 8 is shown at 5\.0% false findings/,
      /^PASS +Do the sentences move the answer without the hint\? \+0\.\d\d on average \(95% interval/m,
      /^ {2}unhinted_anchor_included +\d\d\.\d% \(.*without an answer \(\d+ at the output cap\)/m,
      /anchor effect less control effect: \+0\.\d\d \(\+0\.\d\d to \+0\.\d\d\), 8 points/,
      /Prefix without the sentence: \d of 8 points give the rate of the table again/,
    ]
  ) assert.match(text, part);
  const table = pointTable(analysis.points);
  assert.deepEqual(
    table.map(({ problem, outcome }) => [problem, outcome]),
    analysis.points.map(({ problem, outcome }) => [problem, outcome]),
  );
  assert.deepEqual(JSON.parse(JSON.stringify(analysis)), analysis);
});
