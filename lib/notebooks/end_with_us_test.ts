import assert from "node:assert/strict";
import { endWithUs } from "./end_with_us.ts";

const HERE = JSON.stringify(new URL("./end_with_us.ts", import.meta.url).href);
const SLEEP = `new Deno.Command("sleep", { args: ["60"], detached: true }).spawn()`;

async function isGone(pid: number): Promise<boolean> {
  for (let i = 0; i < 50; i++) {
    const state = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => ") Z");
    if (state.includes(") Z")) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

Deno.test({
  name: "endWithUs() ends a process when its starter is killed, and leaves it alone once closed",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const starter = new Deno.Command(Deno.execPath(), {
      args: [
        "eval",
        `const { endWithUs } = await import(${HERE}); const child = ${SLEEP}; endWithUs(child.pid); ` +
        "console.log(child.pid); await child.status;",
      ],
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reader = starter.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const pid = Number((await reader.read()).value);
    assert.ok(pid > 0);
    starter.kill("SIGKILL");
    await starter.status;
    await reader.cancel();
    assert.ok(await isGone(pid), `process ${pid} lives on`);

    const child = new Deno.Command("sleep", { args: ["60"], detached: true }).spawn();
    await endWithUs(child.pid)[Symbol.asyncDispose]();
    child.kill("SIGTERM");
    assert.equal((await child.status).signal, "SIGTERM", "it lived until it was ended");
  },
});
