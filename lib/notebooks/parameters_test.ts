import assert from "node:assert/strict";
import fc from "fast-check";
import { InputError } from "../base/errors.ts";
import type { Json } from "../base/hash.ts";
import { parseNotebook } from "./notebook.ts";
import { declaredParameters, injectParameters, toLiteral } from "./parameters.ts";
import { notebookJson } from "./testing/make_notebook.ts";

const read = (literal: string) => new Function(`"use strict"; return (${literal});`)();

Deno.test("toLiteral() gives an expression of the same value, whatever the strings hold", () => {
  fc.assert(fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
    const literal = toLiteral(value as Json);
    assert.deepEqual(read(literal), value);
    assert.doesNotMatch(literal, /[<\n\u2028\u2029]/);
  }));
  for (const number of [NaN, Infinity, -Infinity, -0, 1e300, 0.1]) {
    assert.ok(Object.is(read(toLiteral(number)), number));
  }
  const object = read(toLiteral(JSON.parse('{"__proto__": {"x": 1}}')));
  assert.deepEqual(Object.keys(object), ["__proto__"]);
});

Deno.test("declaredParameters() finds constants and variables at the beginning of lines", () => {
  const source = "// const no = 1\nconst seed = 1;\nlet größe: number = 2;\n  const inner = 3;\nconst $a=4";
  assert.deepEqual([...declaredParameters(source)], [["seed", "const"], ["größe", "let"], ["$a", "const"]]);
});

Deno.test("injectParameters() puts one cell behind the parameters cell and replaces an earlier one", () => {
  const notebook = parseNotebook(
    notebookJson(["0", { source: "const a = 1;\nlet b = 2;", tags: ["parameters"] }, "a + b"]),
    "x.ipynb",
  );
  const once = injectParameters(notebook, { b: 5 }, "x.ipynb");
  assert.deepEqual(once.cells.map((cell) => cell.source), [
    "0",
    "const a = 1;\nlet b = 2;",
    "// Parameters\nlet b = 5;",
    "a + b",
  ]);
  const twice = injectParameters(once, { a: "x" }, "x.ipynb");
  assert.deepEqual(twice.cells.map((cell) => cell.source)[2], '// Parameters\nconst a = "x";');
  assert.equal(twice.cells.length, 4);
  assert.equal(injectParameters(once, {}, "x.ipynb").cells.length, 3);
});

Deno.test("injectParameters() refuses a notebook without a parameters cell", () => {
  const notebook = parseNotebook(notebookJson(["1"]), "x.ipynb");
  assert.throws(() => injectParameters(notebook, { a: 1 }, "x.ipynb"), InputError);
});
