/**
 * An OpenAI-compatible server on loopback that fails on purpose and remembers every request.
 *
 * As a program: `deno run -A lib/backends/testing/fault_server.ts --port 0 --mix 0.3 --seed 1 --log requests.jsonl`
 * prints its URL and serves until it is stopped.
 * @module
 */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { parseArgs } from "node:util";
import { z } from "zod";
import { sha256 } from "../../base/hash.ts";
import type { Role } from "../backend.ts";
import { always, type Fault, type FaultPlan, FAULTS, mix, TRANSPORT_FAULTS } from "./fault_plan.ts";
import { loadO200k } from "../tokenizers.ts";

/** A request as the server saw it. */
export interface SeenRequest {
  /** From 0. */
  readonly index: number;
  /** Milliseconds since the epoch when its body had arrived. */
  readonly time: number;
  readonly path: string;
  /** SHA-256 of the body. */
  readonly hash: string;
  /** Of the prompt as it was sent, counted with o200k_base. */
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly fault: Fault;
  /** Whether an answer was sent whole. */
  readonly completed: boolean;
}

/** What the server answers a prompt with. */
export type Answerer = (
  prompt: string,
  body: Readonly<Record<string, unknown>>,
) => string | Promise<string>;

/** Options of {@linkcode startFaultServer}. */
export interface FaultServerOptions {
  /** Which request meets which fault; none when left out. */
  readonly plan?: FaultPlan;
  /** What is answered; {@linkcode findNeedle} when left out. */
  readonly answer?: Answerer;
  readonly port?: number;
  /** Seconds of Retry-After; 1 when left out. */
  readonly retryAfter?: number;
  /** Tokens kept by `cut_prompt`; 512 when left out. */
  readonly window?: number;
  /** Milliseconds each answer takes; 0 when left out. */
  readonly latencyMs?: number;
  /** Every request is also appended to this file, a JSON line each, before its answer is sent. */
  readonly log?: string;
}

/** A running fault server. */
export interface FaultServer extends AsyncDisposable {
  /** Base URL with `/v1`. */
  readonly url: string;
  /** Every request so far, in the order of arrival. */
  readonly requests: readonly SeenRequest[];
  /** Changes the faults of later requests. */
  setPlan(plan: FaultPlan): void;
}

const bodySchema = z.looseObject({
  model: z.string().default("fault"),
  messages: z.array(z.looseObject({ role: z.string(), content: z.string() })).optional(),
  prompt: z.string().optional(),
  max_tokens: z.number().optional(),
  max_completion_tokens: z.number().optional(),
  stream: z.boolean().optional(),
});

