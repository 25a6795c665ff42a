/**
 * Reads a message's header, whatever is in it.
 * @module
 */
import { isBareRecipient, isChannelName, isToolName, type Speaker, speakerOf } from "./header_words.ts";
import type { HarmonyProblemCode } from "./problems.ts";
import type { HarmonyHeader, HarmonySegment } from "./render_header.ts";
import { specialText } from "./special_tokens.ts";
import type { HarmonyRole } from "./types.ts";

const CONSTRAIN = specialText("constrain");

/** Segments as they stand, special tokens written out. */
export function rawText(segments: readonly HarmonySegment[]): string {
  return segments.map((segment) => "text" in segment ? segment.text : specialText(segment.special)).join("");
}

/** What a parser found in a header. */
export interface ReadHeader {
  /** What it says. */
  readonly header: HarmonyHeader;
  /** What is wrong with it, in the order found, with the text concerned. */
  readonly problems: readonly { readonly code: HarmonyProblemCode; readonly text: string }[];
}

/** What a header is read with. */
export interface ReadHeaderOptions {
  /** The role that is already known, when a completion begins in its header. */
  readonly known?: HarmonyRole | undefined;
  /** The role of a header that names nobody known; a tool of that name, or the assistant, when left out. */
  readonly fallback?: HarmonyRole | undefined;
}

type Report = (code: HarmonyProblemCode, text: string) => void;

interface Word {
  readonly text: string;
  /** Whether the constrain token stands right before it. */
  readonly constrained: boolean;
  /** Whether it stands behind the channel. */
  readonly late: boolean;
}

/** Reads the header that stands between `<|start|>` and `<|message|>`. It never fails: what is wrong is named. */
export function readHeader(segments: readonly HarmonySegment[], options: ReadHeaderOptions): ReadHeader {
  const problems: { code: HarmonyProblemCode; text: string }[] = [];
  const report: Report = (code, text) => problems.push({ code, text });
  const { rest, channel: marked, behind } = takeChannel(segments, report);
  const words = wordsOf(rest, behind);
  const speaker = takeSpeaker(words, options, report);
  let channel = marked ?? speaker.channel;
  if (channel === undefined && words[0] && !words[0].constrained && isChannelName(words[0].text)) {
    channel = (words.shift() as Word).text;
    report("missing_channel_token", channel);
  }
  const type = takeContentType(words);
  const recipient = takeRecipient(words);
  // A word is a content type where the format has one: alone behind the channel, or behind a recipient.
  const isType = type?.constrained || recipient !== undefined ||
    (words.length === 0 && (marked === undefined || type?.late));
  if (type && !isType) words.push(type);
  const contentType = type && isType ? wordText(type) : undefined;
  if (words.length > 0) report("leftover_header", words.map(wordText).join(" "));
  const { role, name } = speaker;
  return {
    header: {
      role,
      ...(name === undefined ? {} : { name }),
      ...(recipient === undefined ? {} : { recipient }),
      ...(channel === undefined ? {} : { channel }),
      ...(contentType === undefined ? {} : { contentType }),
    },
    problems,
  };
}

/** What is read of a header that has no `<|message|>`. */
export interface OpenHeader extends ReadHeader {
  /** What is neither role nor channel, special tokens written out; empty where the rest is a header too. */
  readonly content: string;
  /** Whether `content` is more than the beginning of a role's name. */
  readonly hasContent: boolean;
}

/**
 * Reads a header that something else than `<|message|>` ended. What stands behind role and channel is content, but for
 * recipients and constrained types alone; a completion without any header is content to its last blank.
 */
export function readOpenHeader(segments: readonly HarmonySegment[], options: ReadHeaderOptions): OpenHeader {
  const { known, fallback } = options;
  const [only] = segments;
  if (known !== undefined && segments.length === 1 && only && "text" in only) {
    return { header: { role: known }, problems: [], content: only.text, hasContent: true };
  }
  const problems: { code: HarmonyProblemCode; text: string }[] = [];
  const { rest, channel: marked, behind } = takeChannel(
    segments,
    (code, text) => problems.push({ code, text }),
  );
  const words = wordsOf(rest, behind);
  const [first] = words;
  const named = known === undefined && first && !first.constrained ? speakerOf(first.text) : null;
  const says = named !== null || (first !== undefined && !first.constrained && first.text === known);
  const left = says ? words.slice(1) : words;
  if (left.every((word) => word.constrained || word.text.startsWith("to="))) {
    return { ...readHeader(segments, options), content: "", hasContent: false };
  }
  const text = rawText(rest);
  const from = says && first ? text.indexOf(first.text) + first.text.length : 0;
  const channel = marked ?? named?.channel;
  const isCutRole = known === undefined && marked === undefined && !says && left.length === 1;
  return {
    header: {
      role: named?.role ?? known ?? fallback ?? "assistant",
      ...(named?.name === undefined ? {} : { name: named.name }),
      ...(channel === undefined ? {} : { channel }),
    },
    problems,
    content: text.slice(from).trim(),
    hasContent: !isCutRole,
  };
}

