/**
 * Finds special tokens in text that comes in pieces.
 * @module
 */
import { idOfSpecial, JOINER } from "./special_tokens.ts";

/** Receives what a {@linkcode TextScanner} finds, in order. */
export interface ScanVisitor {
  /** Plain text, unescaped; `position` is where it begins in the whole text. */
  plain(text: string, position: number): void;
  /** A special token, written `<|name|>` at `position`. */
  special(name: string, position: number): void;
}

/** Longest name of a special token. */
const LONGEST = 16;
/** What has been seen of `<|name|>`: nothing, `<`, `<|` and joiners, part of the name, `<|name|`. */
type Stage = 0 | 1 | 2 | 3 | 4;

/**
 * Cuts text at special tokens. A token may be split over pieces in any way; what could be the beginning of one is held
 * back. Escaped tokens (see {@linkcode escapeSpecials}) are text, without the escape. Time is linear in the text.
 */
export class TextScanner {
  readonly #visitor: ScanVisitor;
  #stage: Stage = 0;
  #held = "";
  #heldFrom = 0;
  #name = "";
  #joiners = 0;
  #position = 0;
  #plain = "";
  #plainFrom = 0;

  /** Nothing seen yet. */
  constructor(visitor: ScanVisitor) {
    this.#visitor = visitor;
  }

  /** UTF-16 units seen so far. */
  get position(): number {
    return this.#position;
  }

  /** Takes the next piece. */
  push(piece: string): void {
    for (let i = 0; i < piece.length;) {
      if (this.#stage === 0) {
        const open = piece.indexOf("<", i);
        const to = open === -1 ? piece.length : open;
        this.#addPlain(piece.slice(i, to));
        i = to;
        if (open === -1) break;
      }
      this.#step(piece[i] as string);
      i++;
    }
    this.#flush();
  }

  /** Gives what was held back: no piece will follow. */
  finish(): void {
    this.#release();
    this.#flush();
  }

  #step(char: string): void {
    const { expects, next } = this.#next(char);
    if (!expects) {
      this.#release();
      if (char === "<") {
        this.#stage = 1;
        this.#held = char;
        this.#heldFrom = this.#position++;
      } else this.#addPlain(char);
      return;
    }
    if (this.#held === "") this.#heldFrom = this.#position;
    this.#held += char;
    this.#position++;
    this.#stage = next;
    if (this.#stage === 0) this.#complete();
  }

  #next(char: string): { expects: boolean; next: Stage } {
    const isName = (char >= "a" && char <= "z") || (char >= "0" && char <= "9") || char === "_";
    switch (this.#stage) {
      case 0:
        return { expects: char === "<", next: 1 };
      case 1:
        return { expects: char === "|", next: 2 };
      case 2:
        if (char === JOINER) {
          this.#joiners++;
          return { expects: true, next: 2 };
        }
        if (isName) this.#name = char;
        return { expects: isName, next: 3 };
      case 3:
        if (char === "|") return { expects: true, next: 4 };
        if (isName) this.#name += char;
        return { expects: isName && this.#name.length <= LONGEST, next: 3 };
      case 4:
        return { expects: char === ">", next: 0 };
    }
  }

  /** `<|name|>` is whole. */
  #complete(): void {
    const known = idOfSpecial(this.#name) !== undefined;
    if (known && this.#joiners > 0) this.#held = `<|${this.#held.slice(3)}`;
    if (!known || this.#joiners > 0) return this.#release();
    const name = this.#name;
    this.#flush();
    const from = this.#heldFrom;
    this.#reset();
    this.#visitor.special(name, from);
  }

  /** What was held is plain text after all. It has been counted already. */
  #release(): void {
    if (this.#held !== "") {
      if (this.#plain === "") this.#plainFrom = this.#heldFrom;
      this.#plain += this.#held;
    }
    this.#reset();
  }

  #reset(): void {
    this.#stage = 0;
    this.#held = "";
    this.#name = "";
    this.#joiners = 0;
  }

  #addPlain(text: string): void {
    if (text === "") return;
    if (this.#plain === "") this.#plainFrom = this.#position;
    this.#plain += text;
    this.#position += text.length;
  }

  #flush(): void {
    if (this.#plain === "") return;
    const text = this.#plain;
    this.#plain = "";
    this.#visitor.plain(text, this.#plainFrom);
  }
}
