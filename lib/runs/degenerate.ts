/**
 * Outputs that are an engine's failure and no answer: loops, pad runs, nothing.
 * @module
 */

/** A text that ends in the same piece again and again. */
export interface Loop {
  /** The piece that repeats. */
  readonly unit: string;
  /** How often it stands in the looked-at end of the text; a cut last one counts in part. */
  readonly repeats: number;
}

const TAIL = 8000;
const SPECIAL =
  /<(?:pad|unk|s|\/s|bos|eos|mask|unused\d{1,5})>|\[(?:pad|unk|mask|cls|sep)\]|<[|｜][^<>|｜\s]{1,40}[|｜]>|[\0\uFFFD]/gi;

/**
 * The loop a text ends in: a unit that stands at least 6 times over 24 characters, or at least 3 times with 60
 * repeated characters. Looks at the last 8,000 characters; linear (prefix function of the reversed end).
 */
export function findLoop(text: string): Loop | null {
  const tail = text.slice(-TAIL).trimEnd();
  const n = tail.length;
  const at = (i: number) => tail.charCodeAt(n - 1 - i);
  const border = new Int32Array(n);
  let best: { length: number; period: number } | null = null;
  for (let i = 1, k = 0; i < n; i++) {
    while (k > 0 && at(i) !== at(k)) k = border[k - 1] as number;
    if (at(i) === at(k)) k++;
    border[i] = k;
    const length = i + 1;
    const period = length - k;
    const repeats = length / period;
    if ((repeats >= 6 && length >= 24) || (repeats >= 3 && k >= 60)) best = { length, period };
  }
  return best && { unit: tail.slice(n - best.period), repeats: best.length / best.period };
}

/**
 * Whether a text goes round in circles without being an exact loop: of its last 20,000 characters, fewer than a
 * quarter of the runs of three words are distinct. Texts under 120 words are not judged.
 */
export function isRepetitive(text: string): boolean {
  const words = text.slice(-20_000).split(/\s+/);
  if (words.length < 120) return false;
  const seen = new Set<string>();
  for (let i = 2; i < words.length; i++) seen.add(`${words[i - 2]} ${words[i - 1]} ${words[i]}`);
  return seen.size < (words.length - 2) / 4;
}

/** Why an output is no text, or null: nothing but space, or special tokens in place of text (three or more in a row, or nothing else). */
export function noText(output: string): string | null {
  if (output.trim() === "") return "empty output";
  for (const part of [output.slice(0, 20_000), output.slice(-20_000)]) {
    const marked = part.replace(SPECIAL, "\0");
    if (/\0\s*\0\s*\0/.test(marked)) return "pad or special tokens in a row";
    if (!/[^\0\s]/.test(marked)) return "nothing but special tokens";
  }
  return null;
}

/** Why an output is degenerate, or null: no text (see {@linkcode noText}), an exact loop, or circling text. */
export function degeneracy(output: string): string | null {
  const none = noText(output);
  if (none !== null) return none;
  const loop = findLoop(output);
  if (loop) return `loop: ${JSON.stringify(clip(loop.unit))} ${Math.floor(loop.repeats)} times or more`;
  return isRepetitive(output) ? "repeats itself without end" : null;
}

function clip(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}...` : text;
}
