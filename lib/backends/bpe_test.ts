import assert from "node:assert/strict";
import { createPieceEncoder, readTiktoken } from "./bpe.ts";

const lines = (tokens: readonly string[]) =>
  new TextEncoder().encode(tokens.map((token, rank) => `${btoa(token)} ${rank}`).join("\n"));

Deno.test("readTiktoken() knows each token by its bytes and gives them back", () => {
  const vocabulary = readTiktoken(lines(["a", "b", "ab", "\xff\x00\n"]));
  assert.equal(vocabulary.size, 4);
  const bytes = new TextEncoder().encode("xabx");
  assert.equal(vocabulary.id(bytes, 1, 3), 2);
  assert.equal(vocabulary.id(bytes, 0, 1), -1);
  assert.equal(vocabulary.id(new Uint8Array([255, 0, 10]), 0, 3), 3);
  assert.deepEqual([...vocabulary.bytes([3, 0])], [255, 0, 10, 97]);
});

Deno.test("readTiktoken() refuses a line that is not a token and its rank", () => {
  for (const text of ["YQ==", "YQ== 1", "YQ== x", "YQ== 0\n\nYg== 1"]) {
    assert.throws(() => readTiktoken(new TextEncoder().encode(text)), RangeError, text);
  }
});

Deno.test("createPieceEncoder() merges the pair of the lowest rank first, the leftmost of equals", () => {
  const vocabulary = readTiktoken(lines(["a", "b", "c", "bc", "ab", "aa", "aaa"]));
  const encoder = createPieceEncoder(vocabulary);
  const encode = (piece: string) => {
    const ids: number[] = [];
    encoder.encode(piece, ids);
    return ids;
  };
  assert.deepEqual(encode("abc"), [0, 3]);
  assert.deepEqual(encode("aaaaa"), [5, 6]);
  assert.deepEqual(encode("abab"), [4, 4]);
  assert.throws(() => encode("abd"), RangeError);
});
