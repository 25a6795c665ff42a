import assert from "node:assert/strict";
import { html } from "./html.ts";
import { table } from "./table.ts";

Deno.test("table() escapes cells and headers and shows numbers to four decimals, right-aligned", () => {
  const { html: markup, text } = table([{ "<k>": "<img src=x onerror=1>", n: 0.123456 }, {
    "<k>": null,
    n: 12,
  }]);
  assert.doesNotMatch(markup, /<img|<k>/);
  assert.match(markup, /&#60;img/);
  assert.deepEqual(text.split("\n"), [
    "<k>                         n",
    "---------------------  ------",
    "<img src=x onerror=1>  0.1235",
    "                           12",
  ]);
});

Deno.test("table() takes the columns asked for, cuts long cells and says how many rows are left out", () => {
  const rows = Array.from({ length: 60 }, (_, i) => ({ i, long: "x".repeat(1000), other: 1 }));
  const { html: markup, text } = table(rows, { columns: ["long", "i"], maxRows: 2, caption: "Rows" });
  assert.match(text, /^Rows\nlong +i\n/);
  assert.match(text, /58 more rows$/);
  assert.ok(markup.length < 2000);
  assert.doesNotMatch(markup, /other/);
  assert.match(table([]).text, /no rows/);
});

Deno.test("html() escapes values and keeps markup made by itself", () => {
  const hostile = `"><script>alert('1')</script>`;
  const { html: markup, text } = html`<p title="${hostile}">${hostile}${html`<b>${1}</b>`}${[
    html`<i>x</i>`,
    "&",
  ]}</p>`;
  assert.equal((markup.match(/</g) ?? []).length, 6);
  assert.match(markup, /<b>1<\/b><i>x<\/i>&#38;/);
  assert.match(text, /<script>alert\('1'\)<\/script>1x&$/);
});
