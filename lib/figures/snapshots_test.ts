import assert from "node:assert/strict";
import { wilson } from "../stats/wilson.ts";
import { comparisonFigure } from "./comparison_figure.ts";
import { contrast } from "./contrast.ts";
import { longMemEvalFigure } from "./longmemeval_figure.ts";
import type { MemoryFigureRow } from "./longmemeval_rows.ts";
import { accuracyByLength, niahHeatmap } from "./niah_figures.ts";
import type { FigureRow, Outcome } from "./outcomes.ts";
import { agreementFigure, confusionFigure } from "./parity_figures.ts";
import { assertSnapshot } from "./testing/snapshot.ts";
import { COLORS, SHARE_COLORS } from "./theme.ts";

const niahRows = [500, 2000].flatMap((length) =>
  [0, 50, 100].flatMap((depth) =>
    Array.from({ length: 3 }, (_, trial): FigureRow => {
      const validity: Outcome = length === 500
        ? "correct"
        : depth === 0
        ? "truncated"
        : trial === 0
        ? "wrong"
        : "correct";
      return { length, depth, skip: null, validity, correct: validity === "correct" };
    })
  )
);
const niahOptions = {
  variant: "a-model",
  window: 1024,
  thresholds: [{ label: "RULER: 500 tokens", value: 0.856 }],
  rowsOf: ({ length, depth }: { length: number; depth: number }) => `length=${length}&depth=${depth}`,
};

Deno.test("the figures look as when they were last looked at", async () => {
  await assertSnapshot("niah_heatmap", (await niahHeatmap(niahRows, niahOptions)).svg);
  await assertSnapshot(
    "accuracy_by_length",
    (await accuracyByLength(niahRows, { ...niahOptions, simulated: true })).svg,
  );
  const memory = (condition: "focused" | "full", right: number): MemoryFigureRow[] =>
    Array.from(
      { length: 6 },
      (_, i) => ({
        condition,
        type: null,
        validity: i < right ? "correct" : "wrong",
        skip: null,
        correct: i < right,
      }),
    );
  await assertSnapshot(
    "longmemeval",
    (await longMemEvalFigure([...memory("focused", 5), ...memory("full", 2)], {
      variant: "a-model",
      pairs: { both: 2, focusedOnly: 3, fullOnly: 0, neither: 1 },
      pairsOf: "asked under both conditions",
      tokens: { focused: 251, full: 112_767.5 },
    })).svg,
  );
  const curve = (variant: string, right: number) => {
    const share = wilson(right, 6);
    return {
      variant,
      points: [{ place: 500, valid: share, raw: share }, {
        place: 2000,
        valid: wilson(1, 6),
        raw: wilson(1, 6),
      }],
      all: { valid: share, raw: share },
      invalidShare: 0,
    };
  };
  const panel = {
    title: "Needle in a haystack",
    unit: "tokens" as const,
    conditions: [],
    curves: [curve("one", 6), curve("other", 4)],
  };
  await assertSnapshot("comparison", (await comparisonFigure([panel], { test: false, simulated: [] })).svg);
  const sides = ["api", "local"] as const;
  await assertSnapshot(
    "agreement",
    (await agreementFigure([{
      label: "rows both parsed",
      count: 63,
      n: 66,
      share: 63 / 66,
      interval: [0.875, 0.984],
      self: false,
    }], { sides, criterion: 0.95 })).svg,
  );
  await assertSnapshot("confusion", confusionFigure([[50, 1, 2], [3, 13, 5], [4, 10, 14]], { sides }).svg);
});

Deno.test("a heatmap says which rows a cell stands for, as the query of an inspector", async () => {
  const { svg } = await niahHeatmap(niahRows, niahOptions);
  assert.equal(svg.match(/<g data-rows="length=\d+&amp;depth=\d+"><title>/g)?.length, 6);
  assert.ok(svg.includes("<title>2,000 tokens, depth 50%: 2/3 right</title>"));
  assert.ok(svg.includes("<title>2,000 tokens, depth 0%: no valid row, T3</title>"));
});

Deno.test("words of figures stand at a contrast of 4.5 on their ground, lines and bars at 3", () => {
  for (const text of ["text", "faint", "warning", "rule", "rule2"] as const) {
    assert.ok(
      contrast(COLORS[text], COLORS.background) >= 4.5,
      `${text}: ${contrast(COLORS[text], COLORS.background)}`,
    );
  }
  for (const line of ["valid", "raw"] as const) {
    assert.ok(contrast(COLORS[line], COLORS.background) >= 3, line);
  }
  assert.ok(contrast(COLORS.text, COLORS.empty) >= 4.5, "marks on hatched cells");
});

/** What a colour looks like without red (protanopia) or green (deuteranopia) cones: Viénot, Brettel and Mollon (1999). */
function seen(hex: string, blind: "protan" | "deutan"): [number, number, number] {
  const [r, g, b] = [1, 3, 5].map((at) => (parseInt(hex.slice(at, at + 2), 16) / 255) ** 2.2) as [
    number,
    number,
    number,
  ];
  const [kr, kg] = blind === "protan" ? [0.11238, 0.88762] : [0.29275, 0.70725];
  const mixed = kr * r + kg * g;
  const [x, y] = blind === "protan" ? [0.00401, -0.00401] : [-0.02234, 0.02234];
  return [mixed, mixed, x * r + y * g + b].map((c) => Math.max(0, c) ** (1 / 2.2)) as [
    number,
    number,
    number,
  ];
}

Deno.test("the colours of shares are told apart without red or green cones", () => {
  for (const blind of ["protan", "deutan"] as const) {
    const colors = SHARE_COLORS.map(({ fill }) => seen(fill, blind));
    for (const [i, a] of colors.entries()) {
      for (const b of colors.slice(i + 1)) {
        const distance = Math.hypot(...a.map((c, k) => c - (b[k] as number)));
        assert.ok(distance > 0.15, `${blind}: ${distance}`);
      }
    }
  }
});
