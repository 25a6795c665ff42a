/**
 * Jupyter's wire format: messages as signed lists of frames.
 * https://jupyter-client.readthedocs.io/en/stable/messaging.html (protocol 5.3)
 * @module
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";

const DELIMITER = "<IDS|MSG>";

const headerSchema = z.looseObject({ msg_id: z.string(), msg_type: z.string() });
const parentSchema = z.looseObject({ msg_id: z.string().optional() });
const contentSchema = z.record(z.string(), z.unknown());

/** A received message. */
export interface Message {
  /** `execute_reply`, `stream`, `display_data`, ... */
  readonly type: string;
  /** Unlike any other. */
  readonly id: string;
  /** The id of the request this message answers; null when there is none. */
  readonly parentId: string | null;
  /** What it says, by its type. */
  readonly content: Readonly<Record<string, unknown>>;
}

/** A message to be sent. */
export interface Request {
  /** `execute_request`, `kernel_info_request`, ... */
  readonly type: string;
  /** Unlike any other; replies name it. */
  readonly id: string;
  /** The client's id. */
  readonly session: string;
  /** What it asks, by its type. */
  readonly content: Readonly<Record<string, unknown>>;
}

/** The frames of a request, signed with HMAC-SHA256 under the connection's key. */
export function encodeMessage(request: Request, key: string): string[] {
  const header = {
    msg_id: request.id,
    msg_type: request.type,
    session: request.session,
    username: "probebook",
    date: new Date().toISOString(),
    version: "5.3",
  };
  const parts = [JSON.stringify(header), "{}", "{}", JSON.stringify(request.content)];
  return [DELIMITER, signature(parts, key), ...parts];
}

/**
 * Reads a message from its frames.
 *
 * @returns null when the frames are not a message of this connection: no delimiter, a wrong signature, not JSON.
 */
export function decodeMessage(frames: readonly Uint8Array[], key: string): Message | null {
  const decoder = new TextDecoder();
  const at = frames.findIndex((frame) =>
    frame.length === DELIMITER.length && decoder.decode(frame) === DELIMITER
  );
  if (at < 0 || frames.length < at + 6) return null;
  const [given, ...parts] = frames.slice(at + 1, at + 6).map((frame) => decoder.decode(frame)) as [string];
  const expected = signature(parts, key);
  if (given.length !== expected.length) return null;
  if (!timingSafeEqual(new TextEncoder().encode(given), new TextEncoder().encode(expected))) return null;
  const [headerText = "", parentText = "", , contentText = ""] = parts as string[];
  try {
    const header = headerSchema.parse(JSON.parse(headerText));
    const parent = parentSchema.parse(JSON.parse(parentText));
    return {
      type: header.msg_type,
      id: header.msg_id,
      parentId: parent.msg_id ?? null,
      content: contentSchema.parse(JSON.parse(contentText)),
    };
  } catch {
    return null;
  }
}

function signature(parts: readonly string[], key: string): string {
  const hmac = createHmac("sha256", key);
  for (const part of parts) hmac.update(part);
  return hmac.digest("hex");
}
