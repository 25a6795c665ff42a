/**
 * Figures as they were when somebody last looked at them.
 * @module
 */
import assert from "node:assert/strict";

/**
 * Compares an SVG with the one that is kept under a name, tag by tag. `UPDATE_SNAPSHOTS=1 deno task test lib/figures`
 * keeps the figures as they are now; look at them before they are committed.
 */
export async function assertSnapshot(name: string, svg: string): Promise<void> {
  const path = new URL(`./snapshots/${name}.svg`, import.meta.url);
  const lines = `${svg.replaceAll("><", ">\n<")}\n`;
  if (Deno.env.get("UPDATE_SNAPSHOTS") === "1") {
    await Deno.mkdir(new URL(".", path), { recursive: true });
    await Deno.writeTextFile(path, lines);
  }
  const kept = await Deno.readTextFile(path);
  assert.deepEqual(
    lines.split("\n"),
    kept.split("\n"),
    `the figure ${name} has changed: look at it, then keep it with UPDATE_SNAPSHOTS=1`,
  );
}
