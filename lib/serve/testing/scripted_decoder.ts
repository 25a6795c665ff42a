/**
 * A decoder that does what a test says, and tells what it is doing.
 * @module
 */
import type { Continuation, Decoder, GenerateManyOptions, PrefillOptions, Sample } from "../../engine/mod.ts";
import { parseVariants, pickVariant } from "../../backends/variants.ts";
import type { LocalVariant } from "../../backends/variants.ts";

/** A variant for it. */
export const scriptedVariant = pickVariant(
  parseVariants(
    JSON.stringify({
      variants: {
        scripted: {
          backend: "local",
          description: "d",
          model: ".",
          contextWindow: 1000,
          maxOutputTokens: 500,
        },
      },
    }),
    "/nowhere/models.json",
  ),
  "scripted",
) as LocalVariant;

/** What a test can set and see. */
export interface ScriptedDecoder {
  readonly decoder: Decoder;
  /** Prefixes that are held. */
  readonly held: number;
  /** Calls of generate that are under way. */
  readonly drawing: number;
  /** Tokens drawn so far. */
  readonly drawn: number;
}

/** What it does. */
export interface Script {
  /** Milliseconds for each token; 0 when left out. */
  readonly stepMs?: number;
  /** Text of each token; "x" when left out. */
  readonly piece?: string;
  /** Thrown by every prefill. */
  readonly failure?: Error;
}

/** A decoder whose tokens are characters and whose answers are `maxNewTokens` times the same piece. */
export function scriptedDecoder(script: Script = {}): ScriptedDecoder {
  const { stepMs = 0, piece = "x", failure } = script;
  const seen = { held: 0, drawing: 0, drawn: 0 };
  const pause = () => new Promise((resolve) => setTimeout(resolve, stepMs));
  const decoder = {
    config: { vocabSize: 256 },
    contextWindow: 1000,
    encode: (text: string) => [...text].map((c) => c.charCodeAt(0) % 256),
    decode: (ids: readonly number[]) => String.fromCharCode(...ids),
    renderChat: (messages: readonly { content: string }[], options?: { prefill?: string }) =>
      messages.map((m) => m.content).join("|") + (options?.prefill ?? ""),
    // deno-lint-ignore require-await
    prefill: async (ids: readonly number[], options: PrefillOptions = {}) => {
      options.signal?.throwIfAborted();
      if (failure) throw failure;
      seen.held++;
      let open = true;
      return {
        length: ids.length,
        cachedTokens: 0,
        [Symbol.dispose]: () => {
          if (open) seen.held--;
          open = false;
        },
      };
    },
    generateMany: async (
      continuations: readonly Continuation[],
      { signal, onToken }: GenerateManyOptions = {},
    ): Promise<Sample[][]> => {
      seen.drawing++;
      const samples = continuations.map(({ n = 1 }) =>
        Array.from({ length: n }, () => ({ tokens: [] as number[], text: "" }))
      );
      const most = Math.max(...continuations.map(({ maxNewTokens }) => maxNewTokens));
      for (let step = 0; step < most && !signal?.aborted; step++) {
        await pause();
        for (const [request, group] of samples.entries()) {
          for (const [sample, made] of group.entries()) {
            if (signal?.aborted || step >= (continuations[request] as Continuation).maxNewTokens) continue;
            made.tokens.push(120);
            made.text += piece;
            seen.drawn++;
            onToken?.({ request, sample, token: 120, text: piece });
          }
        }
      }
      seen.drawing--;
      const finishReason = signal?.aborted ? "aborted" : "length";
      return samples.map((group) => group.map((made) => ({ ...made, finishReason })));
    },
    stats: () =>
      Promise.resolve({
        prefilledTokens: 0,
        reusedTokens: 0,
        generatedTokens: seen.drawn,
        decodeSteps: 0,
        cacheBytes: 0,
      }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  } as unknown as Decoder;
  return {
    decoder,
    get held() {
      return seen.held;
    },
    get drawing() {
      return seen.drawing;
    },
    get drawn() {
      return seen.drawn;
    },
  };
}
