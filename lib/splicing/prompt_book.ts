/**
 * The prompts of a splice experiment as they are sent: what the user says, and how the assistant's turn begins.
 * @module
 */
import type { Message, Tokenizer } from "../backends/backend.ts";
import { harmonyOpening, harmonyPrompt } from "../backends/harmony/chat.ts";
import { harmonyText } from "../backends/harmony/render.ts";
import { closedTurn, openedTurn, reasoningMarks } from "../backends/reasoning.ts";
import type { ReasoningMarks, Variant } from "../backends/variants.ts";
import { sha256 } from "../base/hash.ts";
import { promptSha256 } from "../runs/runner.ts";

/** The words that ask for the letter alone. They end where it is to stand. */
export const FORCED_LEAD = "The best answer is: (";

/** A prompt that samples are drawn from. */
export interface SplicePrompt {
  /** What the user says. */
  readonly messages: readonly Message[];
  /** How the assistant's turn begins; undefined where the model opens it by itself. */
  readonly prefix: string | undefined;
  /** The part of the prefix that is reasoning, without the mark before it; null where none is begun. */
  readonly reasoning: string | null;
  /** Whether the reasoning is closed and the letter asked for. */
  readonly forced: boolean;
  /** Prompt tokens. */
  readonly tokens: number;
  /** SHA-256 of messages and prefix, as attempts name it. */
  readonly sha256: string;
}

/** A prompt as the model reads it, where that is known. */
export interface RenderedPrompt {
  /** SHA-256 of messages and prefix, as attempts name it. */
  readonly prompt_sha256: string;
  /** The whole text, template and special tokens included; null where only a server knows it. */
  readonly text: string | null;
  /** Its SHA-256. */
  readonly sha256: string | null;
  /** Its token ids. */
  readonly token_ids: readonly number[] | null;
  /** What was given: the user's words and the begun turn. */
  readonly messages: readonly Message[];
  /** How the assistant's turn begins, or null. */
  readonly prefix: string | null;
}

/** Makes each prompt once. */
export class PromptBook {
  /** What stands around the reasoning of this model. */
  readonly marks: ReasoningMarks;
  readonly #variant: Variant;
  readonly #tokenizer: Tokenizer;
  readonly #prompts = new Map<string, SplicePrompt>();

  /** An empty book for a model. */
  constructor(variant: Variant, tokenizer: Tokenizer) {
    this.marks = reasoningMarks(variant);
    this.#variant = variant;
    this.#tokenizer = tokenizer;
  }

  /** A prompt whose assistant's turn is begun inside its reasoning; `forced` closes it and asks for the letter. */
  begun(user: string, reasoning: string, options: { readonly forced?: boolean } = {}): SplicePrompt {
    const forced = options.forced ?? false;
    const turn = forced ? closedTurn(this.marks, reasoning, FORCED_LEAD) : openedTurn(this.marks, reasoning);
    return this.#make(user, turn, reasoning, forced);
  }

  /**
   * A prompt that is to be answered from the first word on. The reasoning is opened where the model may not open it by
   * itself: in process and behind raw endpoints, unless it speaks Harmony.
   */
  fresh(user: string): SplicePrompt {
    const { backend } = this.#variant;
    const opens = backend === "api"
      ? this.#variant.protocol !== "completions" || this.#variant.format === "harmony"
      : backend === "local" && this.#variant.format === "harmony";
    return opens ? this.#make(user, undefined, null, false) : this.begun(user, "");
  }

  /** Every prompt that was made, in order, as the model reads it. */
  *rendered(wanted: ReadonlySet<string>): Generator<RenderedPrompt> {
    for (const { messages, prefix, sha256: prompt_sha256 } of this.#prompts.values()) {
      if (!wanted.has(prompt_sha256)) continue;
      const token_ids = this.#tokenizer.promptIds?.(messages, prefix ?? "") ?? null;
      const text = token_ids === null
        ? this.#sentText(messages, prefix ?? "")
        : this.#tokenizer.decode(token_ids);
      yield {
        prompt_sha256,
        text,
        sha256: text === null ? null : sha256(text),
        token_ids,
        messages,
        prefix: prefix ?? null,
      };
    }
  }

  /** Token ids of prompts, or null where only a server knows them. */
  ids({ messages, prefix }: SplicePrompt): number[] | null {
    return this.#tokenizer.promptIds?.(messages, prefix ?? "") ?? null;
  }

  /** The text of a raw prompt, as it is sent; null where a server renders it. */
  #sentText(messages: readonly Message[], prefix: string): string | null {
    const variant = this.#variant;
    if (variant.backend !== "api" || variant.protocol !== "completions") return null;
    if (variant.format === "harmony") {
      return harmonyText(harmonyPrompt(messages, variant.harmony, harmonyOpening(prefix)));
    }
    return variant.promptTemplate === undefined
      ? null
      : variant.promptTemplate.replace("{user}", () => messages[0]?.content ?? "") + prefix;
  }

  #make(user: string, prefix: string | undefined, reasoning: string | null, forced: boolean): SplicePrompt {
    const messages = [{ role: "user", content: user }] as const;
    const key = promptSha256({ messages, ...(prefix === undefined ? {} : { prefix }) });
    const known = this.#prompts.get(key);
    if (known !== undefined) return known;
    const tokenizer = this.#tokenizer;
    const tokens = tokenizer.promptIds?.(messages, prefix ?? "").length ??
      tokenizer.countMessages(messages) + tokenizer.count(prefix ?? "");
    const prompt = { messages, prefix, reasoning, forced, tokens, sha256: key };
    this.#prompts.set(key, prompt);
    return prompt;
  }
}
