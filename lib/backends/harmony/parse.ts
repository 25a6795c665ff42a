/**
 * Reads Harmony as it is generated: token by token, or text in pieces.
 * @module
 */
import type { HarmonyEncoding } from "./encoding.ts";
import { MessageMachine } from "./message_machine.ts";
import type { HarmonyResult, ParsedMessage } from "./parse_result.ts";
import { HarmonyParseError, type HarmonyProblemCode, type HarmonyRecovery } from "./problems.ts";
import type { HarmonyHeader, HarmonySegment } from "./render_header.ts";
import { specialOfId } from "./special_tokens.ts";
import { readStripped } from "./stripped.ts";
import { TextScanner } from "./text_scanner.ts";
import type { HarmonyRole } from "./types.ts";
import { Utf8Stream } from "./utf8_stream.ts";

/** How a stream is read. */
export interface HarmonyParserOptions {
  /** The vocabulary, for streams of token ids; text needs none. */
  readonly encoding?: Pick<HarmonyEncoding, "bytes"> | undefined;
  /**
   * Who speaks first, when the stream begins inside a header: `assistant` for a completion. A stream of whole messages
   * when left out.
   */
  readonly startRole?: HarmonyRole | undefined;
  /** `strict` (when left out) fails at the first thing the format does not allow; `recover` never fails. */
  readonly mode?: "strict" | "recover" | undefined;
  /** What of the completion stands in the prompt already: it is read first, at position 0, and heard of by nobody. */
  readonly opening?: readonly HarmonySegment[] | undefined;
  /** Hears of content as it comes, with the header of its message. */
  readonly onContent?: ((delta: string, header: HarmonyHeader) => void) | undefined;
}

/** Where a parser stands: before a message, in a header, in a content, or after the end of the stream. */
export type HarmonyState = "start" | "header" | "content" | "finished";

/**
 * A streaming parser. Feed it tokens with {@linkcode HarmonyParser.push} or text with
 * {@linkcode HarmonyParser.pushText}, not both, then {@linkcode HarmonyParser.finish} it. Time is linear in what it is
 * fed.
 */
export class HarmonyParser {
  readonly #options: HarmonyParserOptions;
  readonly #strict: boolean;
  readonly #messages: ParsedMessage[] = [];
  readonly #recoveries: HarmonyRecovery[] = [];
  readonly #utf8 = new Utf8Stream();
  readonly #scanner: TextScanner;
  readonly #machine: MessageMachine;
  #fed: "ids" | "text" | null = null;
  #failure: HarmonyParseError | null = null;
  #finished = false;
  #position = 0;
  #delta: string | null = null;
  /** The whole text, as long as no special token was in it. */
  #bare: string | null = "";
  /** Length of the content that the opening began; null when it ends in none. */
  #opened: number | null = null;

