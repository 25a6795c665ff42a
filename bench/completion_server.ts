/**
 * An OpenAI-compatible server that answers at once, and the same to everything, to measure what asks it:
 *
 *     deno run -A bench/completion_server.ts     prints its base URL and serves until it is stopped
 *
 * `GET /seen` tells what it has seen since it was last asked.
 * @module
 */

/** What the server saw. */
export interface Seen {
  /** Requests answered. */
  readonly requests: number;
  /** Milliseconds from the first request's arrival to the last's. */
  readonly ms: number;
}

/** What it answers. */
export const ANSWER = "The number is seven.";

let requests = 0, first = 0, last = 0;

async function answer(request: Request): Promise<Response> {
  if (request.url.endsWith("/seen")) {
    const seen: Seen = { requests, ms: last - first };
    requests = 0;
    return Response.json(seen);
  }
  await request.arrayBuffer();
  last = performance.now();
  if (requests++ === 0) first = last;
  return new Response(
    `{"id":"chatcmpl-${requests}","object":"chat.completion","created":1769854500,"model":"bench","choices":` +
      `[{"index":0,"message":{"role":"assistant","content":"${ANSWER}"},"finish_reason":"stop"}],` +
      `"usage":{"prompt_tokens":20,"completion_tokens":5,"total_tokens":25}}`,
    { headers: { "content-type": "application/json" } },
  );
}

if (import.meta.main) {
  Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: ({ port }) => console.log(`http://127.0.0.1:${port}/v1`),
  }, answer);
}
