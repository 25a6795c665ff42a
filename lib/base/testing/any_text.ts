/**
 * Texts of any kind, for property tests.
 * @module
 */
import fc from "fast-check";

/** Strings of any code points, lone surrogates included; much quicker to set up than fast-check's own `binary` unit. */
export function anyText(most = 12): fc.Arbitrary<string> {
  const edge = fc.constantFrom(
    0,
    9,
    10,
    13,
    0x1b,
    0x22,
    0x26,
    0x27,
    0x3c,
    0x3e,
    0x60,
    0x7f,
    0x9b,
    0x200b,
    0x202e,
    0x2028,
    0xd800,
    0xdfff,
    0xfeff,
    0x1f600,
  );
  const code = fc.oneof(edge, fc.integer({ min: 0, max: 0xff }), fc.integer({ min: 0, max: 0x10ffff }));
  return fc.array(code, { maxLength: most }).map((codes) => String.fromCodePoint(...codes));
}
