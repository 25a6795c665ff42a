/**
 * Bodies of requests, as far as the in-process engine can do what they ask. What would change the answer and cannot be
 * done is refused, what would not is let through.
 * @module
 */
import { z } from "zod";
import { ApiError } from "./api_error.ts";

/** A field that may only have the value that asks for nothing. */
function only(neutral: unknown, why = "this server cannot do it") {
  const text = JSON.stringify(neutral);
  return z.unknown().refine((value) => JSON.stringify(value) === text, {
    message: `is refused: ${why}. Leave it out`,
    params: { code: "unsupported_parameter" },
  }).optional();
}

/** A field that changes nothing in the answer. */
const ignored = z.unknown().optional();

const NO_TOOLS = "this server offers no tools to its model";

const common = {
  model: z.string("give the name of a model; GET /v1/models lists them").min(1),
  n: z.int().min(1).max(1024).default(1),
  temperature: z.number().min(0).max(2).default(1),
  top_p: z.number().min(0).max(1).default(1),
  top_k: z.int().min(-1).default(0),
  seed: z.int().optional(),
  stop: z.union([z.string(), z.array(z.string()).max(64)], "give a text or a list of up to 64 texts")
    .transform((stop) => [stop].flat().filter((text) => text !== "")).default([]),
  stream: z.boolean().default(false),
  stream_options: z.strictObject({
    include_usage: z.boolean().nullish(),
    include_obfuscation: z.boolean().nullish(),
  }).optional(),
  presence_penalty: only(0),
  frequency_penalty: only(0),
  repetition_penalty: only(1),
  min_p: only(0),
  min_tokens: only(0),
  logit_bias: only({}),
  user: ignored,
  metadata: ignored,
  store: ignored,
  service_tier: ignored,
  safety_identifier: ignored,
  prompt_cache_key: ignored,
  prompt_cache_retention: ignored,
};

const textPart = z.object({
  type: z.literal("text", "only text can be read: the parts of a message have type text"),
  text: z.string(),
});

const contentSchema = z.union(
  [z.string(), z.array(textPart).transform((parts) => parts.map(({ text }) => text).join(""))],
  "give a text or a list of parts of type text",
);

const messageSchema = z.strictObject({
  role: z.enum(["system", "developer", "user", "assistant", "tool"]),
  content: contentSchema,
  name: only("", "the chat template has no place for names"),
  refusal: only(null, "the chat template has no place for refusals"),
  audio: only(null, "only text can be read"),
  annotations: ignored,
  reasoning: ignored,
  reasoning_content: ignored,
  tool_calls: only([], NO_TOOLS),
  function_call: only(null, NO_TOOLS),
  tool_call_id: ignored,
}).transform(({ role, content }) => ({ role, content }));

/** A body of `/v1/chat/completions`. */
export const chatSchema = z.strictObject({
  ...common,
  messages: z.array(messageSchema).min(1, "give at least one message"),
  max_tokens: z.int().min(1).optional(),
  max_completion_tokens: z.int().min(1).optional(),
  logprobs: z.boolean().default(false),
  top_logprobs: z.int().min(0).max(20).optional(),
  add_generation_prompt: z.boolean().optional(),
  continue_final_message: z.boolean().default(false),
  response_format: only({ type: "text" }, "answers are free text"),
  tools: only([], NO_TOOLS),
  tool_choice: z.unknown().refine((value) => value === "none" || value === "auto", {
    message: `is refused: ${NO_TOOLS}. Leave it out`,
    params: { code: "unsupported_parameter" },
  }).optional(),
  parallel_tool_calls: ignored,
  functions: only([], NO_TOOLS),
  function_call: only("none", NO_TOOLS),
  modalities: only(["text"], "answers are text"),
  reasoning_effort: only("none"),
  verbosity: only("medium"),
  echo: only(false),
}).superRefine((body, context) => {
  const issue = (path: string, message: string) =>
    context.addIssue({ code: "custom", path: [path], message });
  if (body.max_tokens !== undefined && body.max_completion_tokens !== undefined) {
    issue("max_tokens", "give max_tokens or max_completion_tokens, not both");
  }
  if (body.top_logprobs !== undefined && !body.logprobs) issue("top_logprobs", "needs logprobs: true");
  if (body.continue_final_message) {
    if (body.messages.at(-1)?.role !== "assistant") {
      issue("continue_final_message", "needs an assistant's message at the end");
    }
    if (body.add_generation_prompt) {
      issue("add_generation_prompt", "must be false with continue_final_message");
    }
  }
  streamOptionsNeedStream(body, context);
});

