/**
 * The errors every room shares.
 * @module
 */

/**
 * Wrong input from the person at the keyboard: a flag, a file, a folder, a variant.
 * Tasks print `message` alone (no stack) and leave with {@linkcode INPUT_ERROR_EXIT}.
 * The message names the value, what was expected, and what to do.
 */
export class InputError extends Error {
  /** Tells it from other errors, also across a kernel. */
  override readonly name = "InputError";
}

/** Exit code of a task that was given wrong input. */
export const INPUT_ERROR_EXIT = 2;

/** Exit code of a task stopped by Ctrl+C. */
export const INTERRUPTED_EXIT = 130;

/** The text of anything thrown, with the texts of its causes. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : ` (${messageOf(error.cause)})`;
  return error.message + cause;
}
