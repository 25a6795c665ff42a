/**
 * Temporary checkpoints and models for tests, and prompts for them.
 * @module
 */
import assert from "node:assert/strict";
import { loadLocalDecoder } from "../local_decoder.ts";
import type { Decoder } from "../types.ts";
import { type TinyCheckpoint, writeTinyCheckpoint } from "./tiny_checkpoint.ts";

/** Runs `use` on a folder with a tiny checkpoint, then removes the folder. */
export async function withCheckpoint(
  options: TinyCheckpoint,
  use: (dir: string) => void | Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await writeTinyCheckpoint(dir, options);
    await use(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Runs `use` on a tiny model in this thread, then frees it. */
export async function withModel(
  options: TinyCheckpoint,
  use: (model: Decoder) => void | Promise<void>,
): Promise<void> {
  await withCheckpoint(options, async (dir) => {
    await using model = await loadLocalDecoder(dir);
    await use(model);
  });
}

/** Token ids that look like noise, the same each time. */
export function prompt(length: number, seed = 7): number[] {
  return Array.from({ length }, (_, i) => (i * i * seed + 31 * i) % 256);
}

/** The largest difference between two arrays, which must have the same length. */
export function worst(a: Float32Array, b: Float32Array): number {
  assert.equal(a.length, b.length);
  return a.reduce((most, x, i) => Math.max(most, Math.abs(x - (b[i] as number))), 0);
}
