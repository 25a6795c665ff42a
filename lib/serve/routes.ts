/**
 * What the server answers at which address.
 * @module
 */
import type { DecoderStats } from "../engine/mod.ts";
import type { Admission } from "./admission.ts";
import { type Body, type Head, type Shape, type UsageBody, usageOf } from "./answer.ts";
import { ApiError, closingError } from "./api_error.ts";
import { chatShape } from "./chat_answer.ts";
import { completionsShape } from "./completions_answer.ts";
import { draw, type Drawn, type DrawnToken } from "./draw.ts";
import { type Outgoing, readJsonBody } from "./http_io.ts";
import { chatJob, completionsJob, type Job, type JobContext, type Served } from "./job.ts";
import type { Gauges, Metrics } from "./metrics.ts";
import { chatSchema, completionsSchema, readBody } from "./request_fields.ts";
import type { IncomingMessage } from "node:http";

/** What routes need of the server. */
export interface RouteContext {
  /** What draws. */
  readonly served: Served;
  /** Who may draw. */
  readonly admission: Admission;
  /** Where it is counted. */
  readonly metrics: Metrics;
  /** Most bytes of a body. */
  readonly maxBodyBytes: number;
  /** Seconds since the epoch when the server began. */
  readonly startedAt: number;
  /** Changes when the model does. */
  readonly fingerprint: string;
  /** A seed for a prompt whose request has none. */
  readonly freshSeed: () => string;
  /** Whether it is going down. */
  readonly closing: () => boolean;
  /** What is under way. */
  readonly gauges: () => Gauges;
}

/** One request. */
export interface Exchange {
  /** What came. */
  readonly request: IncomingMessage;
  /** Where the answer goes. */
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
const STATS_MS = 2000;

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
      const { stats } = await engineStats(served);
      const text = context.metrics.text(context.gauges(), stats);
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
  const { late } = await engineStats(served);
  out.json(200, { status: late ? "busy" : "ok", model: served.variant.name });
}

const NOTHING: DecoderStats = {
  prefilledTokens: 0,
  reusedTokens: 0,
  generatedTokens: 0,
  decodeSteps: 0,
  cacheBytes: 0,
};
const lastStats = new WeakMap<Served, DecoderStats>();

/** What the engine has done; as it was when last told, where it is too busy to tell. @throws {ApiError} 503 */
async function engineStats(
  served: Served,
): Promise<{ readonly stats: DecoderStats; readonly late: boolean }> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => timer = setTimeout(() => resolve(undefined), STATS_MS));
  try {
    const stats = await Promise.race([served.decoder.stats(), late]);
    if (stats !== undefined) lastStats.set(served, stats);
    return { stats: stats ?? lastStats.get(served) ?? NOTHING, late: stats === undefined };
  } catch (cause) {
    throw new ApiError(503, "The engine has failed.", { cause });
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
  const stream = job.stream ? new AnswerStream(job, shape, out) : undefined;
  const drawn = await draw(job, served, {
    signal,
    onBegin: (prompts) => stream?.begin(prompts),
    onToken: (token) => {
      if (waiting) metrics.firstToken((performance.now() - started) / 1000);
      waiting = false;
      stream?.token(token);
    },
  });
  const usage = usageOf(drawn);
  metrics.tokens({
    prompt: usage.prompt_tokens,
    cached: drawn.cachedTokens,
    generated: usage.completion_tokens,
  });
  if (stream === undefined) out.json(200, { ...shape.whole(drawn), usage });
  else {stream.end(drawn, {
      ...head,
      object: prefix === "cmpl" ? "text_completion" : "chat.completion.chunk",
    }, usage);}
}

/** Sends the events of one answer. */
class AnswerStream {
  readonly #job: Job;
  readonly #shape: Shape;
  readonly #out: Outgoing;

  constructor(job: Job, shape: Shape, out: Outgoing) {
    this.#job = job;
    this.#shape = shape;
    this.#out = out;
  }

  begin(prompts: Drawn["prompts"]): void {
    this.#out.beginEvents();
    for (const event of this.#shape.first(prompts)) this.#send(event);
  }

  token(token: DrawnToken): void {
    this.#send(this.#shape.piece(token));
  }

  end(drawn: Drawn, head: Body, usage: UsageBody): void {
    for (const event of this.#shape.last(drawn)) this.#send(event);
    if (this.#job.includeUsage) this.#out.event(JSON.stringify({ ...head, choices: [], usage }));
    this.#out.event("[DONE]");
    this.#out.end();
  }

  #send(event: Body | null): void {
    if (event === null) return;
    this.#out.event(JSON.stringify(this.#job.includeUsage ? { ...event, usage: null } : event));
  }
}
