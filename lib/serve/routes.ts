/**
 * What the server answers at which address.
 * @module
 */
import type { DecoderStats } from "../engine/mod.ts";
import type { Admission } from "./admission.ts";
import { type Body, type Head, type Shape, usageOf } from "./answer.ts";
import { ApiError, closingError } from "./api_error.ts";
import { chatShape } from "./chat_answer.ts";
import { completionsShape } from "./completions_answer.ts";
import { draw, type DrawOptions } from "./draw.ts";
import { type Outgoing, readJsonBody } from "./http_io.ts";
import { chatJob, completionsJob, type Job, type JobContext, type Served } from "./job.ts";
import type { Gauges, Metrics } from "./metrics.ts";
import { chatSchema, completionsSchema, readBody } from "./request_fields.ts";
import type { IncomingMessage } from "node:http";

/** What routes need of the server. */
export interface RouteContext {
  /** The model. */
  readonly served: Served;
  /** Lets requests in, or not. */
  readonly admission: Admission;
  /** Counts them. */
  readonly metrics: Metrics;
  /** Largest body of a request. */
  readonly maxBodyBytes: number;
  /** Seconds since the epoch when the server began. */
  readonly startedAt: number;
  /** Names the model and its settings. */
  readonly fingerprint: string;
  /** A seed for a prompt whose request has none. */
  readonly freshSeed: () => string;
  /** Whether it is going down. */
  readonly closing: () => boolean;
  /** How things stand, for the metrics. */
  readonly gauges: () => Gauges;
}

/** One request. */
export interface Exchange {
  /** What came in. */
  readonly request: IncomingMessage;
  /** What goes out. */
  readonly out: Outgoing;
  /** Fires when the client is gone, the time is over, or the server goes down. */
  readonly signal: AbortSignal;
  /** Its random name, without a prefix. */
  readonly id: string;
  /** `performance.now()` when it came. */
  readonly started: number;
}

/** Answers a request. @throws whatever `toApiError` can read */
export type Handler = (exchange: Exchange) => Promise<void> | void;

/** What is answered at an address. */
export interface Route {
  /** The address as metrics name it. */
  readonly endpoint: string;
  /** By method. */
  readonly methods: Readonly<Record<string, Handler>>;
  /** Whether it is answered without the key. */
  readonly open?: boolean;
}

/** Finds the route of a path. @throws {ApiError} 404 */
export type FindRoute = (path: string) => Route;

/** Milliseconds that an answer of the engine to a question about itself may take. */
const STATS_MS = 5000;

/** The routes of a server. */
export function routes(context: RouteContext): FindRoute {
  const { served, startedAt } = context;
  const model = {
    id: served.variant.name,
    object: "model",
    created: startedAt,
    owned_by: "probebook",
    max_model_len: Math.min(served.decoder.contextWindow, served.variant.contextWindow),
  };
  const get = (endpoint: string, handler: Handler, open = false): Route => ({
    endpoint,
    open,
    methods: { GET: handler, HEAD: handler },
  });
  const all: readonly Route[] = [
    get("/health", ({ out }) => health(context, out), true),
    get("/metrics", async ({ out }) => {
      const text = context.metrics.text(context.gauges(), await engineStats(served));
      out.send(200, "text/plain; version=0.0.4; charset=utf-8", text);
    }),
    get("/v1/models", ({ out }) => out.json(200, { object: "list", data: [model] })),
    {
      endpoint: "/v1/chat/completions",
      methods: {
        POST: (exchange) =>
          answer(context, exchange, "chatcmpl", (json, jobs) => {
            const body = readBody(chatSchema, json);
            checkModel(body.model, served);
            context.admission.check(body.n);
            return { samples: body.n, job: () => chatJob(body, jobs), shape: chatShape };
          }),
      },
    },
    {
      endpoint: "/v1/completions",
      methods: {
        POST: (exchange) =>
          answer(context, exchange, "cmpl", (json, jobs) => {
            const body = readBody(completionsSchema, json);
            checkModel(body.model, served);
            const samples = body.n * body.prompt.length;
            context.admission.check(samples);
            return { samples, job: () => completionsJob(body, jobs), shape: completionsShape };
          }),
      },
    },
  ];
  const fixed = new Map(all.map((route) => [route.endpoint, route]));

  return (path) => {
    const found = fixed.get(path);
    if (found !== undefined) return found;
    const name = /^\/v1\/models\/(.+)$/.exec(path)?.[1];
    if (name !== undefined) {
      return get("/v1/models/{id}", ({ out }) => {
        checkModel(decodeName(name), served);
        out.json(200, model);
      });
    }
    throw new ApiError(404, `There is nothing at ${JSON.stringify(path.slice(0, 100))}.`, {
      code: "unknown_url",
    });
  };
}

