import assert from "node:assert/strict";
import { parseVariants, pickVariant } from "../backends/variants.ts";
import type { ApiVariant } from "../backends/variants.ts";
import { serverRendering } from "./server_rendering.ts";

const chat = [{ role: "system", content: "S" }, { role: "user", content: "U" }] as const;

/** What a server with these paths is found to render. */
async function rendering(
  paths: Record<string, (body: Record<string, unknown>) => unknown>,
): Promise<string | null> {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const answer = paths[new URL(request.url).pathname];
    return answer === undefined
      ? new Response("no", { status: 404 })
      : Response.json(answer(await request.json() as Record<string, unknown>));
  });
  try {
    const { port } = server.addr as Deno.NetAddr;
    const fields = {
      backend: "api",
      description: "x",
      model: "m",
      baseUrl: `http://127.0.0.1:${port}/v1`,
      contextWindow: 9,
    };
    const variant = pickVariant(
      parseVariants(JSON.stringify({ variants: { a: fields } }), "m.json"),
      "a",
    ) as ApiVariant;
    return await serverRendering(variant, chat);
  } finally {
    await server.shutdown();
  }
}

Deno.test("serverRendering() asks llama.cpp for the prompt, and vLLM for its tokens and their text", async () => {
  const say = (body: Record<string, unknown>) =>
    (body["messages"] as { role: string; content: string }[]).map(({ role, content }) =>
      `<${role}>${content}`
    ).join("");
  assert.equal(await rendering({ "/apply-template": (body) => ({ prompt: say(body) }) }), "<system>S<user>U");
  assert.equal(
    await rendering({
      "/tokenize": (body) => ({ tokens: [...say(body)].map((char) => char.charCodeAt(0)), count: 1 }),
      "/detokenize": (body) => ({ prompt: String.fromCharCode(...body["tokens"] as number[]) }),
    }),
    "<system>S<user>U",
  );
});

Deno.test("serverRendering() of a server that cannot say is null", async () => {
  assert.equal(await rendering({}), null);
  assert.equal(await rendering({ "/apply-template": () => ({ other: 1 }) }), null);
  assert.equal(await rendering({ "/tokenize": () => ({ tokens: "x" }) }), null);
});
