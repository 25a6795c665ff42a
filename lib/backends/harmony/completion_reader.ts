/**
 * Reads what a model says to a Harmony prompt.
 * @module
 */
import type { Completion } from "../backend.ts";
import { answerOf, type HarmonyAnswer } from "./answer.ts";
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
  #streamed = "";
  /** The header of the message that was streamed last. */
  #streaming: HarmonyHeader | null = null;

  /** Nothing read yet. */
  constructor(options: CompletionReaderOptions = {}) {
    const { encoding, opening, onText, stop = [] } = options;
    this.#options = options;
    this.parser = new HarmonyParser({
      encoding,
      opening,
      startRole: "assistant",
      mode: "recover",
      onContent: (delta, header) => {
        if (!onText || stop.length > 0 || header.channel !== "final" || header.recipient !== undefined) {
          return;
        }
        // Answers in several messages stand on lines of their own.
        const part = this.#streaming && this.#streaming !== header ? `\n${delta}` : delta;
        this.#streaming = header;
        this.#streamed += part;
        onText(part);
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
    if (text.startsWith(this.#streamed) && text !== this.#streamed) {
      this.#options.onText?.(text.slice(this.#streamed.length));
    }
    const final = own.find(({ channel }) => channel === "final");
    return { ...answer, text, stopped: text !== answer.text, finalAt: final?.position ?? null };
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
