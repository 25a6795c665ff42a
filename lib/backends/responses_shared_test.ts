import assert from "node:assert/strict";
import { readResponsesStream } from "./responses.ts";

const file = new URL("../../../shared/data/parity/basic-event-stream.txt", import.meta.url);
const text = await Deno.readTextFile(file).catch(() => null);
if (text === null) {
  console.log("responses_shared_test: skipped, the shared data are not beside this repository");
}

Deno.test({
  name: "readResponsesStream() reads a published stream of twenty events",
  ignore: text === null,
  async fn() {
    const parts: string[] = [];
    const answer = await readResponsesStream(new Response(text), (part) => parts.push(part));
    assert.equal(parts.length, 10);
    assert.equal(parts.join(""), "Hello there! How can I assist you today?");
    assert.deepEqual([answer.text, answer.finishReason], [parts.join(""), "stop"]);
    assert.deepEqual(answer.usage, {
      promptTokens: 18,
      completionTokens: 16,
      cachedTokens: 0,
      reasoningTokens: 0,
    });
  },
});
