/**
 * Lines for people, on stderr.
 * @module
 */

/** `2026-01-31 10:15:00` in local time. */
export function timestamp(date: Date = new Date()): string {
  const two = (n: number) => String(n).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Prints each line of the text to stderr behind `[2026-01-31 10:15:00]`. */
export function log(text: string): void {
  const stamp = timestamp();
  for (const line of text.split("\n")) console.error(`[${stamp}] ${line}`);
}
