/** Splice experiments whose effects are known: do they come back, and is nothing found where there is nothing? */
import assert from "node:assert/strict";
import { analyseSplice, type SpliceAnalysis } from "./analyse_splice.ts";
import { spliceWorld, type World, type WorldOptions } from "./testing/worlds.ts";

/** Draws worlds and analyses each. */
function* worlds(name: string, count: number, options: WorldOptions): Generator<[World, SpliceAnalysis]> {
  for (let i = 0; i < count; i++) {
    const world = spliceWorld(`${name}/${i}`, options);
    yield [
      world,
      analyseSplice(world.rows, world.points, { problems: world.problems, seed: i, resamples: 200 }),
    ];
  }
}

const holds = (interval: readonly [number, number] | null | undefined, value: number) =>
  interval !== null && interval !== undefined && interval[0] <= value && value <= interval[1];

for (const effect of [0, 0.2, 0.6]) {
  Deno.test(`analyseSplice() gives a planted effect of ${effect} back within its intervals`, () => {
    const runs = 60, problems = 10;
    let points = 0, means = 0, nets = 0, checks = 0;
    for (
      const [world, { points: found, comparisons, check }] of worlds(`back ${effect}`, runs, {
        problems,
        samples: 50,
        effect,
        spread: 0.05,
      })
    ) {
      const truth = world.effects.reduce((sum, value) => sum + value, 0) / problems;
      points += found.filter((point, i) =>
        holds(point.effect?.interval95, world.effects[i] as number)
      ).length;
      means += Number(
        holds(comparisons.find(({ name }) => name === "anchor included less excluded")?.interval95, truth),
      );
      nets += Number(holds(
        comparisons.find(({ name }) => name === "anchor effect less control effect")?.interval95,
        truth,
      ));
      checks += check.excluded.agree + check.included.agree;
    }
    console.log(
      `effect ${effect}: ${points} of ${
        runs * problems
      } points, ${means} and ${nets} of ${runs} means in their intervals`,
    );
    assert.ok(points >= 0.93 * runs * problems);
    assert.ok(means >= 0.88 * runs && nets >= 0.88 * runs);
    assert.ok(checks >= 0.93 * 2 * runs * problems);
  });
}

Deno.test("analyseSplice() calls at most 5% of points where there is no effect, and hardly any world has one", () => {
  const runs = 120, problems = 12;
  let called = 0, any = 0;
  for (const [, analysis] of worlds("nothing", runs, { problems, samples: 40, effect: 0 })) {
    called += analysis.called;
    any += Number(analysis.called > 0);
    assert.equal(analysis.tested, problems);
  }
  console.log(`no effect: ${called} of ${runs * problems} points called, in ${any} of ${runs} worlds`);
  assert.ok(called <= 0.05 * runs * problems);
  assert.ok(any <= 0.05 * runs + 2 * Math.sqrt(0.05 * 0.95 * runs));
});

Deno.test("analyseSplice() calls almost all points of an effect of 0.6, and says pass; no effect fails where samples are many", () => {
  let called = 0, passes = 0, fails = 0;
  for (
    const [, { called: own, verdicts }] of worlds("strong", 30, { problems: 10, samples: 50, effect: 0.6 })
  ) {
    called += own;
    passes += Number(verdicts.slice(0, 3).every(({ outcome }) => outcome === "pass"));
  }
  for (const [, { verdicts, called }] of worlds("none", 30, { problems: 10, samples: 200, effect: 0 })) {
    fails += Number(verdicts[0]?.outcome === "fail" && called === 0);
  }
  assert.ok(called >= 295 && passes >= 28 && fails >= 27, `${called} ${passes} ${fails}`);
});

Deno.test("analyseSplice() is inconclusive with few samples, and as many as it asks for settle it", () => {
  let open = 0, settled = 0;
  for (
    const [world, { points: [point] }] of worlds("few", 60, {
      problems: 1,
      samples: 12,
      effect: 0.3,
      invalid: 0,
    })
  ) {
    if (point === undefined || point.outcome !== "inconclusive" || point.n_needed === null) continue;
    open++;
    assert.ok(point.n_needed > 12);
    // The same rates, with the samples that were asked for.
    const rows = world.rows.flatMap((row) =>
      Array.from(
        { length: Math.ceil(point.n_needed as number / 12) },
        (_, copy) => ({ ...row, sample: row.sample + 12 * copy }),
      )
    );
    const [again] =
      analyseSplice(rows, world.points, { problems: world.problems, seed: 1, resamples: 50 }).points;
    settled += Number(again?.outcome === "pass" || again?.outcome === "fail");
  }
  assert.ok(open >= 20 && settled === open, `${settled} of ${open}`);
});