function decodeName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function checkModel(name: string, { variant }: Served): void {
  if (name === variant.name) return;
  const text = `There is no model ${
    JSON.stringify(name.slice(0, 100))
  } here; this server has ${variant.name}.`;
  throw new ApiError(404, text, { param: "model", code: "model_not_found" });
}

async function health({ served, closing }: RouteContext, out: Outgoing): Promise<void> {
  if (closing()) throw closingError();
  await engineStats(served);
  out.json(200, { status: "ok", model: served.variant.name });
}

async function engineStats({ decoder }: Served): Promise<DecoderStats> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new ApiError(503, "The engine does not answer.")), STATS_MS);
  });
  try {
    return await Promise.race([decoder.stats(), late]);
  } catch (cause) {
    throw cause instanceof ApiError ? cause : new ApiError(503, "The engine has failed.", { cause });
  } finally {
    clearTimeout(timer);
  }
}

/** A request that was read, before its prompt is encoded. */
interface Plan {
  /** How many choices it asks for. */
  readonly samples: number;
  readonly job: () => Job;
  readonly shape: (head: Head, job: Job, served: Served) => Shape;
}

async function answer(
  context: RouteContext,
  exchange: Exchange,
  prefix: string,
  read: (json: unknown, jobs: JobContext) => Plan,
): Promise<void> {
  const { served, admission, metrics, freshSeed } = context;
  const { out, signal, started } = exchange;
  const json = await readJsonBody(exchange.request, context.maxBodyBytes);
  const plan = read(json, { served, freshSeed });
  const job = plan.job();
  const head: Head = {
    id: `${prefix}-${exchange.id}`,
    created: Math.floor(Date.now() / 1000),
    model: served.variant.name,
    system_fingerprint: context.fingerprint,
  };
  const shape = plan.shape(head, job, served);
  using _turn = await admission.enter(plan.samples, signal);
  let waiting = true;
  const firstToken = () => {
    if (waiting) metrics.firstToken((performance.now() - started) / 1000);
    waiting = false;
  };
  const drawn = await draw(job, served, {
    signal,
    ...(job.stream ? streamed(job, shape, out, firstToken) : { onToken: firstToken }),
  });
  const usage = usageOf(drawn);
  metrics.tokens({
    prompt: usage.prompt_tokens,
    cached: drawn.cachedTokens,
    generated: usage.completion_tokens,
  });
  if (!job.stream) return out.json(200, { ...shape.whole(drawn), usage });
  const withUsage = job.includeUsage ? { usage: null } : {};
  for (const event of shape.last(drawn)) out.event(JSON.stringify({ ...event, ...withUsage }));
  if (job.includeUsage) {
    const object = job.prompts[0] && prefix === "cmpl" ? "text_completion" : "chat.completion.chunk";
    out.event(JSON.stringify({ ...head, object, choices: [], usage }));
  }
  out.event("[DONE]");
  out.end();
}

/** What is sent while a stream's tokens are drawn. */
function streamed(
  { includeUsage }: Job,
  shape: Shape,
  out: Outgoing,
  firstToken: () => void,
): Omit<DrawOptions, "signal"> {
  const send = (event: Body) => out.event(JSON.stringify(includeUsage ? { ...event, usage: null } : event));
  return {
    onBegin: (prompts) => {
      out.beginEvents();
      for (const event of shape.first(prompts)) send(event);
    },
    onToken: (token) => {
      firstToken();
      const event = shape.piece(token);
      if (event !== null) send(event);
    },
  };
}
