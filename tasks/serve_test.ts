import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const task = fileURLToPath(new URL("serve.ts", import.meta.url));

function run(args: readonly string[], env: Record<string, string> = {}): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-P=serve", "--quiet", task, ...args],
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Starts the task; gives its URL and what it prints. */
async function started(args: readonly string[], env: Record<string, string> = {}) {
  const child = run(args, env);
  let printed = "";
  const reading = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) printed += text;
  })();
  await child.stdout.cancel();
  while (!printed.includes("is served at")) await new Promise((resolve) => setTimeout(resolve, 20));
  const url = /is served at (\S+);/.exec(printed)?.[1] as string;
  return {
    child,
    url,
    ended: async () => {
      const { code } = await child.status;
      await reading;
      return { code, printed };
    },
  };
}

Deno.test({
  name: "deno task serve says how to call it, answers with the key, and leaves cleanly on SIGTERM",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const key = "test-key-of-serve";
    const { child, url, ended } = await started(["--port", "0", "--key-env", "SERVE_TEST_KEY"], {
      SERVE_TEST_KEY: key,
    });
    assert.equal(new URL(url).hostname, "127.0.0.1");
    assert.equal((await (await fetch(`${url}/models`)).json()).error.code, "invalid_api_key");
    const response = await fetch(`${url}/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "pocket", prompt: "The house", max_tokens: 3 }),
    });
    assert.ok((await response.json()).usage.completion_tokens > 0);
    child.kill("SIGTERM");
    const { code, printed } = await ended();
    assert.equal(code, 0, printed);
    assert.match(printed, /Try: curl http:\/\/127\.0\.0\.1:\d+\/v1\/chat\/completions .*\$SERVE_TEST_KEY/);
    assert.match(printed, /Stopping\./);
    assert.doesNotMatch(printed, new RegExp(key));
  },
});

Deno.test({
  name:
    "deno task serve warns when other machines may ask without a key, and stops a long answer at a second press",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const { child, url, ended } = await started(["--port", "0", "--host", "0.0.0.0"]);
    const asked = fetch(`${url}/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "pocket", prompt: "The house", max_tokens: 4000, n: 64, temperature: 2 }),
    }).then((response) => response.body?.cancel(), () => {});
    const underWay = async () =>
      /samples_in_flight 64/.test(await (await fetch(url.replace("/v1", "/metrics"))).text());
    while (!await underWay()) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill("SIGINT");
    await new Promise((resolve) => setTimeout(resolve, 900));
    child.kill("SIGINT");
    const { code, printed } = await ended();
    await asked;
    assert.equal(code, 130, printed);
    assert.match(printed, /Warning: every machine that reaches 0\.0\.0\.0 can use it/);
    assert.match(printed, /Stopping: 1 under way may finish/);
  },
});

for (
  const [args, message] of [
    [["--model", "pockt"], /There is no variant "pockt".*Did you mean "pocket"/],
    [["--model", "simulated"], /simulated is simulated: serve an in-process variant \(pocket/],
    [["--port", "99999"], /port/],
    [["--key-env", "NO_SUCH_VARIABLE_HERE"], /NO_SUCH_VARIABLE_HERE is not set/],
    [["--wrong"], /--wrong/],
    [["--host", "203.0.113.1"], /Cannot listen on 203\.0\.113\.1/],
  ] as const
) {
  Deno.test(`deno task serve ${args.join(" ")} says what is wrong and leaves with 2`, async () => {
    const child = run(args);
    const { code, stderr } = await child.output();
    const text = new TextDecoder().decode(stderr);
    assert.equal(code, 2, text);
    assert.match(text, message);
  });
}
