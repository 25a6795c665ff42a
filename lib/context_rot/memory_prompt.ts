/**
 * The prompt of a question about earlier chats.
 * @module
 */
import { type ChatSession, chatText } from "./chat_history.ts";

/** The text of a question about chats, which stand in the order given. */
export function memoryPrompt(sessions: readonly ChatSession[], question: string): string {
  return `You are a helpful assistant. Read your earlier chats with the user and answer the question in one short ` +
    `sentence.\n\n<chats>\n${sessions.map(chatText).join("\n\n")}\n</chats>\n\n` +
    `Use nothing but the chats. If they do not hold the answer, say so.\n\n` +
    `<question>\n${question}\n</question>`;
}
