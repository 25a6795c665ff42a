import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { loadTokenizer } from "../engine/mod.ts";
import { tokenInfo } from "./token_info.ts";

const tokenizer = await loadTokenizer(fileURLToPath(new URL("../../models/pocket", import.meta.url)));
const info = tokenInfo(tokenizer);

Deno.test("tokenInfo() gives bytes that join to the text, but for characters of several tokens", () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(..."abc defg.,\n\tXYZ019") }), (text) => {
    const ids = tokenizer.encode(text);
    const bytes = ids.flatMap((id) => info(id).bytes ?? [0]);
    assert.equal(new TextDecoder().decode(new Uint8Array(bytes)), text);
    assert.equal(ids.map((id) => info(id).text).join(""), text);
  }));
  const halves = tokenizer.encode("😀");
  assert.ok(halves.length > 1);
  assert.ok(halves.every((id) => info(id).bytes === null));
});

Deno.test("tokenInfo() shows special tokens and gives them no bytes", () => {
  const [end] = tokenizer.encode("<|im_end|>");
  assert.deepEqual(info(end as number), { text: "<|im_end|>", bytes: null });
});

Deno.test("tokenInfo() keeps the space that some decoders drop at the beginning of a text", () => {
  const words = ["a", " fox"];
  const decoder = {
    encode: () => [0],
    decode: (ids: readonly number[]) => ids.map((id) => words[id]).join("").replace(/^ /, ""),
  };
  assert.deepEqual(tokenInfo(decoder)(1), { text: " fox", bytes: [32, 102, 111, 120] });
});
