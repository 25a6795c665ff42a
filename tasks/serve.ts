/**
 * `deno task serve --model pocket --port 8080`: an in-process model as an OpenAI-compatible server, until Ctrl+C.
 * @module
 */
import { z } from "zod";
import { loadVariants, type LocalVariant, modelsPath, pickVariant } from "../lib/backends/variants.ts";
import { INPUT_ERROR_EXIT, InputError, INTERRUPTED_EXIT } from "../lib/base/errors.ts";
import { log } from "../lib/base/log.ts";
import { type Flags, flagsHelp, numberFlag, readFlags, textFlag } from "../lib/notebooks/task_flags.ts";
import { stopOnSignal } from "../lib/runs/stop_on_signal.ts";
import { isLoopback } from "../lib/base/loopback.ts";
import { startServer } from "../lib/serve/start_server.ts";

const FLAGS: Flags = {
  model: textFlag("NAME", "an in-process variant of models.json (pocket)"),
  port: numberFlag("N", "port to listen on (8080; 0 takes any free one)"),
  host: textFlag("ADDRESS", "address to listen on (127.0.0.1; 0.0.0.0 lets other machines ask)"),
  "key-env": textFlag("NAME", "environment variable with the key that requests must send (no key)"),
  cors: textFlag("ORIGIN", "origin whose web pages may ask, or * (none)"),
  "max-body": numberFlag("BYTES", "largest body of a request (4194304)"),
  "max-concurrency": numberFlag("N", "most samples drawn at once, over all requests (64)"),
  "max-queue": numberFlag("N", "most requests that wait; those beyond get a 429 (256)"),
  timeout: numberFlag("SECONDS", "most time for a request (600)"),
};

const whole = z.int().positive().optional();
const flagsSchema = z.object({
  model: z.string().min(1).default("pocket"),
  port: z.int().min(0).max(65535).default(8080),
  host: z.string().min(1).default("127.0.0.1"),
  keyEnv: z.string().min(1).optional(),
  cors: z.string().min(1).optional(),
  maxBody: whole,
  maxConcurrency: whole,
  maxQueue: z.int().min(0).optional(),
  timeout: z.number().positive().max(86_400).optional(),
});

function parseFlags(given: Record<string, unknown>): z.infer<typeof flagsSchema> {
  const { data, error } = flagsSchema.safeParse(given);
  if (error !== undefined) throw new InputError(`Wrong flags:\n${z.prettifyError(error)}`, { cause: error });
  return data;
}

async function localVariant(name: string): Promise<LocalVariant> {
  const path = modelsPath();
  const variants = await loadVariants(path);
  const variant = pickVariant(variants, name, path);
  if (variant.backend === "local") return variant;
  const names = [...variants.values()].filter(({ backend }) => backend === "local").map(({ name }) => name);
  throw new InputError(
    `${name} is ${
      variant.backend === "api" ? "behind a server already" : "simulated"
    }: serve an in-process ` +
      `variant (${names.join(", ") || "models.json has none"}).`,
  );
}

function keyOf(name: string): string {
  const key = Deno.env.get(name);
  if (key) return key;
  throw new InputError(
    `The environment variable ${name} is not set: put the key into it, or leave out --key-env.`,
  );
}

/** One press may come twice: from the terminal, and again from `deno task`, which passes it on. */
const ONE_PRESS_MS = 700;

async function main(args: readonly string[]): Promise<number> {
  const given = readFlags(args, FLAGS, "deno task serve");
  if (given["help"]) {
    console.log(`Usage: deno task serve [flags]\n${flagsHelp(FLAGS)}`);
    return 0;
  }
  const { model, keyEnv, maxBody, maxConcurrency, maxQueue, timeout, cors, ...where } = parseFlags(given);
  const variant = await localVariant(model);
  const key = keyEnv === undefined ? undefined : keyOf(keyEnv);
  const stop = Promise.withResolvers<void>();
  const loading = new AbortController();
  let firstAt = 0;
  using signals = stopOnSignal(() => {
    firstAt = Date.now();
    loading.abort();
    stop.resolve();
  }, { exit: (code) => Date.now() - firstAt >= ONE_PRESS_MS && Deno.exit(code) });
  try {
    const server = await startServer({
      variant,
      ...where,
      signal: loading.signal,
      ...(key === undefined ? {} : { key }),
      ...(cors === undefined ? {} : { cors }),
      ...(maxBody === undefined ? {} : { maxBodyBytes: maxBody }),
      ...(maxConcurrency === undefined ? {} : { maxConcurrency }),
      ...(maxQueue === undefined ? {} : { maxQueue }),
      ...(timeout === undefined ? {} : { timeoutMs: timeout * 1000 }),
    });
    const bearer = keyEnv === undefined ? "" : ` -H "Authorization: Bearer $${keyEnv}"`;
    const body = JSON.stringify({ model, messages: [{ role: "user", content: "Hello" }], max_tokens: 32 });
    log(
      `${model} is served at ${server.url}; Ctrl+C stops it. Try: curl ${server.url}/chat/completions${bearer} ` +
        `-H "Content-Type: application/json" -d '${body}'`,
    );
    if (!isLoopback(where.host) && key === undefined) {
      log(`Warning: every machine that reaches ${where.host} can use it; --key-env NAME asks for a key.`);
    }
    await stop.promise;
    const { inFlight } = server;
    log(
      `Stopping${
        inFlight === 0 ? "" : `: ${inFlight} under way may finish. Press Ctrl+C again to stop at once`
      }.`,
    );
    return await server.close() ? 0 : INTERRUPTED_EXIT;
  } catch (error) {
    if (signals.interrupted) return INTERRUPTED_EXIT; // while the model was loading
    throw error;
  }
}

if (import.meta.main) {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    console.error(error.message);
    Deno.exit(INPUT_ERROR_EXIT);
  }
}
