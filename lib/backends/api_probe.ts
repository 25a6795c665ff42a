/**
 * Finds out what a server can do.
 * @module
 */
import {
  type Backend,
  BackendError,
  type CallOptions,
  type Capabilities,
  type Completion,
} from "./backend.ts";

/** A text everybody knows, cut inside a word: who truly continues writes the rest of the word first. */
const CANARY = {
  ask: "Write out the English alphabet's spelling names in order, separated by commas, starting with: alpha.",
  prefix: "alpha, bravo, charlie, delta, echo, foxtrot, golf, hotel, india, juliett, kilo, lima, mike, novem",
  rest: /^ber\b/i,
};

/**
 * Sends a few small requests: one answer, and one continuation of a canary cut mid-word. A server continues truly
 * when the text goes on with the rest of the word and the prompt it counted is longer than the one without the
 * prefix.
 *
 * @throws {BackendError} when even the plain request fails.
 */
export async function probeApi(backend: Backend, options: CallOptions = {}): Promise<Capabilities> {
  const notes: string[] = [];
  const messages = [{ role: "user", content: CANARY.ask }] as const;
  const plain =
    await attempt(() => backend.generate({ messages, maxTokens: 16, logprobs: true }, options), notes, {
      unsupported: "log-probabilities are refused",
    }) ?? await backend.generate({ messages, maxTokens: 16 }, options);
  const logprobs = plain.logprobs !== null;
  const reportsUsage = plain.usage.promptTokens !== null;
  if (!reportsUsage) notes.push("usage is not reported: truncated prompts cannot be seen");
  const continued = await attempt(
    () => backend.continueFrom({ messages, prefix: CANARY.prefix, maxTokens: 8 }, options),
    notes,
    { unsupported: "a begun assistant turn is refused" },
  );
  const continuesPrefix = continued !== null && trulyContinues(continued, plain, notes);
  const { variant } = backend;
  const isChat = variant.backend === "api" && variant.protocol !== "completions";
  return { chat: isChat, completions: !isChat, continuesPrefix, logprobs, reportsUsage, notes };
}

function trulyContinues(continued: Completion, plain: Completion, notes: string[]): boolean {
  if (!CANARY.rest.test(continued.text)) {
    notes.push(
      `a prefix is not continued: "novem" was followed by ${JSON.stringify(continued.text.slice(0, 20))}`,
    );
    return false;
  }
  const [long, short] = [continued.usage.promptTokens, plain.usage.promptTokens];
  if (long !== null && short !== null && long <= short) {
    notes.push(`a prefix is dropped: ${long} prompt tokens with it, ${short} without`);
    return false;
  }
  return true;
}

/** The completion, or null with a note when the server says it cannot; every other failure is thrown. */
async function attempt(
  request: () => Promise<Completion>,
  notes: string[],
  words: { readonly unsupported: string },
): Promise<Completion | null> {
  try {
    return await request();
  } catch (error) {
    if (!(error instanceof BackendError) || !["bad_request", "unsupported"].includes(error.kind)) throw error;
    notes.push(`${words.unsupported} (${error.message.slice(0, 120)})`);
    return null;
  }
}
