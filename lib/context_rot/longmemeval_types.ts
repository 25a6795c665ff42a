/**
 * The kinds of LongMemEval's questions, from the file that the benchmark publishes.
 * @module
 */
import { InputError } from "../base/errors.ts";
import { fileChunks } from "../base/files.ts";

/** What the kinds are called upstream, in the order of tables. Other names may occur. */
export const QUESTION_TYPES = [
  "single-session-user",
  "single-session-assistant",
  "single-session-preference",
  "multi-session",
  "knowledge-update",
  "temporal-reasoning",
] as const;

/** The kind of questions that no chat answers, whatever else they are: those whose id ends with `_abs`. */
export const ABSTENTION = "abstention";

/** Whether a question's id says that no chat answers it. */
export function isAbstentionId(id: string): boolean {
  return /_abs$/.test(id);
}

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const OPENING = new Set([0x7b, 0x5b]);
const CLOSING = new Set([0x7d, 0x5d]);
const BRACE = 0x7b;

/**
 * Question id → kind, of a JSON file of objects with `question_id` and `question_type` (`longmemeval_s.json`,
 * `longmemeval_oracle.json`; an array, or an object a line). The file may be of any size: its chats are passed over.
 *
 * @throws {InputError} when the file cannot be read, is torn, or holds no such object.
 */
export async function readQuestionTypes(path: string): Promise<Map<string, string>> {
  const types = new Map<string, string>();
  let depth = 0;
  let recordDepth = 0;
  let inString = false, escaped = false, isKey = false;
  let key = "";
  let record: Record<string, string> = {};
  let bytes: number[] | null = null;
  const scan = (chunk: Uint8Array) => {
    for (const byte of chunk) {
      if (inString) {
        if (byte === QUOTE && !escaped) {
          inString = false;
          if (bytes !== null) {
            const text = parseString(bytes, path);
            if (isKey) key = text;
            else record[key] = text;
            bytes = null;
          }
        } else bytes?.push(byte);
        escaped = byte === BACKSLASH && !escaped;
      } else if (byte === QUOTE) {
        inString = true;
        escaped = false;
        bytes = depth === recordDepth && depth > 0 && (isKey || WANTED.has(key)) ? [] : null;
      } else if (OPENING.has(byte)) {
        depth++;
        if (byte === BRACE && recordDepth === 0) recordDepth = depth;
        if (depth === recordDepth) [isKey, key, record] = [true, "", {}];
      } else if (CLOSING.has(byte)) {
        if (depth === recordDepth && record["question_id"] && record["question_type"]) {
          types.set(record["question_id"], record["question_type"]);
        }
        depth--;
      } else if (depth === recordDepth) {
        if (byte === COMMA) isKey = true;
        else if (byte === COLON) isKey = false;
      }
    }
  };
  try {
    for await (const chunk of fileChunks(path)) scan(chunk);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`Cannot read the question types of ${path}: give another file, or none.`, {
      cause: error,
    });
  }
  if (depth !== 0 || inString) {
    throw new InputError(
      `${path} ends in the middle: it is torn. Download it again (deno task data longmemeval).`,
    );
  }
  if (types.size === 0) {
    throw new InputError(
      `${path} holds no object with question_id and question_type: give LongMemEval's own JSON file, or none.`,
    );
  }
  return types;
}

const WANTED = new Set(["question_id", "question_type"]);

function parseString(bytes: readonly number[], path: string): string {
  const text = new TextDecoder().decode(Uint8Array.from(bytes));
  try {
    return String(JSON.parse(`"${text}"`));
  } catch (cause) {
    throw new InputError(`${path} holds ${JSON.stringify(text.slice(0, 60))}, which is no JSON text.`, {
      cause,
    });
  }
}
