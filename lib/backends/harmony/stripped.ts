/**
 * Completions whose special tokens a server has removed: `analysis...assistantfinal...`.
 * @module
 */
import type { ParsedMessage } from "./parse_result.ts";
import { HARMONY_CHANNELS, type HarmonyRole } from "./types.ts";

const CHANNEL = `(?<channel>${HARMONY_CHANNELS.join("|")})`;
const OPENING = String.raw`[\p{N}"'“‘\[{*#<]`;
/** A content type, when it is followed by what such a content begins with. */
const TYPE = String.raw`(?: ?(?<type>json|code)(?= ?[\[{"]))?`;
/** A recipient and a content type behind a channel. */
const TAIL = String.raw`(?: to=(?<after>[\w.-]+?)(?=\s|[\[{"]|(?:json|code) ?[\[{"]|$))?${TYPE}`;
const WHOM = String.raw`(?: ?to=(?<before>[\w.-]+?))?`;
/** A header inside the text. The words are joined in no other text. */
const NEXT = new RegExp(`assistant${WHOM}${CHANNEL}${TAIL}`, "gu");
/** A header at the beginning, sure when another follows. */
const FIRST = new RegExp(`^(?:assistant)?${WHOM}${CHANNEL}${TAIL}`, "u");
/** What must follow the first header when none follows later: "finally" and "analysis of" are words of an answer. */
const JOINED = new RegExp(
  String
    .raw`^(?:assistant)?(?: ?to=[\w.-]+?)?(?:(?:analysis|commentary)(?=\p{L}|${OPENING})|final(?=\p{Lu}|${OPENING})|commentary to=)`,
  "u",
);

/** How a stripped text is read. */
export interface StrippedOptions {
  /** Who speaks. */
  readonly role: HarmonyRole;
  /** Whether the text begins inside a content, so that no header can stand at its beginning. */
  readonly inContent?: boolean;
}

/**
 * Cuts a completion without special tokens at the words its headers left: role, channel, recipient and content type run
 * into the text around them. Null when the text does not look like one. Text before the first header becomes a message
 * without a channel.
 */
export function readStripped(
  text: string,
  { role, inContent = false }: StrippedOptions,
): ParsedMessage[] | null {
  const headers = [...text.matchAll(NEXT)];
  if (inContent) {
    if (headers.length === 0) return null;
  } else if (headers[0]?.index !== 0) {
    const first = FIRST.exec(text);
    if (first && (headers.length > 0 || JOINED.test(text))) headers.unshift(first as RegExpExecArray);
  } else if (headers.length === 1 && !JOINED.test(text)) return null;
  if (headers.length === 0) return null;
  const messages: ParsedMessage[] = [];
  const [{ index: lead }] = headers as [RegExpExecArray];
  if (lead > 0) messages.push({ role, content: text.slice(0, lead), end: null, position: 0, rawHeader: "" });
  for (const [i, header] of headers.entries()) {
    const { channel, before, after = before, type } = header.groups ?? {};
    const to = headers[i + 1]?.index ?? text.length;
    messages.push({
      role,
      ...(after === undefined ? {} : { recipient: after }),
      ...(channel === undefined ? {} : { channel }),
      ...(type === undefined ? {} : { contentType: type }),
      content: text.slice(header.index + header[0].length, to),
      end: null,
      position: header.index,
      rawHeader: header[0],
    });
  }
  return messages;
}
