import assert from "node:assert/strict";
import { startFaultServer } from "../backends/testing/fault_server.ts";
import { comparisonChecks } from "./comparison_checks.ts";

const api = (baseUrl: string, model: string, more: object = {}) => ({
  backend: "api",
  description: "x",
  model,
  baseUrl,
  contextWindow: 1000,
  ...more,
});

/** Name, status and detail of the checks of backends. */
async function backends(variants: object, compare: string, env: Record<string, string> = {}) {
  const models = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(models, JSON.stringify({ variants }));
    const checks = await comparisonChecks({
      compare,
      models,
      env: { get: (name) => env[name] },
      timeoutMs: 2000,
    });
    return checks.filter(({ name }) => name !== "policies" && name !== "data");
  } finally {
    await Deno.remove(models);
  }
}

Deno.test("comparisonChecks() finds policies, data and both ways to the embedded model, without loading it", async () => {
  const checks = await comparisonChecks({ compare: "pocket" });
  assert.deepEqual(checks.map(({ name, status }) => [name, status]), [
    ["policies", "ok"],
    ["data", "ok"],
    ["pocket-served", "ok"],
    ["pocket", "ok"],
  ]);
  assert.match(checks[3]?.detail ?? "", /in place \(not loaded\)/);
});

Deno.test("comparisonChecks() asks servers for their models alone", async () => {
  await using server = await startFaultServer();
  const checks = await backends({ a: api(server.url, "fault"), b: api(server.url, "other") }, "a,b");
  assert.deepEqual(checks.map(({ status }) => status), ["ok", "gap"]);
  assert.match(checks[0]?.detail ?? "", /lists fault among 1 model/);
  assert.match(checks[1]?.detail ?? "", /does not list other/);
  assert.equal(server.requests.length, 0, "no model was asked");
});

Deno.test("comparisonChecks() says what is missing, and shows no key", async () => {
  const key = "sk-1234567890abcdefghij";
  const checks = await backends(
    {
      a: api("http://127.0.0.1:9/v1", "m", { apiKeyEnv: "A_KEY" }),
      b: api("http://127.0.0.1:9/v1", "m", { apiKeyEnv: "B_KEY" }),
      c: { backend: "local", description: "x", model: "./nowhere", contextWindow: 10 },
    },
    "a,b",
    { A_KEY: key },
  );
  assert.deepEqual(checks.map(({ status }) => status), ["gap", "gap"]);
  assert.match(checks[0]?.detail ?? "", /does not answer/);
  assert.match(checks[1]?.detail ?? "", /B_KEY not set/);
  assert.ok(!JSON.stringify(checks).includes(key));
  const none = await backends({
    c: { backend: "local", description: "x", model: "./nowhere", contextWindow: 10 },
  }, "c");
  assert.match(none[1]?.detail ?? "", /there is no folder .*nowhere/);
  const unknown = await backends({ a: api("http://127.0.0.1:9/v1", "m") }, "b");
  assert.match(unknown[0]?.detail ?? "", /There is no variant "b"/);
});
