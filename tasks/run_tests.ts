/**
 * `deno task test`: runs the tests and ends with one line, `N passed, N failed, N skipped`.
 * Arguments go to `deno test`: files, folders, `--filter`.
 *
 * Tests run one file at a time: many start kernels or measure time, and two cores have to do.
 * @module
 */

const root = new URL("..", import.meta.url);

/** What tests may do: they start kernels and servers, load native addons and write to temporary folders. */
const PERMISSIONS = ["--allow-all"];

const child = new Deno.Command(Deno.execPath(), {
  args: ["test", ...PERMISSIONS, ...Deno.args],
  cwd: root,
  stdin: "null",
  stdout: "piped",
  stderr: "inherit",
}).spawn();

let tail = "";
const decoder = new TextDecoder();
for await (const chunk of child.stdout) {
  for (let at = 0; at < chunk.length;) at += Deno.stdout.writeSync(chunk.subarray(at));
  tail = (tail + decoder.decode(chunk, { stream: true })).slice(-4000);
}
const { code } = await child.status;

// deno-lint-ignore no-control-regex
const plain = tail.replace(/\x1b\[[0-9;]*m/g, "");
const summary = [...plain.matchAll(/^(?:ok|FAILED) \| (\d+) passed.*? \| (\d+) failed(.*)$/gm)].at(-1);
const passed = Number(summary?.[1] ?? 0);
// Deno may fail without a failed test: a file that does not type-check, a sanitizer, an error outside a test.
const failed = Math.max(Number(summary?.[2] ?? 0), code === 0 ? 0 : 1);
const skipped = Number(/(\d+) ignored/.exec(summary?.[3] ?? "")?.[1] ?? 0);
if (summary === undefined) console.log("The tests did not run to their end.");
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
Deno.exit(failed === 0 && summary !== undefined ? 0 : 1);
