/**
 * Whether a model truly goes on from a begun turn, asked before the first sample.
 * @module
 */
import { probeApi } from "../backends/api_probe.ts";
import {
  BackendError,
  type Completion,
  type ContinueRequest,
  type GenerateRequest,
} from "../backends/backend.ts";
import type { Caller } from "../backends/caller.ts";
import { closedTurn, openedTurn } from "../backends/reasoning.ts";
import type { ReasoningMarks } from "../backends/variants.ts";
import { InputError } from "../base/errors.ts";
import { FORCED_LEAD } from "./prompt_book.ts";

/** Prompt tokens of a probe, at most. */
const PROBE_TOKENS = 200;
/** One probe for each caller and opening; a failed one is tried again. */
const probes = new WeakMap<Caller, Map<string, Promise<void>>>();

/**
 * Finds out once whether a server continues a turn that is begun inside its reasoning, by a canary cut mid-word and by
 * the prompt tokens it counts. In-process and simulated models do, by how they are made.
 *
 * @param options.forced also whether it keeps a reasoning that is closed before the letter is asked for: some chat
 * templates drop it
 * @throws {InputError} when it does not: every sample would be an answer to another prompt.
 * @throws {BackendError} when it cannot be asked.
 */
export function checkContinues(
  caller: Caller,
  marks: ReasoningMarks,
  options: { readonly forced?: boolean } = {},
): Promise<void> {
  const { variant } = caller;
  if (variant.backend !== "api") return Promise.resolve();
  if (
    variant.protocol === "completions" && variant.format === undefined && variant.promptTemplate === undefined
  ) {
    return Promise.reject(
      new InputError(
        `${variant.name} takes raw prompts and nothing says how the model's chat is written: give its entry in ` +
          'models.json a "promptTemplate" with {user} in it, such as "<|im_start|>user\\n{user}<|im_end|>\\n<|im_start|>assistant\\n".',
      ),
    );
  }
  const known = probes.get(caller) ?? new Map<string, Promise<void>>();
  probes.set(caller, known);
  const key = JSON.stringify([marks, options.forced ?? false]);
  const probe = known.get(key) ?? probeOnce(caller, marks, options.forced ?? false);
  known.set(key, probe);
  probe.catch(() => known.delete(key));
  return probe;
}

async function probeOnce(caller: Caller, marks: ReasoningMarks, forced: boolean): Promise<void> {
  const { variant } = caller;
  const epoch = Date.now(); // a server may have changed since an answer was kept
  const ask = (request: GenerateRequest | ContinueRequest) =>
    caller.call(request, { tokens: PROBE_TOKENS, epoch });
  const opening = openedTurn(marks, " ").slice(0, -1);
  try {
    const { continuesPrefix, notes } = await probeApi({ variant, generate: ask, continueFrom: ask }, {
      opening,
    });
    if (continuesPrefix && forced) await checkClosed(ask, marks, variant.name);
    if (continuesPrefix) return;
    throw new InputError(
      `${variant.name} does not go on from a begun turn: ${
        notes.join("; ") || "its answer does not show it"
      }. A splice ` +
        `there would measure answers to another prompt. Use an in-process model, or a server that continues ` +
        `(vLLM, or deno task serve), or one with raw completions ("protocol": "completions").`,
    );
  } catch (error) {
    if (!(error instanceof BackendError) || error.kind !== "unsupported") throw error;
    throw new InputError(`${variant.name} cannot continue a begun turn: ${error.message}`, { cause: error });
  }
}

const REASONING = "Let me count: one, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve.";

/** Whether a closed reasoning still stands in the prompt: its tokens are counted. */
async function checkClosed(
  ask: (request: ContinueRequest) => Promise<Completion>,
  marks: ReasoningMarks,
  name: string,
): Promise<void> {
  const messages = [{ role: "user", content: "Which is first, (A) or (B)?" }] as const;
  const tokens = async (prefix: string) => (await ask({ messages, prefix, maxTokens: 4 })).usage.promptTokens;
  const open = await tokens(openedTurn(marks, REASONING));
  const closed = await tokens(closedTurn(marks, REASONING, FORCED_LEAD));
  if (open === null || closed === null || closed > open) return;
  throw new InputError(
    `${name} drops the reasoning of a begun turn once it is closed: ${closed} prompt tokens with it closed, ${open} ` +
      "without. Leave the arm forced_answer out (--arms splice), or use raw completions.",
  );
}