/** Starts a server on a free port of 127.0.0.1 (or `port`). */
export async function startFaultServer(options: FaultServerOptions = {}): Promise<FaultServer> {
  const requests: SeenRequest[] = [];
  let plan = options.plan ?? always("none");
  const tokenizer = await loadO200k();
  const answer = options.answer ?? findNeedle;
  const window = options.window ?? 512;
  let arrived = 0;

  async function handle(path: string, text: string, response: ServerResponse): Promise<void> {
    if (path.endsWith("/models")) {
      return json(response, 200, { object: "list", data: [{ id: "fault", object: "model" }] });
    }
    const parsed = bodySchema.safeParse(parseJson(text));
    if (!parsed.success || !/completions$/.test(path)) {
      return json(response, parsed.success ? 404 : 400, { error: { message: "not a completion request" } });
    }
    const body = parsed.data;
    const index = arrived++;
    const hash = sha256(text);
    const fault = plan({ index, hash });
    const messages = body.messages?.map(({ role, content }) => ({ role: role as Role, content }));
    const whole = body.prompt ?? messages?.map((m) => m.content).join("\n") ?? "";
    const promptTokens = messages ? tokenizer.countMessages(messages) : tokenizer.count(whole);
    const cut = fault === "cut_prompt" && promptTokens > window;
    const prompt = cut ? tokenizer.decode(tokenizer.encode(whole).slice(-window)) : whole;
    const cap = body.max_completion_tokens ?? body.max_tokens ?? 256;
    const { content, finish } = await said(fault, prompt, body, cap);
    // `very_long` ignores the cap, and does not bill for what is beyond it.
    const completionTokens = Math.min(cap, tokenizer.count(content));
    const reported = fault === "empty" ? 0 : cut ? window : promptTokens;
    const usage = {
      prompt_tokens: reported,
      completion_tokens: completionTokens,
      total_tokens: reported + completionTokens,
      prompt_tokens_details: { cached_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 0 },
    };
    const completed = !TRANSPORT_FAULTS.includes(fault);
    const seen: SeenRequest = {
      index,
      time: Date.now(),
      path,
      hash,
      promptTokens,
      completionTokens: completed ? completionTokens : 0,
      fault,
      completed,
    };
    requests.push(seen);
    if (options.log) Deno.writeTextFileSync(options.log, JSON.stringify(seen) + "\n", { append: true });
    if (options.latencyMs) await new Promise((resolve) => setTimeout(resolve, options.latencyMs));
    const reply = {
      id: `fault-${index}`,
      object: body.prompt === undefined ? "chat.completion" : "text_completion",
      created: Math.floor(seen.time / 1000),
      model: body.model,
      choices: [
        body.prompt === undefined
          ? { index: 0, message: { role: "assistant", content }, finish_reason: finish }
          : { index: 0, text: content, finish_reason: finish },
      ],
      usage,
    };
    send(response, fault, reply, content, body.stream ?? false);
  }

  async function said(fault: Fault, prompt: string, body: Readonly<Record<string, unknown>>, cap: number) {
    if (fault === "empty") return { content: "", finish: "stop" };
    if (fault === "pad") return { content: "<pad>".repeat(Math.min(64, cap)), finish: "length" };
    if (fault === "refusal") return { content: "I'm sorry, but I can't help with that.", finish: "stop" };
    if (fault === "very_long") return { content: "on and on and ".repeat(20_000), finish: "length" };
    return { content: await answer(prompt, body), finish: "stop" };
  }

  function send(
    response: ServerResponse,
    fault: Fault,
    reply: Reply,
    content: string,
    stream: boolean,
  ): void {
    switch (fault) {
      case "rate_limit":
        return json(response, 429, { error: { message: "Too many requests", code: "rate_limit_exceeded" } });
      case "rate_limit_retry_after":
        response.setHeader("retry-after", String(options.retryAfter ?? 1));
        return json(response, 429, {
          error: { message: "Too many requests, wait", code: "rate_limit_exceeded" },
        });
      case "server_error":
        return json(response, 500, { error: { message: "The server had an error" } });
      case "hang":
        return;
      case "reset": {
        const text = JSON.stringify(reply);
        response.writeHead(200, { "content-type": "application/json", "content-length": text.length + 100 });
        response.write(text.slice(0, text.length / 2), () => response.socket?.resetAndDestroy());
        return;
      }
      case "malformed_json":
        response.writeHead(200, { "content-type": "application/json" });
        response.end(JSON.stringify(reply).slice(0, -20));
        return;
      case "wrong_schema":
        return json(response, 200, { id: "fault", answer: content, choices: "none" });
      default:
        return stream ? events(response, reply, content) : json(response, 200, reply);
    }
  }

  const server = createServer((request, response) => {
    const parts: Uint8Array[] = [];
    request.on("data", (part: Uint8Array) => parts.push(part));
    request.on("end", () => {
      const text = new TextDecoder().decode(join(parts));
      handle(request.url ?? "/", text, response).catch((error) => {
        json(response, 500, { error: { message: String(error) } });
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    requests,
    setPlan: (next) => plan = next,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

interface Reply {
  readonly id: string;
  readonly model: string;
  readonly choices: readonly { readonly finish_reason: string }[];
  readonly usage: unknown;
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

function events(response: ServerResponse, reply: Reply, content: string): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const event = (data: unknown) => response.write(`data: ${JSON.stringify(data)}\n\n`);
  const { id, model } = reply;
  for (const word of content.match(/\S*\s*/g) ?? []) {
    if (word) event({ id, model, choices: [{ index: 0, delta: { content: word }, finish_reason: null }] });
  }
  event({ id, model, choices: [{ index: 0, delta: {}, finish_reason: reply.choices[0]?.finish_reason }] });
  event({ id, model, choices: [], usage: reply.usage });
  response.end("data: [DONE]\n\n");
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const STOP_WORDS = new Set(
  "a an and are by did do does for from how in is it me my of on or that the to was what when where which who why with you your"
    .split(" "),
);

/**
 * A naive reader: the sentence of the document that shares the most words with the question (the text in `<question>`
 * tags, or the last line). Prompts without either are echoed.
 */
export function findNeedle(prompt: string): string {
  const question = /<question>([\s\S]*?)<\/question>/i.exec(prompt)?.[1] ??
    prompt.trim().split("\n").at(-1) ?? "";
  const document = /<document[^>]*>([\s\S]*?)<\/document/i.exec(prompt)?.[1] ?? prompt.replace(question, "");
  const asked = wordsOf(question);
  let best = "";
  let most = 0;
  for (const sentence of document.split(/(?<=[.!?])\s+|\n+/)) {
    const words = wordsOf(sentence);
    let shared = 0;
    for (const word of asked) if (words.has(word)) shared++;
    if (shared > most) [best, most] = [sentence.trim(), shared];
  }
  return best || prompt.slice(0, 200);
}

function wordsOf(text: string): Set<string> {
  return new Set((text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => !STOP_WORDS.has(word)));
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      port: { type: "string", default: "0" },
      mix: { type: "string", default: "0" },
      fault: { type: "string" },
      seed: { type: "string", default: "0" },
      "latency-ms": { type: "string", default: "0" },
      window: { type: "string", default: "512" },
      log: { type: "string" },
    },
  });
  const fault = z.enum(FAULTS).optional().parse(values.fault);
  const number = (text: string) => z.coerce.number().nonnegative().parse(text);
  const server = await startFaultServer({
    port: number(values.port),
    plan: fault ? always(fault) : mix(number(values.mix), { seed: number(values.seed) }),
    latencyMs: number(values["latency-ms"]),
    window: number(values.window),
    ...(values.log === undefined ? {} : { log: values.log }),
  });
  console.log(server.url);
}
