/**
 * The states of a Harmony stream: before a message, in its header, in its content.
 * @module
 */
import type { ParsedMessage } from "./parse_result.ts";
import type { HarmonyProblemCode } from "./problems.ts";
import { rawText, readHeader, readOpenHeader } from "./read_header.ts";
import type { HarmonyHeader, HarmonySegment } from "./render_header.ts";
import { type EndName, isEnd, specialText } from "./special_tokens.ts";
import type { HarmonyRole } from "./types.ts";

/** What a {@linkcode MessageMachine} is given. */
export interface MachineOptions {
  /** Who speaks first, when the stream begins inside a header. */
  readonly startRole: HarmonyRole | undefined;
  /** Hears of everything the format does not allow; what it throws leaves the machine as it is. */
  readonly report: (code: HarmonyProblemCode, position: number, text: string) => void;
  /** Hears of every message that is whole. */
  readonly onMessage: (message: ParsedMessage) => void;
  /** Hears of content as it comes, with the header of its message. */
  readonly onContent: (delta: string, header: HarmonyHeader) => void;
}

/**
 * Makes messages of plain text and special tokens. Whatever comes, it goes on as {@linkcode HarmonyProblemCode} says.
 */
export class MessageMachine {
  readonly #options: MachineOptions;
  #state: "start" | "header" | "content";
  /** Where the message, or the text outside of messages, begins. */
  #from = 0;
  #outside = "";
  #header: HarmonySegment[] = [];
  /** The role of the header being read, where it need not say it. */
  #known: HarmonyRole | undefined;
  #current: HarmonyHeader | null = null;
  #rawHeader = "";
  #content = "";

  /** Stands before a message, or in a header where there is a role to start with. */
  constructor(options: MachineOptions) {
    this.#options = options;
    this.#known = options.startRole;
    this.#state = options.startRole === undefined ? "start" : "header";
  }

  /** Where it stands. */
  get state(): "start" | "header" | "content" {
    return this.#state;
  }
  /** The header of the message whose content is being read, else null. */
  get current(): HarmonyHeader | null {
    return this.#current;
  }
  /** The role that the header being read has, where it is known before the header is whole. */
  get known(): HarmonyRole | undefined {
    return this.#state === "header" ? this.#known : undefined;
  }
  /** The content so far. */
  get content(): string {
    return this.#content;
  }

  /** Takes text in which nothing is special. */
  plain(text: string, position: number): void {
    if (this.#state === "content") {
      this.#content += text;
      this.#options.onContent(text, this.#current as HarmonyHeader);
    } else if (this.#state === "header") {
      const last = this.#header.at(-1);
      if (last && "text" in last) this.#header[this.#header.length - 1] = { text: last.text + text };
      else this.#header.push({ text });
    } else {
      if (this.#outside === "") this.#from = position;
      this.#outside += text;
    }
  }

  /** Takes a special token by its name. */
  special(name: string, position: number): void {
    if (this.#state === "content") this.#inContent(name, position);
    else if (this.#state === "header") this.#inHeader(name, position);
    else this.#atStart(name, position);
  }

  /** Takes back the end of the content: this many UTF-16 units of it stay. */
  cutContent(length: number): void {
    this.#content = this.#content.slice(0, length);
  }

  /** Takes the end of the stream. */
  end(): void {
    if (this.#state === "content") this.#close(null);
    else if (this.#state === "start") this.#closeOutside();
    else this.#openHeader("cut_header", null);
  }

  #atStart(name: string, position: number): void {
    if (name === "start") {
      this.#closeOutside();
      this.#begin(position);
    } else if (name === "channel" || name === "constrain" || name === "message") {
      const before = this.#outside;
      this.#options.report("missing_start", before === "" ? position : this.#from, before);
      this.#begin(before === "" ? position : this.#from);
      this.#outside = "";
      if (before !== "") this.#header.push({ text: before });
      if (before.trim() === "") this.#known = this.#options.startRole ?? "assistant";
      this.#inHeader(name, position);
    } else this.#stray(name, position);
  }

  #inHeader(name: string, position: number): void {
    if (name === "message") this.#beginContent();
    else if (name === "channel" || name === "constrain") this.#header.push({ special: name });
    else if (isEnd(name)) this.#openHeader("stop_in_header", name);
    else if (name === "start") {
      if (this.#header.length === 0) this.#options.report("doubled_start", position, "");
      else this.#openHeader("start_in_header", null);
      this.#begin(position);
    } else this.#stray(name, position);
  }

  #inContent(name: string, position: number): void {
    if (isEnd(name)) return this.#close(name);
    if (name === "start") {
      this.#options.report("missing_end", position, "");
      this.#close(null);
      this.#begin(position);
    } else if (name === "channel") {
      this.#options.report("channel_in_content", position, "");
      const { role } = this.#current as HarmonyHeader;
      this.#close(null);
      this.#begin(position, this.#options.startRole ?? (role === "tool" ? "assistant" : role));
      this.#header.push({ special: name });
    } else this.#stray(name, position);
  }

  #stray(name: string, position: number): void {
    this.#options.report("stray_special", position, specialText(name));
  }

  #begin(position: number, known?: HarmonyRole): void {
    this.#state = "header";
    this.#from = position;
    this.#header = [];
    this.#known = known;
  }

  #beginContent(): void {
    const { header, problems } = readHeader(this.#header, {
      known: this.#known,
      fallback: this.#options.startRole,
    });
    for (const { code, text } of problems) this.#options.report(code, this.#from, text);
    this.#rawHeader = rawText(this.#header);
    this.#current = header;
    this.#content = "";
    this.#state = "content";
  }

  /** Ends a header that has no `<|message|>`. */
  #openHeader(code: "cut_header" | "start_in_header" | "stop_in_header", end: EndName | null): void {
    const raw = rawText(this.#header);
    this.#options.report(code, this.#from, raw);
    const open = readOpenHeader(this.#header, { known: this.#known, fallback: this.#options.startRole });
    for (const { code, text } of open.problems) this.#options.report(code, this.#from, text);
    // A header that was merely interrupted is no message; one that was ended is, like one in which content was begun.
    if (end === null ? open.hasContent : raw !== "") {
      this.#options.onMessage({
        ...open.header,
        content: open.content,
        end,
        position: this.#from,
        rawHeader: raw,
      });
    }
    this.#state = "start";
  }

  #close(end: EndName | null): void {
    this.#options.onMessage({
      ...(this.#current as HarmonyHeader),
      content: this.#content,
      end,
      position: this.#from,
      rawHeader: this.#rawHeader,
    });
    this.#current = null;
    this.#content = "";
    this.#state = "start";
  }

  #closeOutside(): void {
    const text = this.#outside;
    if (text === "") return;
    this.#options.report("text_outside_message", this.#from, text);
    this.#outside = "";
    if (text.trim() === "") return;
    const role = this.#options.startRole ?? "assistant";
    this.#options.onMessage({ role, content: text, end: null, position: this.#from, rawHeader: "" });
  }
}
