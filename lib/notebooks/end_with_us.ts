/**
 * A process group that does not outlive this process.
 * @module
 */

/** Waits for a line; when its standard input ends without one, the other side is dead, and the group is killed. */
const SCRIPT = 'read -r _ || kill -KILL "-$0"';

/**
 * Kills a process group at once when this process dies without closing what is returned, kill -9 included: a kernel
 * that is starting, or that is busy in a loop, does not notice by itself. A shell in a group of its own does it;
 * Windows has none, and there a kernel ends when it next reads its standard input.
 *
 * @param pid of the group's leader.
 */
export function endWithUs(pid: number): AsyncDisposable {
  if (Deno.build.os === "windows") return { [Symbol.asyncDispose]: () => Promise.resolve() };
  const shell = new Deno.Command("/bin/sh", {
    args: ["-c", SCRIPT, String(pid)],
    stdin: "piped",
    stdout: "null",
    stderr: "null",
    detached: true,
  }).spawn();
  return {
    async [Symbol.asyncDispose]() {
      const writer = shell.stdin.getWriter();
      await writer.write(new TextEncoder().encode("live\n")).catch(() => {});
      await writer.close().catch(() => {});
      await shell.status;
    },
  };
}
