import assert from "node:assert/strict";
import fc from "fast-check";
import { TextStream } from "./text_stream.ts";

const bytes = (text: string) => [...new TextEncoder().encode(text)];
const decode = (ids: number[]) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(ids));

function stream(ids: readonly number[], stops: readonly string[] = []) {
  const out = new TextStream(decode, stops);
  const deltas = [];
  for (const id of ids) {
    if (out.stopped) break;
    deltas.push(out.push(id));
  }
  deltas.push(out.finish());
  return { out, deltas };
}

Deno.test("TextStream never gives half a character when tokens are single bytes", () => {
  const text = "é, 漢字 and 🙂!";
  const { deltas } = stream(bytes(text));
  assert.equal(deltas.join(""), text);
  for (const delta of deltas) assert.ok(!delta.includes("\ufffd"), delta);
});

Deno.test("TextStream gives the text of all tokens when there is no stop string", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.nat(255), fc.constantFrom(0xf0, 0x9f, 0x99, 0x82, 0x61))), (ids) => {
      const { out, deltas } = stream(ids);
      assert.equal(deltas.join(""), decode(ids));
      assert.equal(out.text, decode(ids));
    }),
  );
});

Deno.test("TextStream ends before the first stop string and never gives a part of it", () => {
  const letters = fc.constantFrom("a", "b", "c");
  const word = fc.array(letters, { minLength: 1, maxLength: 4 }).map((list) => list.join(""));
  fc.assert(
    fc.property(fc.array(letters, { maxLength: 30 }), fc.array(word, { maxLength: 3 }), (list, stops) => {
      const text = list.join("");
      const { out, deltas } = stream(bytes(text), stops);
      // By hand: the first token after which a stop is there; the text before the earliest of them.
      let expected = text;
      for (let end = 1; end <= text.length; end++) {
        const starts = stops.map((stop) => text.slice(0, end).indexOf(stop)).filter((at) => at >= 0);
        if (starts.length === 0) continue;
        expected = text.slice(0, Math.min(...starts));
        break;
      }
      assert.equal(out.text, expected);
      assert.equal(deltas.join(""), expected);
      assert.equal(out.stopped, stops.some((stop) => text.includes(stop)));
    }),
  );
});
