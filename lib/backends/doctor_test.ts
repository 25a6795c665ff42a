import assert from "node:assert/strict";
import { formatChecks, isBroken, runDoctor } from "./doctor.ts";
import { always } from "./testing/fault_plan.ts";
import { startFaultServer } from "./testing/fault_server.ts";

const KEY = "secret-value-1234567";
const api = (fields: object) => ({
  backend: "api",
  description: "d",
  model: "m",
  contextWindow: 9999,
  baseUrlEnv: "A_URL",
  apiKeyEnv: "A_KEY",
  ...fields,
});

async function examine(variants: object, env: Record<string, string>, load = () => Promise.resolve({})) {
  const root = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${root}/models.json`, JSON.stringify({ variants }));
    const models = `${root}/models.json`;
    return await runDoctor({ root, models, load, env: { get: (name) => env[name] }, timeoutMs: 300 });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("runDoctor() says which keys are set without showing them, and asks only variants that have theirs", async () => {
  await using server = await startFaultServer();
  const checks = await examine(
    { here: api({}), there: api({ baseUrlEnv: "B_URL", apiKeyEnv: "B_KEY" }) },
    { A_URL: server.url, A_KEY: KEY },
  );
  const detail = (name: string) => checks.find((check) => check.name === name)?.detail ?? "";
  assert.equal(detail("A_KEY"), "set");
  assert.equal(detail("B_KEY"), "not set");
  assert.match(detail("here"), /^answers as m in \d+ ms$/);
  assert.match(detail("there"), /B_URL and B_KEY not set/);
  assert.equal(server.requests.length, 1);
  assert.ok(!formatChecks(checks).includes(KEY));
  assert.ok(!JSON.stringify(checks).includes(KEY));
  assert.equal(isBroken(checks), false);
});

Deno.test("runDoctor() reports a server that hangs or refuses as a gap with something to do", async () => {
  await using server = await startFaultServer({ plan: always("hang") });
  const checks = await examine({ here: api({}) }, { A_URL: server.url, A_KEY: KEY });
  const check = checks.find((c) => c.name === "here");
  assert.equal(check?.status, "gap");
  assert.match(check?.detail ?? "", /within 0\.3 s|stopped/);
  assert.match(check?.remedy ?? "", /server running/);
});

Deno.test("runDoctor() fails when the embedded model or a required addon does", async () => {
  const pocket = { backend: "local", description: "d", model: "./none", contextWindow: 9 };
  const broken = await examine({ pocket }, {});
  assert.equal(broken.find((c) => c.name === "pocket")?.status, "fail");
  assert.equal(isBroken(broken), true);
  const without = await examine({}, {}, () => Promise.reject(new Error("cannot open shared object")));
  assert.match(formatChecks(without), /✗ onnxruntime-node: does not load.*cannot open shared object/);
  assert.equal(isBroken(without), true);
});
