import assert from "node:assert/strict";
import { reachProblem } from "./reach.ts";
import { parseVariants, type Variant } from "./variants.ts";

const variant = (fields: Record<string, unknown>): Variant =>
  parseVariants(
    JSON.stringify({
      variants: {
        v: {
          backend: "api",
          description: "d",
          model: "m",
          contextWindow: 1000,
          baseUrl: "http://x",
          ...fields,
        },
      },
    }),
    "models.json",
  ).get("v") as Variant;

Deno.test("reachProblem() is null for any answer of a server, and for variants without one", async () => {
  const seen: string[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    seen.push(new URL(request.url).pathname);
    return new Response("no", { status: 401 });
  });
  const baseUrl = `http://127.0.0.1:${server.addr.port}/v1`;
  assert.equal(await reachProblem(variant({ baseUrl })), null);
  assert.deepEqual(seen, ["/v1/models"]);
  await server.shutdown();
  const problem = await reachProblem(variant({ baseUrl, baseUrlEnv: "MY_URL" }), { env: new Map() });
  assert.match(problem ?? "", /^The server of v does not answer \(.+\): start it, or correct MY_URL\.$/);
  assert.equal(await reachProblem({ ...variant({}), backend: "simulated" } as unknown as Variant), null);
});

Deno.test("reachProblem() waits no longer than it was told, and shows no key", async () => {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const key = "sk-secretsecretsecret";
  const baseUrl = `http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}/${key}`;
  const problem = await reachProblem(variant({ baseUrl, apiKeyEnv: "KEY" }), {
    env: new Map([["KEY", key]]),
    timeoutMs: 50,
  });
  assert.match(problem ?? "", /does not answer/);
  assert.ok(!problem?.includes(key));
  listener.close();
});
