/**
 * Prompts as published files write them.
 * @module
 */
import { type Letter, LETTERS, type SpliceProblem } from "./types.ts";

/** The user's turn of a prompt that was written as one text: without the role before it and the opened reasoning behind it. */
export function userTurn(text: string): string {
  return text.replace(/^\s*user:\s?/i, "").replace(/\s*<think>\s*$/, "").trimEnd();
}

/** The choices that a question lists as `(A) ...` or `A. ...`, each at the start of a line; null when it lists fewer than two. */
export function choicesIn(question: string): SpliceProblem["choices"] {
  const found: Partial<Record<Letter, string>> = {};
  let next = 0;
  for (const line of question.split("\n")) {
    const [, bracketed, dotted, text] = /^\s*(?:\(([A-J])\)|([A-J])[.):])\s+(.*\S)\s*$/.exec(line) ?? [];
    const letter = bracketed ?? dotted;
    if (letter === undefined || text === undefined) continue;
    // Choices go A, B, C: anything else is a list of another kind.
    if (letter !== LETTERS[next]) return null;
    found[LETTERS[next] as Letter] = text;
    next++;
  }
  return next < 2 ? null : found;
}
