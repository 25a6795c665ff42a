/**
 * Text out of tokens as they come: never half a character, never part of a stop string.
 * @module
 */

/** What an unfinished or broken UTF-8 sequence decodes to. */
const BROKEN = "\ufffd";

/** Collects tokens and tells which text is certain. Tokens are decoded with the neighbours that shape their text. */
export class TextStream {
  readonly #decode: (ids: number[]) => string;
  readonly #stops: readonly string[];
  readonly #ids: number[] = [];
  #context = 0; // first token decoded again, for what the decoder does at the beginning of a text
  #read = 0; // tokens before this one are settled
  #settled = ""; // text of settled tokens
  #emitted = 0;
  #stopped = false;

  /**
   * No tokens yet.
   *
   * @param decode text of token ids.
   * @param stops strings that end the text; the empty string is ignored.
   */
  constructor(decode: (ids: number[]) => string, stops: readonly string[] = []) {
    this.#decode = decode;
    this.#stops = stops.filter((stop) => stop !== "");
  }

  /** Whether a stop string has appeared: the text is complete. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** All text given out so far. */
  get text(): string {
    return this.#settled.slice(0, this.#emitted);
  }

  /** Adds a token and gives the text that is now certain beyond what was given before. */
  push(id: number): string {
    if (this.#stopped) return "";
    this.#ids.push(id);
    const fresh = this.#fresh();
    if (fresh.endsWith(BROKEN)) return ""; // perhaps a character whose bytes are still to come
    this.#settled += fresh;
    this.#context = this.#read;
    this.#read = this.#ids.length;
    return this.#release(false);
  }

  /** Gives what was held back: no token will follow. */
  finish(): string {
    if (this.#stopped) return "";
    this.#settled += this.#fresh();
    this.#read = this.#ids.length;
    return this.#release(true);
  }

  #fresh(): string {
    const known = this.#decode(this.#ids.slice(this.#context, this.#read));
    return this.#decode(this.#ids.slice(this.#context)).slice(known.length);
  }

  #release(all: boolean): string {
    const from = this.#emitted;
    // Nothing given out before ends in the beginning of a stop string, so none can start before `from`.
    const found = this.#stops.map((stop) => this.#settled.indexOf(stop, from)).filter((at) => at !== -1);
    this.#stopped = found.length > 0;
    if (this.#stopped) this.#settled = this.#settled.slice(0, Math.min(...found));
    const held = all || this.#stopped ? 0 : heldBack(this.#settled.slice(from), this.#stops);
    this.#emitted = this.#settled.length - held;
    return this.#settled.slice(from, this.#emitted);
  }
}

/** Length of the longest end of `text` that a stop string begins with. */
function heldBack(text: string, stops: readonly string[]): number {
  let held = 0;
  for (const stop of stops) {
    for (let length = Math.min(stop.length - 1, text.length); length > held; length--) {
      if (stop.startsWith(text.slice(-length))) held = length;
    }
  }
  return held;
}
