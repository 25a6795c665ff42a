import assert from "node:assert/strict";
import { ProtoWriter } from "./protobuf.ts";

Deno.test("ProtoWriter writes the wire format when given each kind of field", () => {
  // Expected bytes are the examples of https://protobuf.dev/programming-guides/encoding/
  assert.deepEqual([...new ProtoWriter().int(1, 150).finish()], [0x08, 0x96, 0x01]);
  assert.deepEqual([...new ProtoWriter().int(1, -2).finish()], [0x08, 0xfe, ...Array(8).fill(0xff), 0x01]);
  assert.deepEqual(
    [...new ProtoWriter().string(2, "testing").finish()],
    [0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67],
  );
  assert.deepEqual([...new ProtoWriter().message(3, new ProtoWriter().int(1, 150)).finish()], [
    0x1a,
    3,
    8,
    0x96,
    1,
  ]);
  assert.deepEqual([...new ProtoWriter().float(4, 1).finish()], [0x25, 0, 0, 0x80, 0x3f]);
  assert.deepEqual([...new ProtoWriter().int(20, 1).finish()], [0xa0, 0x01, 0x01]);
});
