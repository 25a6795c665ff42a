/**
 * The special tokens of o200k_harmony.
 * @module
 */

/** Ids of the tokens that make a message; ids from 199998 to 201088 are special, all below are text. */
export const SPECIAL_TOKENS = {
  return: 200002,
  constrain: 200003,
  channel: 200005,
  start: 200006,
  end: 200007,
  message: 200008,
  call: 200012,
} as const;

/** Name of a token that makes a message, without its brackets. */
export type SpecialName = keyof typeof SPECIAL_TOKENS;

/** The tokens after which a message is over. */
export type EndName = "end" | "return" | "call";

const FIRST_SPECIAL = 199998;
const LAST_SPECIAL = 201088;
const OTHERS: Readonly<Record<string, number>> = {
  startoftext: 199998,
  endoftext: 199999,
  endofprompt: 200018,
};
const NAMES = new Map<number, string>([
  ...Object.entries(OTHERS).map(([name, id]) => [id, name] as const),
  ...Object.entries(SPECIAL_TOKENS).map(([name, id]) => [id, name] as const),
]);

/** The name of a special token's id (`start`, `endoftext`, `reserved_200001`), or undefined for ids of text. */
export function specialOfId(id: number): string | undefined {
  if (!Number.isInteger(id) || id < FIRST_SPECIAL || id > LAST_SPECIAL) return undefined;
  return NAMES.get(id) ?? `reserved_${id}`;
}

/** The id of a special token's name, or undefined when there is no token of that name. */
export function idOfSpecial(name: string): number | undefined {
  if (isStructural(name)) return SPECIAL_TOKENS[name];
  if (Object.hasOwn(OTHERS, name)) return OTHERS[name];
  const id = Number(/^reserved_(\d{6})$/.exec(name)?.[1] ?? NaN);
  return specialOfId(id) === name || id === OTHERS.endofprompt ? id : undefined;
}

/** Whether a special token is one of those that make a message. */
export function isStructural(name: string): name is SpecialName {
  return Object.hasOwn(SPECIAL_TOKENS, name);
}

/** Whether a special token ends a message. */
export function isEnd(name: string): name is EndName {
  return name === "end" || name === "return" || name === "call";
}

/** How a special token is written in text: `<|start|>`. */
export function specialText(name: string): string {
  return `<|${name}|>`;
}

/** The character (word joiner, no width) that {@linkcode escapeSpecials} puts into what looks like a special token. */
export const JOINER = "\u2060";
const LITERAL = new RegExp(`<\\|(${JOINER}*)([a-z]+|reserved_\\d+)\\|>`, "g");

/**
 * Text in which nothing can be taken for a special token: `<|start|>` gets a word joiner after `<|`. What was escaped
 * before gets one more, so that {@linkcode unescapeSpecials} gives back exactly this text. For prompts that are sent as
 * text; token ids need no escaping.
 */
export function escapeSpecials(text: string): string {
  return text.replace(
    LITERAL,
    (found, joiners: string, name: string) =>
      idOfSpecial(name) === undefined ? found : `<|${JOINER}${joiners}${name}|>`,
  );
}

/** The text that {@linkcode escapeSpecials} was given. */
export function unescapeSpecials(text: string): string {
  return text.replace(
    LITERAL,
    (found, joiners: string, name: string) =>
      joiners === "" || idOfSpecial(name) === undefined ? found : `<|${joiners.slice(1)}${name}|>`,
  );
}
