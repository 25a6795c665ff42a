import assert from "node:assert/strict";
import { decodeMessage, encodeMessage } from "./protocol.ts";

const bytes = (frames: readonly string[]) => frames.map((frame) => new TextEncoder().encode(frame));
const request = { type: "execute_request", id: "1", session: "s", content: { code: "'é 🧪'" } };

Deno.test("decodeMessage() reads what encodeMessage() wrote, behind routing frames", () => {
  const frames = bytes(["route", ...encodeMessage(request, "key")]);
  assert.deepEqual(decodeMessage(frames, "key"), {
    type: "execute_request",
    id: "1",
    parentId: null,
    content: request.content,
  });
});

Deno.test("decodeMessage() refuses a message that was signed with another key, changed, or cut", () => {
  const frames = encodeMessage(request, "key");
  assert.equal(decodeMessage(bytes(frames), "other"), null);
  assert.equal(decodeMessage(bytes(frames.with(-1, '{"code":"1"}')), "key"), null);
  assert.equal(decodeMessage(bytes(frames.with(1, "")), "key"), null);
  assert.equal(decodeMessage(bytes(frames.slice(0, -1)), "key"), null);
  assert.equal(decodeMessage([], "key"), null);
});
