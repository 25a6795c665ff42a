/**
 * What single words of a header mean.
 * @module
 */
import { HARMONY_CHANNELS, HARMONY_ROLES, type HarmonyRole } from "./types.ts";

/** Who speaks, as the first word of a header says. */
export interface Speaker {
  /** The role. */
  readonly role: HarmonyRole;
  /** A tool's name, or a name beside the role. */
  readonly name?: string;
  /** Where the word ends in a channel's name: `assistantfinal`. */
  readonly channel?: string;
}

/** The speaker a word names, or null when it names nobody known. */
export function speakerOf(word: string): Speaker | null {
  if (word === "tool") return { role: "tool", name: "tool" };
  if (isRole(word)) return { role: word };
  const [, role, name] = /^([a-z]+):(.+)$/s.exec(word) ?? [];
  if (role !== undefined && name !== undefined && isRole(role)) return { role, name };
  const channel = /^assistant(.+)$/.exec(word)?.[1];
  return channel !== undefined && isChannelName(channel) ? { role: "assistant", channel } : null;
}

function isRole(word: string): word is HarmonyRole {
  return (HARMONY_ROLES as readonly string[]).includes(word);
}

/** Names that can be nobody but a tool: a namespace and a function, or a built-in tool. */
export function isToolName(word: string): boolean {
  return /[._]/.test(word) || word === "python" || word === "browser";
}

/** Words that stand for a recipient without `to=`; all others are content types. */
export function isBareRecipient(word: string): boolean {
  return isToolName(word) || word === "assistant" || word === "user";
}

/** Whether a word names one of the trained channels. */
export function isChannelName(word: string): boolean {
  return (HARMONY_CHANNELS as readonly string[]).includes(word);
}