const idsSchema = z.array(z.int().nonnegative()).min(1);
const promptSchema = z.union([
  z.string(),
  z.array(z.string()).min(1),
  idsSchema,
  z.array(idsSchema).min(1),
], "give a text, a list of texts, a list of token ids, or a list of such lists")
  .transform((prompt): readonly (string | readonly number[])[] =>
    typeof prompt === "string" || typeof prompt[0] === "number"
      ? [prompt as string | number[]]
      : prompt as string[] | number[][]
  );

/** A body of `/v1/completions`. */
export const completionsSchema = z.strictObject({
  ...common,
  prompt: promptSchema,
  max_tokens: z.int().min(0).default(16),
  logprobs: z.int().min(0).max(20).optional(),
  echo: z.boolean().default(false),
  best_of: z.int().optional(),
  suffix: only("", "the model writes on from a prompt, it cannot fill gaps"),
}).superRefine((body, context) => {
  if (body.best_of !== undefined && body.best_of !== body.n) {
    const message = "is refused: this server gives all n samples and picks none. Leave it out";
    context.addIssue({ code: "custom", path: ["best_of"], message });
  }
  streamOptionsNeedStream(body, context);
});

function streamOptionsNeedStream(
  body: { readonly stream: boolean; readonly stream_options?: object | undefined },
  context: z.RefinementCtx,
): void {
  if (body.stream_options === undefined || body.stream) return;
  context.addIssue({ code: "custom", path: ["stream_options"], message: "needs stream: true" });
}

/** A checked body of `/v1/chat/completions`. */
export type ChatBody = z.output<typeof chatSchema>;
/** A checked body of `/v1/completions`. */
export type CompletionsBody = z.output<typeof completionsSchema>;

/** The schema of a body, as zod makes it. */
export interface BodySchema<T> {
  /** Checks a value. */
  safeParse(value: unknown): { readonly data?: T; readonly error?: { readonly issues: readonly unknown[] } };
}

/**
 * Checks a body; fields that are null count as left out.
 *
 * @throws {ApiError} 400, naming the first field that is wrong.
 */
export function readBody<T>(schema: BodySchema<T>, json: unknown): T {
  if (json === null || typeof json !== "object" || Array.isArray(json)) {
    throw new ApiError(400, "The body must be a JSON object.");
  }
  const given = Object.fromEntries(Object.entries(json).filter(([, value]) => value !== null));
  const { data, error } = schema.safeParse(given);
  if (error === undefined) return data as T;
  const issue = innermost(error.issues[0] as z.core.$ZodIssue);
  if (issue.code === "unrecognized_keys") {
    const param = [...issue.path, issue.keys[0]].join(".");
    const text = `${param} is not known here, and leaving it aside might change the answer: leave it out.`;
    throw new ApiError(400, text, { param, code: "unknown_parameter" });
  }
  const param = issue.path.join(".");
  const code = issue.code === "custom" ? issue.params?.["code"] as string | undefined : "invalid_value";
  const missing = issue.code !== "custom" && !Object.hasOwn(given, String(issue.path[0]));
  throw new ApiError(400, `${param}${/^is /.test(issue.message) ? " " : ": "}${issue.message}.`, {
    param,
    ...(missing ? { code: "missing_required_parameter" } : code === undefined ? {} : { code }),
  });
}

/** The issue within a union that says most: that of the alternative that was understood the furthest. */
function innermost(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== "invalid_union") return issue;
  const deepest = issue.errors.flat().toSorted((a, b) => b.path.length - a.path.length)[0];
  if (deepest === undefined || deepest.path.length === 0) return issue;
  const inner = innermost(deepest);
  return { ...inner, path: [...issue.path, ...inner.path] };
}
