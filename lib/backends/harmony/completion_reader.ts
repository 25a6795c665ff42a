/**
 * Reads what a model says to a Harmony prompt.
 * @module
 */
import type { Completion } from "../backend.ts";
import { answerOf, type HarmonyAnswer, spokenTo } from "./answer.ts";
import { HarmonyParser } from "./parse.ts";
import type { HarmonyEncoding } from "./encoding.ts";
import type { HarmonyHeader, HarmonySegment } from "./render_header.ts";

/** Options of a {@linkcode CompletionReader}. */
export interface CompletionReaderOptions {
  /** The vocabulary, for completions of token ids. */
  readonly encoding?: Pick<HarmonyEncoding, "bytes"> | undefined;
  /** What of the completion stands in the prompt. */
  readonly opening?: readonly HarmonySegment[] | undefined;
  /** Texts that end the answer; reasoning may hold them. */
  readonly stop?: readonly string[] | undefined;
  /** Receives the answer as it comes, without the reasoning. With stop texts all of it comes at the end. */
  readonly onText?: ((delta: string) => void) | undefined;
  /** Receives the reasoning as it comes. */
  readonly onReasoning?: ((delta: string) => void) | undefined;
}

/** What a completion said. */
export interface ReadAnswer extends HarmonyAnswer {
  /** Whether a stop text ended the answer. */
  readonly stopped: boolean;
  /** Where the final message begins: how many tokens, or UTF-16 units, were generated before it; null without one. */
  readonly finalAt: number | null;
}

/** Reads a completion, well-formed or not, into answer and reasoning. */
export class CompletionReader {
  /** Takes the completion; a {@linkcode CompletionReader} finishes it. */
  readonly parser: HarmonyParser;
  readonly #options: CompletionReaderOptions;
  readonly #messagesBefore: number;
  readonly #contentBefore: number;
  /** Answers in several messages stand on lines of their own, thoughts are a blank line apart. */
  readonly #text: MessageStream;
  readonly #reasoning: MessageStream;

  /** Nothing read yet. */
  constructor(options: CompletionReaderOptions = {}) {
    const { encoding, opening, onText, onReasoning, stop = [] } = options;
    this.#options = options;
    const text = this.#text = new MessageStream("\n", onText);
    const reasoning = this.#reasoning = new MessageStream("\n\n", onReasoning);
    // Whether a message without a channel is answer or reasoning is not known before the end.
    let unsure = false;
    this.parser = new HarmonyParser({
      encoding,
      opening,
      startRole: "assistant",
      mode: "recover",
      onContent: (delta, header) => {
        unsure ||= header.channel === undefined && header.recipient === undefined;
        const isFinal = header.channel === "final" && header.recipient === undefined;
        if (isFinal) {
          if (stop.length === 0) text.push(delta, header);
        } else if (!unsure) reasoning.push(delta, header);
      },
    });
    this.#messagesBefore = this.parser.messages.length;
    this.#contentBefore = this.parser.currentContent.length;
  }

  /**
   * Ends the completion.
   *
   * @returns its parts, without what stood in the prompt.
   */
  finish(): ReadAnswer {
    const { messages, recoveries } = this.parser.finish();
    const own = messages.slice(this.#messagesBefore);
    const [first] = own;
    if (first && this.#contentBefore > 0) {
      own[0] = { ...first, content: first.content.slice(this.#contentBefore) };
    }
    const answer = answerOf({ messages: own, recoveries });
    const text = cutAtStop(answer.text, this.#options.stop ?? []);
    this.#reasoning.finish(answer.reasoning ?? "");
    this.#text.finish(text);
    const final = own.find(({ channel }) => channel === "final");
    return { ...answer, text, stopped: text !== answer.text, finalAt: final?.position ?? null };
  }
}

/** Messages of one kind as they come, as {@linkcode answerOf} joins them. */
class MessageStream {
  readonly #between: string;
  readonly #send: ((delta: string) => void) | undefined;
  #sent = "";
  #message: HarmonyHeader | null = null;

  constructor(between: string, send: ((delta: string) => void) | undefined) {
    this.#between = between;
    this.#send = send;
  }

  push(delta: string, header: HarmonyHeader): void {
    const isNew = this.#message !== header;
    const before = isNew && this.#message !== null ? this.#between : "";
    this.#message = header;
    this.#put(before + (isNew ? spokenTo(header.recipient) : "") + delta);
  }

  /** Sends what is missing of the whole. */
  finish(whole: string): void {
    if (whole.startsWith(this.#sent)) this.#put(whole.slice(this.#sent.length));
  }

  #put(text: string): void {
    this.#sent += text;
    if (text !== "") this.#send?.(text);
  }
}

/** The text before the first of the stop texts in it. */
export function cutAtStop(text: string, stops: readonly string[]): string {
  const found = stops.filter((stop) => stop !== "").map((stop) => text.indexOf(stop)).filter((at) =>
    at !== -1
  );
  return text.slice(0, Math.min(text.length, ...found));
}

/** A completion with its raw text read as Harmony. */
export function withAnswer(
  completion: Completion,
  { text, reasoning, recoveries, stopped }: Pick<ReadAnswer, "text" | "reasoning" | "recoveries" | "stopped">,
): Completion {
  return {
    ...completion,
    text,
    reasoning,
    finishReason: stopped ? "stop" : completion.finishReason,
    ...(recoveries.length === 0 ? {} : { recoveries }),
  };
}

/**
 * Harmony that a chat server should have read: it begins like a completion, or goes on with a second message. An answer
 * that speaks about Harmony has such things in back quotes.
 */
const UNPARSED = new RegExp([
  String.raw`^\s*(?:<\|start\|>(?:assistant)?\s*)?<\|(?:channel|message)\|>`,
  String.raw`^[^\x60]*<\|end\|>\s*<\|start\|>assistant(?:<\|channel\|>| to=)`,
].join("|"));

/**
 * Reads what a chat server gave as the answer but is Harmony, its special tokens written out or removed. What else it
 * gave as reasoning comes first. Named `unparsed_harmony` beside what was put right in it; any other answer is as it
 * was.
 */
export function readUnparsed(completion: Completion): Completion {
  const reader = new CompletionReader();
  reader.parser.pushText(completion.text);
  const answer = reader.finish();
  if (!UNPARSED.test(completion.text) && !answer.recoveries.includes("stripped_specials")) return completion;
  const reasoning = [completion.reasoning, answer.reasoning].filter((text) => text !== null).join("\n\n");
  return withAnswer(completion, {
    ...answer,
    reasoning: reasoning === "" ? null : reasoning,
    recoveries: ["unparsed_harmony", ...answer.recoveries],
  });
}
