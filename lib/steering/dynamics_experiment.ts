/**
 * The responses whose dynamics are read: every prompt of a set, answered once.
 * @module
 */
import { z } from "zod";
import { modelIdentity } from "../backends/model_identity.ts";
import { InputError } from "../base/errors.ts";
import { readTextIfExists, writeAtomic } from "../base/files.ts";
import { hashJson, type Json } from "../base/hash.ts";
import { noText } from "../runs/degenerate.ts";
import type { GradedRow, Row } from "../runs/experiment.ts";
import type { CreateOptions, PlannedExperiment } from "../runs/experiment_kind.ts";
import { join } from "node:path";
import { type DynamicsConfig, TEST_PROMPTS } from "./dynamics_config.ts";
import { resultsExperiment } from "./extract_settings.ts";
import { layoutPath } from "./layout.ts";
import type { PromptSet, SetPrompt } from "./prompt_set.ts";
import type { RecordedResponse } from "./raw_activations.ts";
import { questionMessages } from "./sweep_rows.ts";

/** A prompt that is answered. */
export interface PromptRow extends Row {
  /** Its columns. */
  readonly params: { readonly prompt_id: string; readonly prompt: string };
}

/** The prompts of a config. */
export function promptsOf(config: DynamicsConfig, { prompts }: PromptSet): readonly SetPrompt[] {
  return prompts.slice(0, config.prompts ?? (config.test ? TEST_PROMPTS : prompts.length));
}

/** Where a variant's responses to a prompt set are. */
export function responsesFile(
  place: { readonly experiment: string; readonly variant: string; readonly promptSet: string },
  results: string,
): string {
  return join(layoutPath({ kind: "inference_responses", ...place }, { results }), "responses.jsonl");
}

/** Plans the answers of a variant to a prompt set. */
export function createResponses(
  config: DynamicsConfig,
  name: string,
  set: PromptSet,
  { variant, tokenizer }: CreateOptions,
): PlannedExperiment<PromptRow> {
  const { temperature, seed } = config;
  const sampling = { temperature, ...(temperature > 0 ? { seed } : {}) };
  const maxTokens = Math.min(config.maxOutputTokens ?? (config.test ? 64 : 256), variant.maxOutputTokens);
  const common = hashJson({
    experiment: "trait-dynamics",
    sampling: sampling as unknown as Json,
    maxTokens,
    model: modelIdentity(variant),
  });
  const rows = promptsOf(config, set).map(({ id, text }): PromptRow => {
    const tokens = tokenizer.countMessages(questionMessages(text));
    return {
      id: hashJson([common, id, text]),
      params: { prompt_id: id, prompt: text },
      recipe: { prompt: text },
      tokens,
      maxTokens,
      skip: tokens + maxTokens > variant.contextWindow ? "window" : null,
    };
  });
  return {
    name,
    sampling,
    rows,
    notes: [`prompts: ${rows.length} of ${set.name}`],
    fullSize: set.prompts.length,
    judging: null,
    prompt: ({ params, tokens }) => ({ messages: questionMessages(params.prompt), tokens }),
    grade: (all) =>
      all.map(({ row, attempt, attempts }): GradedRow => ({
        row,
        attempt,
        attempts,
        grade: attempt === null ? null : {
          // There is no right answer: what counts is whether there is a text to read.
          validity: attempt.status === "error"
            ? "error"
            : noText(attempt.output) === null
            ? "correct"
            : "degenerate",
          correct: null,
          judge: "none",
          judge_output: "",
        },
      })),
    report(all) {
      const answered = all.filter(({ attempt }) => attempt?.status === "done").length;
      return {
        summary: `${variant.name}: ${answered} of ${all.length} prompts of ${set.name} answered`,
        statistics: { prompts: all.length, answered },
        figures: {},
      };
    },
    async writeFiles(all, { results }) {
      const path = responsesFile({
        experiment: resultsExperiment(config),
        variant: variant.name,
        promptSet: set.name,
      }, results);
      const lines = all.flatMap(({ row, attempt }) => {
        const { prompt_id: id, prompt } = (row as PromptRow).params;
        return attempt?.status === "done" ? [JSON.stringify({ id, prompt, response: attempt.output })] : [];
      });
      await writeAtomic(path, lines.map((line) => line + "\n").join(""));
      return [path];
    },
  };
}

const responseSchema: z.ZodType<RecordedResponse> = z.object({
  id: z.string().min(1),
  prompt: z.string(),
  response: z.string(),
});

/**
 * Reads a variant's responses to a prompt set.
 *
 * @throws {InputError} when they are not there or damaged.
 */
export async function readResponses(path: string): Promise<RecordedResponse[]> {
  const text = await readTextIfExists(path);
  if (text === undefined) {
    throw new InputError(`There are no responses at ${path}: have the variant answer the prompt set first.`);
  }
  return text.split("\n").flatMap((line, i) => {
    if (line.trim() === "") return [];
    try {
      return [responseSchema.parse(JSON.parse(line))];
    } catch (cause) {
      throw new InputError(
        `${path}, line ${i + 1}, is no response: delete the file, and have it written again.`,
        {
          cause,
        },
      );
    }
  });
}
