/**
 * Whether a model truly goes on from a begun turn, asked before the first sample.
 * @module
 */
import { probeApi } from "../backends/api_probe.ts";
import { BackendError, type ContinueRequest, type GenerateRequest } from "../backends/backend.ts";
import type { Caller } from "../backends/caller.ts";
import { openedTurn } from "../backends/reasoning.ts";
import type { ReasoningMarks } from "../backends/variants.ts";
import { InputError } from "../base/errors.ts";

/** Prompt tokens of a probe, at most. */
const PROBE_TOKENS = 200;
/** One probe for each caller and opening; a failed one is tried again. */
const probes = new WeakMap<Caller, Map<string, Promise<void>>>();

/**
 * Finds out once whether a server continues a turn that is begun inside its reasoning, by a canary cut mid-word and by
 * the prompt tokens it counts. In-process and simulated models do, by how they are made.
 *
 * @throws {InputError} when it does not: every sample would be an answer to another prompt.
 * @throws {BackendError} when it cannot be asked.
 */
export function checkContinues(caller: Caller, marks: ReasoningMarks): Promise<void> {
  if (caller.variant.backend !== "api") return Promise.resolve();
  const known = probes.get(caller) ?? new Map<string, Promise<void>>();
  probes.set(caller, known);
  const probe = known.get(marks.open) ?? probeOnce(caller, marks);
  known.set(marks.open, probe);
  probe.catch(() => known.delete(marks.open));
  return probe;
}

async function probeOnce(caller: Caller, marks: ReasoningMarks): Promise<void> {
  const { variant } = caller;
  const epoch = Date.now(); // a server may have changed since an answer was kept
  const ask = (request: GenerateRequest | ContinueRequest) =>
    caller.call(request, { tokens: PROBE_TOKENS, epoch });
  const opening = openedTurn(marks, " ").slice(0, -1);
  try {
    const { continuesPrefix, notes } = await probeApi({ variant, generate: ask, continueFrom: ask }, {
      opening,
    });
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
