/**
 * The checkpoint's own tokenizer and chat template, through @huggingface/transformers, from local files only.
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import { InputError, messageOf } from "../base/errors.ts";
import { readTextIfExists } from "../base/files.ts";
import { readJson } from "./checkpoint.ts";
import type { Message } from "./types.ts";

/** Options of {@linkcode DecoderTokenizer.renderChat}. */
export interface RenderOptions {
  /** Ends the text where the assistant's answer begins; true unless given. */
  readonly addGenerationPrompt?: boolean;
  /** Beginning of the assistant's answer, put after the generation prompt, unchanged. */
  readonly prefill?: string;
  /** Further variables of the template. */
  readonly variables?: Readonly<Record<string, unknown>>;
}

/** Turns text into token ids and back. */
export interface DecoderTokenizer {
  /** Ids that end generation, from generation_config.json, config.json and the tokenizer's own end token. */
  readonly eosIds: readonly number[];
  /**
   * Token ids of a text. Special tokens written in the text are recognised; none are added unless asked for,
   * so that a rendered chat does not get a second beginning-of-sequence token.
   */
  encode(text: string, options?: { readonly addSpecialTokens?: boolean }): number[];
  /** Text of token ids. Special tokens are kept unless asked otherwise. */
  decode(ids: readonly number[], options?: { readonly skipSpecialTokens?: boolean }): string;
  /**
   * The chat template's text for messages; encode it without adding special tokens.
   *
   * @throws {InputError} when there is no template, or the template refuses the messages.
   */
  renderChat(messages: readonly Message[], options?: RenderOptions): string;
}

const eosSchema = z.looseObject({
  eos_token_id: z.union([z.int().nonnegative(), z.array(z.int().nonnegative())]).nullish(),
});

const tokenizerConfigSchema = z.looseObject({ tokenizer_class: z.string().nullish() });

function isTokenizerClass<T extends abstract new (...args: never[]) => unknown>(
  value: unknown,
  base: T,
): value is T {
  return typeof value === "function" && (value === base || value.prototype instanceof base);
}

/**
 * Loads the tokenizer of a checkpoint folder, without its weights.
 *
 * @throws {InputError} when the folder has no tokenizer.json, or one that cannot be read.
 */
export async function loadTokenizer(dir: string): Promise<DecoderTokenizer> {
  const read = async (name: string) => {
    const json = await readJson(join(dir, name));
    if (json !== undefined) return json;
    throw new InputError(
      `${dir} has no ${name}: it is not a Hugging Face checkpoint folder, or is incomplete.`,
    );
  };
  const tokenizerJson = await read("tokenizer.json");
  const tokenizerConfig = tokenizerConfigSchema.safeParse(await read("tokenizer_config.json"));
  if (!tokenizerConfig.success) {
    const reason = z.prettifyError(tokenizerConfig.error);
    throw new InputError(`${join(dir, "tokenizer_config.json")}: ${reason}`, {
      cause: tokenizerConfig.error,
    });
  }
  // Its AutoTokenizer picks the class in the same way, but reads files through code that differs between threads.
  const library = await import("@huggingface/transformers");
  const className = tokenizerConfig.data.tokenizer_class?.replace(/Fast$/, "") ?? "";
  const special: unknown = Object.hasOwn(library, className) ? Reflect.get(library, className) : undefined;
  const Tokenizer = isTokenizerClass(special, library.PreTrainedTokenizer)
    ? special
    : library.PreTrainedTokenizer;
  const build = () => {
    try {
      return new Tokenizer(tokenizerJson as object, tokenizerConfig.data);
    } catch (cause) {
      throw new InputError(`Cannot read the tokenizer of ${dir}: ${messageOf(cause)}`, { cause });
    }
  };
  const tokenizer = build();
  const template = await readTextIfExists(join(dir, "chat_template.jinja"));
  const eosIds = new Set<number>();
  for (const name of ["generation_config.json", "config.json"]) {
    const parsed = eosSchema.safeParse(await readJson(join(dir, name)) ?? {});
    if (!parsed.success) {
      throw new InputError(`${join(dir, name)}: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
    }
    for (const id of [parsed.data.eos_token_id ?? []].flat()) eosIds.add(id);
  }
  const own: unknown = tokenizer.eos_token_id;
  if (typeof own === "number") eosIds.add(own);

  return {
    eosIds: [...eosIds],
    encode: (text, options = {}) =>
      text === "" && !options.addSpecialTokens
        ? []
        : tokenizer.encode(text, { add_special_tokens: options.addSpecialTokens ?? false }),
    decode: (ids, options = {}) =>
      ids.length === 0 ? "" : tokenizer.decode([...ids], {
        skip_special_tokens: options.skipSpecialTokens ?? false,
        clean_up_tokenization_spaces: false,
      }),
    renderChat(messages, options = {}) {
      try {
        const text: unknown = tokenizer.apply_chat_template(messages.map((message) => ({ ...message })), {
          tokenize: false,
          add_generation_prompt: options.addGenerationPrompt ?? true,
          ...(template === undefined ? {} : { chat_template: template }),
          ...options.variables,
        });
        return String(text) + (options.prefill ?? "");
      } catch (cause) {
        throw new InputError(`The chat template of ${dir} refuses these messages: ${messageOf(cause)}`, {
          cause,
        });
      }
    },
  };
}