/**
 * Takes channel tokens and the names behind them out of a header; of several the last counts.
 *
 * @returns the index in the rest of what stood `behind` the channel, too.
 */
function takeChannel(
  segments: readonly HarmonySegment[],
  report: Report,
): { rest: HarmonySegment[]; channel: string | undefined; behind: number } {
  const rest: HarmonySegment[] = [];
  let behind = 0;
  let channel: string | undefined;
  let expected = false;
  const found = (name: string) => {
    if (channel !== undefined) report("second_channel", channel);
    channel = name;
    behind = rest.length;
    expected = false;
  };
  const missing = () => {
    if (expected) report("empty_channel", "");
    expected = false;
  };
  for (const segment of segments) {
    if ("special" in segment) {
      missing();
      if (segment.special === "channel") expected = true;
      else rest.push(segment);
      continue;
    }
    let { text } = segment;
    if (expected) {
      const spaced = /^(\s+)([^\s<]+)/.exec(text);
      const name = /^[^\s<]+/.exec(text)?.[0];
      if (name !== undefined) {
        found(name);
        text = text.slice(name.length);
      } else if (spaced && isChannelName(spaced[2] as string)) {
        report("empty_channel", spaced[2] as string);
        found(spaced[2] as string);
        text = text.slice(spaced[0].length);
      } else missing();
    }
    if (text !== "") rest.push({ text });
  }
  missing();
  return { rest, channel, behind };
}

/** The words of a header; the constrain token makes a word of its own, or marks the word that follows it at once. */
function wordsOf(segments: readonly HarmonySegment[], behind: number): Word[] {
  const words: Word[] = [];
  let constrained = false;
  for (const [index, segment] of segments.entries()) {
    const late = index >= behind;
    if ("special" in segment) {
      if (constrained) words.push({ text: "", constrained, late });
      constrained = segment.special === "constrain";
      continue;
    }
    const parts = segment.text.split(/\s+/);
    for (const [i, text] of parts.entries()) {
      if (i === 0 && constrained) words.push({ text, constrained, late });
      else if (text !== "") words.push({ text, constrained: false, late });
    }
    constrained = false;
  }
  if (constrained) words.push({ text: "", constrained, late: segments.length >= behind });
  return words;
}

function wordText({ text, constrained }: Word): string {
  return constrained ? CONSTRAIN + text : text;
}

function takeSpeaker(words: Word[], { known, fallback }: ReadHeaderOptions, report: Report): Speaker {
  const [first] = words;
  if (known !== undefined) {
    if (first?.text === known && !first.constrained) words.shift();
    return { role: known };
  }
  if (!first || first.constrained || first.text.startsWith("to=")) {
    report("no_role", "");
    return { role: fallback ?? "assistant" };
  }
  words.shift();
  const speaker = speakerOf(first.text);
  if (speaker?.channel !== undefined) report("missing_channel_token", first.text);
  if (speaker) return speaker;
  const isTool = isToolName(first.text) ||
    words.some((word) => !word.constrained && word.text.startsWith("to="));
  if (isTool) return { role: "tool", name: first.text };
  report("unknown_role", first.text);
  return fallback === undefined ? { role: "tool", name: first.text } : { role: fallback };
}

function takeContentType(words: Word[]): Word | undefined {
  const last = words.at(-1);
  if (!last) return undefined;
  if (!last.constrained) {
    if (last.text.startsWith("to=")) return undefined;
    if (words.length === 1 && isBareRecipient(last.text)) return undefined;
  }
  return words.pop();
}

function takeRecipient(words: Word[]): string | undefined {
  const last = words.at(-1);
  if (!last || last.constrained) return undefined;
  const named = last.text.startsWith("to=") ? last.text.slice(3) : "";
  if (named === "" && !isBareRecipient(last.text)) return undefined;
  words.pop();
  return named || last.text;
}
