/**
 * How an in-process model is spoken to: chats to token ids, and generated ids to answers.
 * @module
 */
import type { Decoder } from "../engine/mod.ts";
import { BackendError, type Message } from "./backend.ts";
import { harmonyOpening, harmonyPrompt } from "./harmony/chat.ts";
import { CompletionReader, type ReadAnswer } from "./harmony/completion_reader.ts";
import { loadLocalVocabulary } from "./harmony/local_vocabulary.ts";
import { HarmonyRenderError } from "./harmony/problems.ts";
import type { LocalVariant } from "./variants.ts";

/** What a {@linkcode SampleReader} is made with. */
export interface SampleReaderOptions {
  /** How the assistant's turn begins in the prompt. */
  readonly prefix: string;
  /** Texts that end the answer. */
  readonly stop?: readonly string[] | undefined;
  /** Receives the answer as it comes. */
  readonly onText?: ((delta: string) => void) | undefined;
  /** Receives the reasoning as it comes. */
  readonly onReasoning?: ((delta: string) => void) | undefined;
}

/** Reads one sample, token by token. */
export interface SampleReader {
  /** Takes a generated token. */
  push(id: number): void;
  /** Ends the sample. */
  finish(): ReadAnswer & {
    /** Generated tokens before the answer. */
    readonly reasoningTokens: number;
  };
}

/** The chat format of a model. */
export interface LocalChat {
  /**
   * Token ids of a chat whose last turn, the assistant's, begins with `prefix`. Without a message, `prefix` is a bare text
   * to go on from, outside any chat.
   *
   * @throws {BackendError} `bad_request` for messages that cannot be written.
   * @throws {InputError} when the chat template refuses them.
   */
  promptIds(messages: readonly Message[], prefix: string): number[];
  /** Reads samples; null where the text of a sample is the answer. Stop texts are then the reader's, not the engine's. */
  readonly newReader: ((options: SampleReaderOptions) => SampleReader) | null;
}

/** What chat templates of reasoning models end the prompt with. */
const OPENED = /<[a-z_|]*think[a-z_|]*>\s*$/i;

/**
 * A rendered prompt with a begun answer. Templates that open the reasoning themselves do so once: an answer that begins
 * with the same mark goes on from it.
 */
export function beginTurn(rendered: string, prefix: string): string {
  const opened = OPENED.exec(rendered)?.[0] ?? "";
  const mark = opened.trimEnd();
  if (mark === "" || !prefix.startsWith(mark)) return rendered + prefix;
  return prefix === mark ? rendered : rendered.slice(0, -opened.length) + prefix;
}

/**
 * The chat format of a variant: Harmony where the variant says so, else the checkpoint's template.
 *
 * @throws {InputError} when Harmony is asked for and the tokenizer does not know it.
 */
export async function localChat(decoder: Decoder, variant: LocalVariant): Promise<LocalChat> {
  const bare = (prefix: string) => decoder.encode(prefix, { addSpecialTokens: true });
  if (variant.format !== "harmony") {
    const promptIds: LocalChat["promptIds"] = (messages, prefix) =>
      messages.length === 0 ? bare(prefix) : decoder.encode(beginTurn(decoder.renderChat(messages), prefix));
    return { promptIds, newReader: null };
  }
  const vocabulary = await loadLocalVocabulary(decoder, variant.name);
  return {
    promptIds(messages, prefix) {
      if (messages.length === 0) return bare(prefix);
      try {
        return vocabulary.encode(harmonyPrompt(messages, variant.harmony, harmonyOpening(prefix)));
      } catch (error) {
        if (!(error instanceof HarmonyRenderError)) throw error;
        throw new BackendError("bad_request", error.message, { cause: error });
      }
    },
    newReader({ prefix, ...options }) {
      const { encoding } = vocabulary;
      const reader = new CompletionReader({ encoding, opening: harmonyOpening(prefix), ...options });
      const feed = vocabulary.feeder(reader.parser);
      let count = 0;
      return {
        push(id) {
          count++;
          feed.push(id);
        },
        finish() {
          feed.end();
          const answer = reader.finish();
          return { ...answer, reasoningTokens: answer.reasoning === null ? 0 : answer.finalAt ?? count };
        },
      };
    },
  };
}
