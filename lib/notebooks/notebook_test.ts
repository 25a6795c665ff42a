import assert from "node:assert/strict";
import { InputError } from "../base/errors.ts";
import { formatNotebook, parseNotebook } from "./notebook.ts";

const cell = (fields: Record<string, unknown>) => ({
  cell_type: "code",
  metadata: {},
  source: [],
  ...fields,
});
const file = (cells: unknown[], minor = 5) =>
  JSON.stringify({ nbformat: 4, nbformat_minor: minor, metadata: {}, cells });

Deno.test("parseNotebook() and formatNotebook() keep what they do not know and every line", () => {
  const source = ["a\n", "\n", "b"];
  const given = [
    cell({ id: "x", source, outputs: [], execution_count: null }),
    {
      cell_type: "markdown",
      id: "m",
      metadata: { editable: false },
      attachments: { "a.png": {} },
      source: ["# T"],
    },
  ];
  const notebook = parseNotebook(file(given), "x.ipynb");
  assert.equal(notebook.cells[0]?.source, "a\n\nb");
  assert.deepEqual(JSON.parse(formatNotebook(notebook)).cells, given);
});

Deno.test("parseNotebook() gives cells of older formats ids of their own", () => {
  const notebook = parseNotebook(
    file([cell({ source: "1" }), cell({ id: "a" }), cell({ id: "a" })], 2),
    "x.ipynb",
  );
  const ids = notebook.cells.map((c) => c.id);
  assert.equal(new Set(ids).size, 3);
  assert.ok(ids.every((id) => /^[\w-]{1,64}$/.test(id)));
});

Deno.test("parseNotebook() refuses what is no notebook of format 4", () => {
  for (
    const text of [
      "{",
      "[]",
      '{"nbformat":3,"nbformat_minor":0,"metadata":{},"worksheets":[]}',
      file([{ id: 1 }]),
    ]
  ) {
    assert.throws(() => parseNotebook(text, "x.ipynb"), InputError);
  }
});

Deno.test("formatNotebook() splits texts and SVG into lines and leaves images and JSON whole", () => {
  const data = {
    "text/plain": "a\nb",
    "image/svg+xml": "<svg>\n</svg>",
    "image/png": "AA\n",
    "application/json": { a: "x\ny" },
  };
  const outputs = [{ output_type: "display_data" as const, data, metadata: {} }];
  const text = formatNotebook({
    metadata: {},
    cells: [{ cell_type: "code", id: "a", metadata: {}, source: "", outputs }],
  });
  assert.deepEqual(JSON.parse(text).cells[0].outputs[0].data, {
    "text/plain": ["a\n", "b"],
    "image/svg+xml": ["<svg>\n", "</svg>"],
    "image/png": "AA\n",
    "application/json": { a: "x\ny" },
  });
});
