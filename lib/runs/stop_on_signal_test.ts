import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

Deno.test("stopOnSignal() stops at the first signal and leaves with 130 at the second", {
  ignore: Deno.build.os === "windows",
}, async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", fileURLToPath(new URL("./testing/stopped_run.ts", import.meta.url))],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const decoder = new TextDecoder();
  let text = "";
  let signals = 0;
  for await (const bytes of child.stdout) {
    text += decoder.decode(bytes, { stream: true });
    const wanted = text.split("\n").length - 1;
    for (; signals < wanted; signals++) child.kill(signals === 0 ? "SIGTERM" : "SIGINT");
  }
  assert.equal(text, "ready\nstopping\n");
  assert.equal((await child.status).code, 130);
});
