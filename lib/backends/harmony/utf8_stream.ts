/**
 * Text from bytes that come in pieces.
 * @module
 */

/** The bytes of U+FFFD that may follow its first. */
const REPLACEMENT = [undefined, 0xbf, 0xbd];

/** Decodes UTF-8 piece by piece: bytes of a character that is not whole yet are held back. */
export class Utf8Stream {
  #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  /** How far into the bytes EF BF BD, which truly are U+FFFD. */
  #matched = 0;
  #genuine = 0;
  #given = 0;

  /** The text that is now certain; bytes that are no UTF-8 become U+FFFD. */
  push(bytes: Uint8Array): string {
    const text = this.#decoder.decode(bytes, { stream: true });
    for (const byte of bytes) {
      this.#matched = byte === 0xef ? 1 : byte === REPLACEMENT[this.#matched] ? this.#matched + 1 : 0;
      if (this.#matched === 3) {
        this.#genuine++;
        this.#matched = 0;
      }
    }
    return this.#counted(text);
  }

  /** What was held back, as U+FFFD; the stream begins anew. */
  flush(): string {
    const text = this.#decoder.decode();
    this.#matched = 0;
    return this.#counted(text);
  }

  /** How many U+FFFD stand for bytes that were no UTF-8, since this was asked last. */
  takeInvalid(): number {
    const invalid = this.#given - this.#genuine;
    this.#given = 0;
    this.#genuine = 0;
    return invalid;
  }

  #counted(text: string): string {
    for (let at = text.indexOf("\ufffd"); at !== -1; at = text.indexOf("\ufffd", at + 1)) this.#given++;
    return text;
  }
}