  /** Nothing read yet. */
  constructor(options: HarmonyParserOptions = {}) {
    this.#options = options;
    this.#strict = (options.mode ?? "strict") === "strict";
    let opening = true;
    this.#machine = new MessageMachine({
      startRole: options.startRole,
      report: (code, position, text) => this.#report(code, position, text),
      onMessage: (message) => this.#messages.push(message),
      onContent: (delta, header) => {
        if (opening) return;
        this.#delta = (this.#delta ?? "") + delta;
        options.onContent?.(delta, header);
      },
    });
    for (const segment of options.opening ?? []) {
      if ("special" in segment) this.#machine.special(segment.special, 0);
      else this.#machine.plain(segment.text, 0);
    }
    opening = false;
    if (this.#machine.state === "content") this.#opened = this.#machine.content.length;
    this.#scanner = new TextScanner({
      plain: (text, position) => this.#plain(text, position),
      special: (name, position) => this.#special(name, position),
    });
  }

  /** The messages that are whole. */
  get messages(): readonly ParsedMessage[] {
    return this.#messages;
  }
  /** What has been wrong so far. */
  get recoveries(): readonly HarmonyRecovery[] {
    return this.#recoveries;
  }
  /** Where it stands. */
  get state(): HarmonyState {
    return this.#finished ? "finished" : this.#machine.state;
  }
  /** Role of the message that is being read; null while it is not known. */
  get currentRole(): HarmonyRole | null {
    return this.#machine.current?.role ?? this.#machine.known ?? null;
  }
  /** Channel of the message whose content is being read. */
  get currentChannel(): string | null {
    return this.#machine.current?.channel ?? null;
  }
  /** Recipient of the message whose content is being read. */
  get currentRecipient(): string | null {
    return this.#machine.current?.recipient ?? null;
  }
  /** Content type of the message whose content is being read. */
  get currentContentType(): string | null {
    return this.#machine.current?.contentType ?? null;
  }
  /** The content so far, without characters that are not whole yet; empty outside of a content. */
  get currentContent(): string {
    return this.#machine.content;
  }
  /** What the last push added to contents; null when it added nothing. */
  get lastContentDelta(): string | null {
    return this.#delta;
  }

  /**
   * Reads a token.
   *
   * @throws {HarmonyParseError} in strict mode, and then again at every later call.
   */
  push(token: number): this {
    const { encoding } = this.#options;
    if (!encoding) throw new Error("A parser of token ids needs an encoding: see loadHarmonyEncoding()");
    this.#feed("ids");
    const position = this.#position++;
    const special = specialOfId(token);
    const bytes = special === undefined ? encoding.bytes(token) : undefined;
    if (bytes) this.#decoded(this.#utf8.push(bytes), position);
    else {
      this.#decoded(this.#utf8.flush(), position);
      if (special !== undefined) this.#special(special, position);
      else {
        this.#report("unknown_token", position, String(token));
        this.#plain("\ufffd", position);
      }
    }
    return this;
  }

  /**
   * Reads a piece of text, special tokens written as `<|start|>`. Pieces may be cut anywhere. What was escaped by
   * {@linkcode escapeSpecials} is text again.
   *
   * @throws {HarmonyParseError} in strict mode, and then again at every later call.
   */
  pushText(piece: string): this {
    this.#feed("text");
    this.#scanner.push(piece);
    return this;
  }

  /**
   * Reads a token of another vocabulary: a special token by its name, or text in which nothing is special.
   *
   * @throws {HarmonyParseError} in strict mode, and then again at every later call.
   */
  pushDecoded(piece: { readonly special: string } | { readonly plain: string }): this {
    this.#feed("ids");
    const position = this.#position++;
    if ("special" in piece) this.#special(piece.special, position);
    else if (piece.plain !== "") this.#plain(piece.plain, position);
    return this;
  }

  /**
   * Ends the stream. A content that is open is closed; in strict mode a header that is open is a failure.
   *
   * @throws {HarmonyParseError} in strict mode.
   */
  finish(): HarmonyResult {
    if (this.#failure) throw this.#failure;
    if (!this.#finished) {
      this.#delta = null;
      if (this.#fed === "text") this.#scanner.finish();
      else this.#decoded(this.#utf8.flush(), this.#position);
      if (!this.#finishStripped()) this.#machine.end();
      this.#finished = true;
    }
    return { messages: this.#messages, recoveries: this.#recoveries };
  }

  /** Reads a completion whose special tokens the server has removed. */
  #finishStripped(): boolean {
    const { startRole } = this.#options;
    if (this.#strict || this.#fed !== "text" || this.#bare === null || startRole === undefined) return false;
    const inContent = this.#opened !== null;
    const messages = readStripped(this.#bare, { role: startRole, inContent });
    if (!messages) return false;
    this.#report("stripped_specials", 0, "");
    if (inContent) {
      const [first] = messages;
      const isOpened = first?.position === 0 && first.rawHeader === "";
      this.#machine.cutContent((this.#opened as number) + (isOpened ? first.content.length : 0));
      this.#machine.end();
      if (isOpened) messages.shift();
    }
    this.#messages.push(...messages);
    return true;
  }

  #feed(what: "ids" | "text"): void {
    if (this.#failure) throw this.#failure;
    if (this.#finished) throw new Error("The parser is finished: make another for another stream");
    if (this.#fed !== null && this.#fed !== what) throw new Error("A parser reads tokens or text, not both");
    this.#fed = what;
    this.#delta = null;
  }

  /** Fails, or records what is wrong. */
  #report(code: HarmonyProblemCode, position: number, text: string): void {
    if (this.#strict && code !== "invalid_utf8") {
      this.#failure = new HarmonyParseError({ code, position, text });
      throw this.#failure;
    }
    this.#recoveries.push({ code, position, text });
  }

  #decoded(text: string, position: number): void {
    const invalid = this.#utf8.takeInvalid();
    if (invalid > 0) this.#report("invalid_utf8", position, "\ufffd".repeat(invalid));
    if (text !== "") this.#plain(text, position);
  }

  #plain(text: string, position: number): void {
    // A strict parser need not wait for the end of what cannot become a message.
    if (this.#strict && this.#machine.state === "start") this.#report("text_outside_message", position, text);
    if (this.#bare !== null) this.#bare += text;
    this.#machine.plain(text, position);
  }

  #special(name: string, position: number): void {
    this.#bare = null;
    this.#machine.special(name, position);
  }
}

/** Reads a whole stream of token ids. @throws {HarmonyParseError} in strict mode. */
export function parseHarmonyIds(
  ids: Iterable<number>,
  options: HarmonyParserOptions & { readonly encoding: Pick<HarmonyEncoding, "bytes"> },
): HarmonyResult {
  const parser = new HarmonyParser(options);
  for (const id of ids) parser.push(id);
  return parser.finish();
}

/** Reads a whole text, special tokens written as `<|start|>`. @throws {HarmonyParseError} in strict mode. */
export function parseHarmonyText(text: string, options: HarmonyParserOptions = {}): HarmonyResult {
  return new HarmonyParser(options).pushText(text).finish();
}
