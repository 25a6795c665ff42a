/**
 * A chat as a server renders it, where it can say.
 * @module
 */
import { z } from "zod";
import type { Message } from "../backends/backend.ts";
import type { ApiVariant, Environment } from "../backends/variants.ts";

const promptSchema = z.looseObject({ prompt: z.string() });
const tokensSchema = z.looseObject({ tokens: z.array(z.int()) });

/**
 * The prompt a server makes of a chat: llama.cpp says it (`/apply-template`), vLLM through its tokens (`/tokenize`, then
 * `/detokenize`). Null for servers that have neither, do not answer in time, or whose key is missing. No model is asked.
 */
export async function serverRendering(
  variant: ApiVariant,
  messages: readonly Message[],
  options: { readonly env?: Environment; readonly timeoutMs?: number } = {},
): Promise<string | null> {
  const { env = Deno.env, timeoutMs = 5000 } = options;
  const base = (variant.baseUrlEnv && env.get(variant.baseUrlEnv)) || variant.baseUrl;
  const key = variant.apiKeyEnv ? env.get(variant.apiKeyEnv) : undefined;
  if (base === undefined || variant.apiKeyEnv !== undefined && !key) return null;
  const root = base.replace(/\/+$/, "").replace(/\/v1$/, "");
  const ask = async <T>(path: string, body: unknown, schema: z.ZodType<T>): Promise<T | null> => {
    try {
      const response = await fetch(root + path, {
        method: "POST",
        headers: {
          ...variant.headers,
          "content-type": "application/json",
          ...(key ? { authorization: `Bearer ${key}` } : {}),
        },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(timeoutMs),
      });
      const text = await response.text();
      return response.ok ? schema.safeParse(JSON.parse(text)).data ?? null : null;
    } catch {
      return null; // no such endpoint is the usual case
    }
  };
  const chat = messages.map(({ role, content }) => ({ role, content }));
  const applied = await ask("/apply-template", { messages: chat }, promptSchema);
  if (applied !== null) return applied.prompt;
  const { model } = variant;
  const tokens = await ask("/tokenize", { model, messages: chat, add_generation_prompt: true }, tokensSchema);
  if (tokens === null) return null;
  return (await ask("/detokenize", { model, tokens: tokens.tokens }, promptSchema))?.prompt ?? null;
}
