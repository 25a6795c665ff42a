/**
 * Rows that label messages by a policy, in the checkpoint's own chat format and in Harmony.
 * @module
 */
import type { Random } from "../../../lib/base/random.ts";
import { harmonyPrompt } from "../../../lib/backends/harmony/chat.ts";
import { paritySample } from "../../../lib/parity/parity_sample.ts";
import { classifyMessages, type Policy } from "../../../lib/parity/policies.ts";
import { SPECIAL_TOKENS } from "./bpe.ts";
import { add, emptyRow, type Encode, type Encoded, join, LEARNED, turn } from "./encoded.ts";
import { drawMessage, type LabelledMessage } from "./messages.ts";

/** The messages that ship: never trained on. */
const SHIPPED = new Set(paritySample().map(({ user_input }) => String(user_input)));

/** Messages with their labels under one policy, as many as fit; the first alone stands where a run would put it. */
export function parityRow(width: number, policy: Policy, encode: Encode, random: Random): Encoded {
  return random.next() < 0.5
    ? inHarmony(width, policy, encode, random)
    : inChat(width, policy, encode, random);
}

function freshMessage(random: Random): LabelledMessage {
  while (true) {
    const message = drawMessage(random);
    if (!SHIPPED.has(message.text)) return message;
  }
}

/** What a policy asks for: one character, or an object with a reason. */
function answerOf(policy: Policy, { toxic, category, rationale }: LabelledMessage): string {
  if (policy.name !== "toxic_rationale") return toxic ? "1" : "0";
  const said = JSON.stringify({ rationale, category, label: toxic ? 1 : 0 }, null, 1);
  return said.replaceAll(/\n ?/g, " ").replace("{ ", "{").replace(" }", "}");
}

function inChat(width: number, policy: Policy, encode: Encode, random: Random): Encoded {
  const row = emptyRow();
  for (let first = true;; first = false) {
    const message = freshMessage(random);
    const next = emptyRow();
    for (const { role, content } of classifyMessages(policy, message.text)) {
      if (role !== "system" || first) turn(role, content, 0, encode, next);
    }
    turn("assistant", answerOf(policy, message), LEARNED, encode, next);
    if (row.ids.length + next.ids.length > width) return row;
    join(row, next);
  }
}

const [START, MESSAGE, CHANNEL, HARMONY_END, RETURN] =
  (["start", "message", "channel", "end", "return"] as const)
    .map((name) => SPECIAL_TOKENS.indexOf(`<|${name}|>`)) as [number, number, number, number, number];

function inHarmony(width: number, policy: Policy, encode: Encode, random: Random): Encoded {
  const row = emptyRow();
  const settings = {
    reasoningEffort: random.pick(["low", "medium", "high"] as const),
    ...(random.next() < 0.5
      ? {}
      : { currentDate: `20${24 + random.int(4)}-0${1 + random.int(9)}-${10 + random.int(19)}` }),
  };
  for (let first = true;; first = false) {
    const message = freshMessage(random);
    const next = emptyRow();
    const messages = classifyMessages(policy, message.text).filter(({ role }) => role !== "system" || first);
    const segments = harmonyPrompt(messages, settings);
    // Of the turns behind the first, the format's own system message is left out: it stands at the beginning.
    const from = first ? 0 : segments.findIndex((part) => "special" in part && part.special === "end") + 1;
    for (const part of segments.slice(from)) {
      add(
        next,
        "special" in part
          ? [SPECIAL_TOKENS.indexOf(`<|${part.special}|>` as "<|start|>")]
          : encode(part.text),
      );
    }
    add(next, [CHANNEL, ...encode("analysis"), MESSAGE, ...encode(message.rationale), HARMONY_END], LEARNED);
    add(next, [START, ...encode("assistant"), CHANNEL, ...encode("final"), MESSAGE], LEARNED);
    add(next, [...encode(answerOf(policy, message)), RETURN], LEARNED);
    if (row.ids.length + next.ids.length > width) return row;
    join(row, next);
  }
}
