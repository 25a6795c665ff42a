/**
 * Finds what a parser says of a cell.
 * @module
 */

/** What Deno's parser says of TypeScript that it cannot parse, with line and column; null when it can. */
export async function syntaxProblem(code: string): Promise<string | null> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--no-config", "--ext=ts", "-"],
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(code));
  await writer.close();
  const { success, stderr } = await child.output();
  if (success) return null;
  const text = new TextDecoder().decode(stderr);
  const [, line, column] = /_stdin\.ts:(\d+):(\d+)/.exec(text) ?? [];
  const what = text.replace(/^error: /, "").split(/\n\s*at file:/, 1)[0]?.trim() ?? "";
  return line === undefined ? what : `${what}\n    at line ${line}, column ${column}`;
}
