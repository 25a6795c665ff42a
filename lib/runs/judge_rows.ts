/**
 * What an LLM judge is asked, as rows of their own.
 * @module
 */
import type { Message } from "../backends/backend.ts";
import { modelIdentity } from "../backends/model_identity.ts";
import { hashJson, type Json, sha256 } from "../base/hash.ts";
import type { Judgement, JudgeRow, Prompt, Row } from "./experiment.ts";
import type { CountedModel } from "./experiment_kind.ts";

/** Characters of an answer that a judge is shown. */
export const JUDGED_CHARS = 4000;

/** Output cap of a judge's call, where the judge can give that much. */
export const JUDGE_CAP = 1024;

/** A judge with its identity, for the ids of its rows. */
export interface AskedJudge extends CountedModel {
  /** See {@linkcode modelIdentity}. */
  readonly identity: Json;
}

/** A judge that can be asked; its identity is read once. */
export function askedJudge(judge: CountedModel): AskedJudge {
  return { ...judge, identity: modelIdentity(judge.variant) };
}

/** A question about one row's output. The same question to the same judge has the same id. */
export function judgeRow(question: {
  /** The row that is judged. */
  readonly row: Row;
  /** What is asked, where a row may need several questions: `correct`. */
  readonly stage: string;
  /** The version of the prompt. */
  readonly version: string | number;
  /** The question. */
  readonly messages: readonly Message[];
  /** Who is asked. */
  readonly judge: AskedJudge;
}): JudgeRow {
  const { row, stage, version, messages, judge } = question;
  const content = messages.map((message) => message.content).join("\n");
  return {
    id: hashJson([version, row.id, stage, judge.identity, sha256(content)]),
    of: row.id,
    params: { of: row.id, stage },
    recipe: { judge: version, of: row.id, stage, content },
    tokens: judge.tokenizer.countMessages(messages),
    maxTokens: Math.min(judge.variant.maxOutputTokens, JUDGE_CAP),
    skip: null,
  };
}

/** The prompt of a row that {@linkcode judgeRow} made. */
export function judgePrompt(row: JudgeRow, judge: CountedModel): Prompt {
  const { content } = row.recipe as { content: string };
  const messages = [{ role: "user" as const, content }];
  return { messages, tokens: judge.tokenizer.countMessages(messages) };
}

/** The judge's answer to the question of a stage, when there is one. */
export function judgementOf(judgements: readonly Judgement[], stage: string): Judgement | undefined {
  return judgements.find((j) => j.row.params["stage"] === stage && j.attempt.status === "done");
}

/** Who grades a run: `graded by normalised match, then by gpt-4o-mini`. */
export function gradersText(judges: readonly CountedModel[]): string {
  if (judges.length === 0) return "graded by normalised match alone, without a judge model";
  return `graded by normalised match, then by ${judges.map(({ variant }) => variant.name).join(" and ")}`;
}
