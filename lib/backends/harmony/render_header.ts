/**
 * The header of a message: role, name, recipient, channel, content type.
 * @module
 */
import { isBareRecipient, isChannelName, isToolName, speakerOf } from "./header_words.ts";
import { HarmonyRenderError } from "./problems.ts";
import { type SpecialName, specialText } from "./special_tokens.ts";
import { HARMONY_ROLES, type HarmonyMessage } from "./types.ts";

/** A run of plain text, or a special token. */
export type HarmonySegment = { readonly text: string } | { readonly special: SpecialName };

/** What a header says. */
export type HarmonyHeader = Omit<HarmonyMessage, "content">;

const CONSTRAIN = specialText("constrain");
const WORD = /^[^\s<]+$/;

/**
 * The header of a message: `role[:name][ to=recipient]`, then the channel behind its token, then the content type. The
 * recipient `all` is not written.
 *
 * @throws {HarmonyRenderError} when it would be read differently from what it says.
 */
export function renderHeader(header: HarmonyHeader): HarmonySegment[] {
  const { role, name, recipient, channel, contentType } = header;
  checkHeader(header);
  const who = role === "tool" ? name : name === undefined ? role : `${role}:${name}`;
  const segments: HarmonySegment[] = [
    { text: `${who}${recipient === undefined || recipient === "all" ? "" : ` to=${recipient}`}` },
  ];
  if (channel !== undefined) segments.push({ special: "channel" }, { text: channel });
  if (contentType?.startsWith(CONSTRAIN)) {
    segments.push({ text: " " }, { special: "constrain" }, { text: contentType.slice(CONSTRAIN.length) });
  } else if (contentType !== undefined) segments.push({ text: ` ${contentType}` });
  return segments;
}

function checkHeader({ role, name, recipient, channel, contentType }: HarmonyHeader): void {
  const fail = (field: string, value: unknown, remedy: string) => {
    throw new HarmonyRenderError(`The ${field} ${JSON.stringify(value)} cannot be written: ${remedy}`);
  };
  if (!HARMONY_ROLES.includes(role)) fail("role", role, `use one of ${HARMONY_ROLES.join(", ")}`);
  const bare = contentType?.startsWith(CONSTRAIN)
    ? contentType.slice(CONSTRAIN.length) || "json"
    : contentType;
  for (const [field, value] of Object.entries({ name, recipient, channel, "content type": bare })) {
    if (value === undefined || WORD.test(value)) continue;
    fail(field, value, 'use a word without white space and "<"');
  }
  if (role === "tool") {
    if (name === undefined) fail("tool", name, "a tool needs a name, such as functions.get_weather");
    else if ((name !== "tool" && speakerOf(name)) || name.startsWith("to=")) {
      fail("tool name", name, "it reads as a role");
    } else if (!isToolName(name) && (recipient === undefined || recipient === "all")) {
      fail("tool name", name, `write functions.${name}, or give the message a recipient such as assistant`);
    }
  }
  if (contentType === undefined || contentType.startsWith(CONSTRAIN)) return;
  if (contentType.startsWith("to=")) fail("content type", contentType, "it reads as a recipient");
  if (recipient !== undefined && recipient !== "all") return;
  if (isBareRecipient(contentType)) {
    fail("content type", contentType, "without a recipient it reads as one");
  }
  if (isChannelName(contentType)) fail("content type", contentType, "it reads as a channel");
}
