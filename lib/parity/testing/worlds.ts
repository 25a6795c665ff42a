/**
 * Pairs of backends whose difference is known.
 * @module
 */
import type { Json } from "../../base/hash.ts";
import { createRandom, type Random } from "../../base/random.ts";
import type { Answer } from "../answer.ts";
import type { AnswersToCompare } from "../compare.ts";
import type { Label } from "../pair_rows.ts";

/** An item of a world: what a faithful backend says of it. */
interface WorldItem {
  readonly item: string;
  readonly label: Label;
  readonly tokens: number;
}

/** How a backend answers an item in a pass. */
export type Behaviour = (
  item: WorldItem,
  random: Random,
  pass: number,
) => Partial<Answer> & { label: Label | null };

/** The backend as it should be: the same label each time. */
export const faithful: Behaviour = ({ label }) => ({ label });

/** Flips the label of a fixed share of items, the same ones each time: rounding, or slightly other weights. */
export const flips = (share: number): Behaviour => ({ label, item }) => ({
  label: createRandom(`flip/${item}`).next() < share ? other(label) : label,
});

/** Renders the chat another way: every prompt is longer by some tokens, and more labels are wrong. */
export const wrongTemplate: Behaviour = ({ label, item, tokens }) => ({
  label: createRandom(`template/${item}`).next() < 0.15 ? other(label) : label,
  promptTokens: tokens + 11,
});

/** Samples at a temperature of its own: every answer may come out the other way. */
export const hot = (share: number): Behaviour => ({ label }, random) => ({
  label: random.next() < share ? other(label) : label,
});

/** Reads the last `window` tokens of a prompt, and then often says the other label. */
export const truncates = (window: number): Behaviour => ({ label, item, tokens }) => ({
  label: tokens > window && createRandom(`cut/${item}`).next() < 0.5 ? other(label) : label,
  promptTokens: Math.min(window, tokens),
});

/** A fifth of the answers are sentences without a label. */
export const chatty: Behaviour = ({ label, item }) =>
  createRandom(`chatty/${item}`).next() < 0.2
    ? { label: null, response: "That depends on how one reads it.", unparsed: "no label" }
    : { label };

/** Both backends asked `passes` times about `n` items. */
export function world(
  name: string,
  options: {
    readonly n: number;
    readonly first?: Behaviour;
    readonly second: Behaviour;
    readonly passes?: number;
    readonly parameters?: readonly [Json, Json];
  },
): AnswersToCompare {
  const { n, first = faithful, second, passes = 2, parameters } = options;
  const random = createRandom(`world/${name}`);
  const items = Array.from({ length: n }, (_, i): WorldItem => ({
    item: `${name}/${i}`,
    label: random.next() < 0.4 ? 1 : 0,
    tokens: 80 + Math.floor(400 * random.next() ** 2),
  }));
  const ask = (behave: Behaviour) =>
    Array.from({ length: passes }, (_, pass) =>
      items.map((item): Answer => {
        const said = behave(item, random, pass);
        return {
          item: item.item,
          unparsed: null,
          category: null,
          strict: said.label !== null,
          refused: false,
          response: String(said.label),
          reasoning: null,
          finishReason: "stop",
          promptTokens: item.tokens,
          completionTokens: 1,
          reasoningTokens: null,
          logprobs: null,
          ...said,
        };
      }));
  return {
    sides: ["a", "b"],
    items: items.map(({ item, label }) => ({ item, truth: label, weight: 1 })),
    first: ask(first),
    second: ask(second),
    ...(parameters === undefined ? {} : { parameters }),
  };
}

const other = (label: Label): Label => label === 1 ? 0 : 1;
