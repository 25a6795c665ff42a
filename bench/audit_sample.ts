/**
 * Made-up finished rows for the benchmark of the audit.
 * @module
 */
import { createRandom } from "../lib/base/random.ts";
import type { AuditRow } from "../lib/context_rot/audit.ts";

const LENGTHS = [500, 1000, 5000, 10_000, 50_000, 100_000];
const WORDS =
  "the a of document says that best thing to do in city is walk along river before sunrise and then read book under an old tree while bells ring"
    .split(" ");

/**
 * Rows of every class of the audit, four fifths of them answered well: short answers, answers of a page, loops that ran
 * to the cap, refusals, abstentions, cut prompts, errors.
 */
export function auditSample(count: number): AuditRow[] {
  const random = createRandom("audit sample");
  const prose = (words: number) => {
    const text: string[] = [];
    for (let i = 0; i < words; i++) text.push(WORDS[Math.floor(random.next() * WORDS.length)] as string);
    return text.join(" ");
  };
  return Array.from({ length: count }, (_, i) => {
    const length = LENGTHS[i % LENGTHS.length] as number;
    const row: AuditRow = {
      id: `row ${i}`,
      length,
      depth: 10 * (Math.floor(i / LENGTHS.length) % 11),
      skip: null,
      token_count: length - i % 7,
      prompt_tokens_reported: length - i % 7,
      completion_tokens: 20,
      maxTokens: 256,
      finish_reason: "stop",
      output: `${prose(12)}.`,
      error: null,
      correct: true,
      distractor: -1,
    };
    switch (i % 50) {
      case 0:
        return { ...row, correct: false, output: prose(400) };
      case 1:
        return { ...row, correct: false, distractor: 1 };
      case 2:
        return { ...row, correct: false, output: "The document does not mention it." };
      case 3:
        return { ...row, correct: false, output: "I'm sorry, but I can't help with that." };
      case 4:
        return { ...row, correct: false, finish_reason: "length", output: `${prose(9)} `.repeat(150) };
      case 5:
        return { ...row, correct: false, finish_reason: "length", output: prose(250) };
      case 6:
        return { ...row, correct: false, prompt_tokens_reported: Math.round(length * 0.6) };
      case 7:
        return { ...row, correct: null, output: "", error: "timeout", prompt_tokens_reported: null };
      case 8:
        return { ...row, correct: false, output: "<pad>".repeat(256) };
      default:
        return row;
    }
  });
}
