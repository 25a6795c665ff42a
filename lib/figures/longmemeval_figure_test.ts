import assert from "node:assert/strict";
import { parseHTML } from "linkedom";
import { InputError } from "../base/errors.ts";
import { longMemEvalFigure, type MemoryFigureOptions } from "./longmemeval_figure.ts";
import type { MemoryFigureRow } from "./longmemeval_rows.ts";
import type { Outcome } from "./outcomes.ts";

const rows = (
  condition: "focused" | "full",
  outcomes: Partial<Record<Outcome, number>>,
  type: string | null = null,
) =>
  Object.entries(outcomes).flatMap(([validity, n]) =>
    Array.from({ length: n }, (): MemoryFigureRow => ({
      condition,
      type,
      validity: validity as Outcome,
      skip: null,
      correct: validity === "correct",
    }))
  );
const options: MemoryFigureOptions = {
  variant: "m",
  pairs: { both: 4, focusedOnly: 5, fullOnly: 1, neither: 0 },
  pairsOf: "asked under both conditions",
  tokens: { focused: 251, full: 112_767.5 },
};
const draw = async (given: readonly MemoryFigureRow[], over: Partial<MemoryFigureOptions> = {}) => {
  const { svg, alt } = await longMemEvalFigure(given, { ...options, ...over });
  const { document } = parseHTML(`<html><body>${svg}</body></html>`);
  return {
    svg,
    alt,
    texts: [...document.querySelectorAll("text")].map((text) => text.textContent ?? ""),
    bars: [...document.querySelectorAll("[aria-label=bar] rect")].map((bar) =>
      Number(bar.getAttribute("height"))
    ),
    widths: [...document.querySelectorAll("[aria-label=rect] rect")].map((bar) =>
      Number(bar.getAttribute("width"))
    ),
  };
};

Deno.test("longMemEvalFigure() draws bars as high as the shares, with counts, tokens and the table of pairs", async () => {
  const { texts, bars, alt } = await draw([
    ...rows("focused", { correct: 9, wrong: 1 }),
    ...rows("full", { correct: 3, wrong: 6, abstained: 1 }),
  ]);
  assert.equal(bars.length, 2);
  assert.ok(Math.abs((bars[1] ?? 0) / (bars[0] ?? 1) - 3 / 9) < 0.01, `${bars}`);
  for (const text of ["9/10 = 90.0%", "3/10 = 30.0%", "10 questions", "4", "5", "1", "0", "abstained 1"]) {
    assert.ok(texts.includes(text), `${text} in ${texts.join(" | ")}`);
  }
  assert.ok(texts.some((text) => text.includes("112,768 tokens")), texts.join(" | "));
  assert.match(alt, /focused: 9\/10 correct = 90\.0% .*; full: 3\/10/);
});

Deno.test("longMemEvalFigure() shows valid rows as bars and all rows beside them, and warns in its title", async () => {
  const given = [
    ...rows("focused", { correct: 10 }),
    ...rows("full", { correct: 4, wrong: 1, truncated: 5 }),
  ];
  const { texts, svg } = await draw(given);
  assert.ok(texts.includes("4/5 = 80.0%"));
  assert.ok(texts.some((text) => text === "LongMemEval, m: 25.0% of rows invalid"));
  assert.ok(texts.includes("truncated 5") && texts.some((text) => text.startsWith("all rows sent")));
  assert.match(svg, /<circle/);
});

Deno.test("longMemEvalFigure() gives each question type a pair of bars with its counts", async () => {
  const given = ["multi-session", "abstention"].flatMap((type) => [
    ...rows("focused", { correct: 3, wrong: 1 }, type),
    ...rows("full", { correct: 1, wrong: 3 }, type),
  ]);
  const { texts, widths } = await draw(given);
  assert.equal(widths.length, 4);
  assert.ok(Math.abs((widths[1] ?? 0) / (widths[0] ?? 1) - 1 / 3) < 0.01);
  assert.equal(texts.filter((text) => text === "3/4 = 75.0%").length, 2);
  assert.ok(texts.includes("multi-session") && texts.includes("abstention"));
  assert.ok(!(await draw(given.map((row) => ({ ...row, type: null })))).texts.includes("By question type"));
});

Deno.test("longMemEvalFigure() says why a bar is missing, and keeps hostile names as text", async () => {
  const skipped = rows("full", { correct: 2 }).map((row) => ({ ...row, validity: null, skip: "window" }));
  const { texts, svg, bars } = await draw([...rows("focused", { wrong: 2 }), ...skipped], {
    pairs: null,
    variant: "<script>&",
  });
  assert.ok(texts.some((text) => text.includes("no row fits the window")));
  assert.ok(texts.includes("skipped, beyond the window 2"));
  assert.equal(bars.length, 1);
  assert.doesNotMatch(svg, /<script>/);
  await draw(skipped);
  await assert.rejects(longMemEvalFigure([], options), InputError);
});
