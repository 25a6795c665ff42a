import assert from "node:assert/strict";
import fc from "fast-check";
import {
  FRAMES,
  parsePosition,
  parsePositionName,
  type Position,
  positionName,
  positionSpan,
  positionText,
} from "./position.ts";
import { COMPONENTS, parseSite, siteText } from "./site.ts";

const edge = fc.option(fc.integer({ min: -2000, max: 2000 }));
/** Any position. */
const position: fc.Arbitrary<Position> = fc.oneof(
  fc.record({ frame: fc.constantFrom(...FRAMES), index: fc.integer({ min: -2000, max: 2000 }) }, {
    noNullPrototype: true,
  }),
  fc.record({ frame: fc.constantFrom(...FRAMES), start: edge, end: edge }, { noNullPrototype: true }),
);

Deno.test("positionName() and positionText() are read back as the same position", () => {
  fc.assert(fc.property(position, (given) => {
    assert.deepEqual(parsePositionName(positionName(given)), given);
    assert.deepEqual(parsePosition(positionText(given)), given);
  }));
});

for (
  const [text, name] of [
    ["response[:5]", "response__5"],
    ["response[1:3]", "response_1_3"],
    ["response[:]", "response_all"],
    ["response[-5:]", "response_-5_"],
    ["response[:-1]", "response__-1"],
    ["prompt[-1]", "prompt_-1"],
    ["all[0]", "all_0"],
  ] as const
) {
  Deno.test(`positionName() gives ${name} when the position is ${text}`, () => {
    assert.equal(positionName(parsePosition(text)), name);
    assert.equal(positionText(parsePositionName(name) as Position), text);
  });
}

Deno.test("parsePosition() takes a frame alone as the whole of it", () => {
  assert.equal(positionText(parsePosition("response")), "response[:]");
});

for (
  const text of [
    "",
    "answer[:5]",
    "response[",
    "response[::2]",
    "response[a]",
    "response[1.5]",
    "response[-0]",
  ]
) {
  Deno.test(`parsePosition() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(() => parsePosition(text), { name: "InputError" });
  });
}

for (
  const name of [
    "response",
    "response_",
    "response__",
    "response_01",
    "response_-0",
    "a_all",
    "response_1_2_3",
  ]
) {
  Deno.test(`parsePositionName() gives null when the name is ${name}`, () => {
    assert.equal(parsePositionName(name), null);
  });
}

Deno.test("positionSpan() gives what slicing an array gives", () => {
  fc.assert(
    fc.property(position, fc.nat(12), fc.nat(12), (given, prompt, response) => {
      const tokens = Array.from({ length: prompt + response }, (_, i) => i);
      const frame = given.frame === "prompt"
        ? tokens.slice(0, prompt)
        : given.frame === "response"
        ? tokens.slice(prompt)
        : tokens;
      const expected = "index" in given
        ? [frame.at(given.index)].filter((token) => token !== undefined)
        : frame.slice(given.start ?? 0, given.end ?? undefined);
      const span = positionSpan(given, prompt, tokens.length);
      assert.deepEqual(span === null ? [] : tokens.slice(span.from, span.to), expected);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("parseSite() reads back what siteText() writes", () => {
  const site = fc.record({ component: fc.constantFrom(...COMPONENTS), layer: fc.nat(200), position }, {
    noNullPrototype: true,
  });
  fc.assert(fc.property(site, (given) => assert.deepEqual(parseSite(siteText(given)), given)));
  assert.throws(() => parseSite("resid.1 response[:5]"), { name: "InputError" });
});
