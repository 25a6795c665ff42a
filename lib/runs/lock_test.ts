import assert from "node:assert/strict";
import { hostname } from "node:os";
import { fileURLToPath } from "node:url";
import { lockRun } from "./lock.ts";

function start(path: string): Deno.ChildProcess {
  const script = fileURLToPath(new URL("./testing/held_lock.ts", import.meta.url));
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", script, path],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

async function firstLine(child: Deno.ChildProcess): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const bytes of child.stdout) {
    text += decoder.decode(bytes, { stream: true });
    if (text.includes("\n")) break;
  }
  return text;
}

Deno.test("lockRun() names the process that holds the run, and takes the lock of a killed one", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/.pocket_niah.lock`;
  const holder = start(path);
  assert.equal(await firstLine(holder), "held\n");
  await assert.rejects(lockRun(path), (error: Error) => {
    assert.equal(error.name, "InputError");
    assert.ok(error.message.includes(`process ${holder.pid} on ${hostname()}`), error.message);
    return true;
  });
  holder.kill("SIGKILL");
  await holder.status;
  assert.ok(await Deno.stat(path), "the killed process left its file");
  {
    using _ = await lockRun(path);
    await assert.rejects(lockRun(path), { name: "InputError" });
  }
  assert.deepEqual([...Deno.readDirSync(folder)], []);
  using _again = await lockRun(path);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("lockRun() lets exactly one of several processes in", async () => {
  const folder = await Deno.makeTempDir();
  const children = [0, 1, 2].map(() => start(`${folder}/.run.lock`));
  const lines = await Promise.all(children.map(firstLine));
  assert.equal(lines.filter((line) => line === "held\n").length, 1, lines.join(""));
  assert.equal(lines.filter((line) => /already going on/.test(line)).length, 2);
  for (const [i, child] of children.entries()) {
    if (lines[i] === "held\n") child.kill("SIGKILL");
    await child.status;
  }
  await Deno.remove(folder, { recursive: true });
});
