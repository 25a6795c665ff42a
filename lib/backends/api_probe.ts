/**
 * Finds out what a server can do.
 * @module
 */
import {
  type Backend,
  BackendError,
  type Capabilities,
  type Completion,
  type ProbeOptions,
} from "./backend.ts";

const SPELLING =
  "alpha, bravo, charlie, delta, echo, foxtrot, golf, hotel, india, juliett, kilo, lima, mike, novem";
/** A text to say again, cut inside a word: who truly continues writes the rest of the word first. */
const CANARY = {
  ask: `Repeat the following text exactly.\n\n${SPELLING}ber, oscar, papa`,
  prefix: SPELLING,
  rest: /^ber\b/i,
};
/** Tokens of its own words that a model is asked for, and characters of them that must come back. */
const OWN = { tokens: 24, least: 8 };

/**
 * Sends a few small requests: one answer, and one continuation of a canary cut mid-word. A server continues truly
 * when the text goes on with the rest of the word and the prompt it counted is longer than the one without the
 * prefix. A model that cannot say the canary again is given the first half of its own greedy words, and must say the
 * second.
 *
 * @param options.opening stands before what is continued
 * @throws {BackendError} when even the plain request fails.
 */
export async function probeApi(
  backend: Pick<Backend, "variant" | "generate" | "continueFrom">,
  options: ProbeOptions = {},
): Promise<Capabilities> {
  const { opening = "", ...call } = options;
  const notes: string[] = [];
  const messages = [{ role: "user", content: CANARY.ask }] as const;
  const plain =
    await attempt(() => backend.generate({ messages, maxTokens: 16, logprobs: true }, call), notes, {
      unsupported: "log-probabilities are refused",
    }) ?? await backend.generate({ messages, maxTokens: 16 }, call);
  const logprobs = plain.logprobs !== null;
  const reportsUsage = plain.usage.promptTokens !== null;
  if (!reportsUsage) notes.push("usage is not reported: truncated prompts cannot be seen");
  const goOn = (prefix: string, maxTokens: number) =>
    attempt(() => backend.continueFrom({ messages, prefix: opening + prefix, maxTokens }, call), notes, {
      unsupported: "a begun assistant turn is refused",
    });
  const continued = await goOn(CANARY.prefix, 8);
  const continuesPrefix = continued !== null && isLonger(continued, plain, notes) &&
    (CANARY.rest.test(written(continued)) || await repeatsItself(goOn, written(continued), notes));
  const { variant } = backend;
  const isChat = variant.backend === "api" && variant.protocol !== "completions";
  return { chat: isChat, completions: !isChat, continuesPrefix, logprobs, reportsUsage, notes };
}

/** What was generated, reasoning or answer, whichever a server takes it for. */
function written({ reasoning, text }: Completion): string {
  return (reasoning ?? "") + text;
}

function isLonger(continued: Completion, plain: Completion, notes: string[]): boolean {
  const [long, short] = [continued.usage.promptTokens, plain.usage.promptTokens];
  if (long === null || short === null || long > short) return true;
  notes.push(`a prefix is dropped: ${long} prompt tokens with it, ${short} without`);
  return false;
}

/** Whether a greedy continuation goes on from its own first half as it did without being cut there. */
async function repeatsItself(
  goOn: (prefix: string, maxTokens: number) => Promise<Completion | null>,
  said: string,
  notes: string[],
): Promise<boolean> {
  const whole = written(await goOn(CANARY.prefix, OWN.tokens) ?? { reasoning: null, text: "" } as Completion);
  const space = whole.indexOf(" ", Math.floor(whole.length / 2));
  const rest = space < 0 ? "" : whole.slice(space).trim();
  const again = rest.length < OWN.least
    ? null
    : await goOn(CANARY.prefix + whole.slice(0, space), OWN.tokens);
  const goesOn = again !== null && written(again).trimStart().startsWith(rest.slice(0, OWN.least)) &&
    !whole.startsWith(rest.slice(0, OWN.least));
  if (!goesOn) {
    notes.push(`a prefix is not continued: "novem" was followed by ${JSON.stringify(said.slice(0, 20))}`);
  }
  return goesOn;
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
