/**
 * An in-process model as an OpenAI-compatible server.
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { InputError, messageOf } from "../base/errors.ts";
import { hashJson } from "../base/hash.ts";
import { log } from "../base/log.ts";
import { createRandom } from "../base/random.ts";
import { type LocalChat, localChat } from "../backends/local_chat.ts";
import { loadVariant } from "../backends/local_decoding.ts";
import { modelIdentity } from "../backends/model_identity.ts";
import type { LocalVariant } from "../backends/variants.ts";
import type { Decoder } from "../engine/mod.ts";
import { isLoopback } from "../base/loopback.ts";
import { checkHost, checkKey } from "./access.ts";
import { Admission } from "./admission.ts";
import { ApiError, closingError, toApiError } from "./api_error.ts";
import { checkBodyLength, drain, Outgoing } from "./http_io.ts";
import { Metrics } from "./metrics.ts";
import { routes } from "./routes.ts";
import { tokenInfo } from "./token_info.ts";

/** Options of {@linkcode startServer}. Times are in milliseconds. */
export interface ServeOptions {
  /** What is served; requests name it by its name in models.json. */
  readonly variant: LocalVariant;
  /** The variant's model, where it is loaded already; the caller then closes it. */
  readonly decoder?: Decoder;
  /** Address to listen on; `127.0.0.1` when left out. */
  readonly host?: string;
  /** Any free port when left out or 0. */
  readonly port?: number;
  /** What requests must send as `Authorization: Bearer KEY`; everybody may ask when left out. */
  readonly key?: string;
  /** The origin whose pages may ask, or `*`; none when left out. */
  readonly cors?: string;
  /** Most bytes of a request's body; 4 MiB when left out. */
  readonly maxBodyBytes?: number;
  /** Most samples drawn at once, over all requests; 64 when left out. */
  readonly maxConcurrency?: number;
  /** Most requests that wait for their turn; those beyond get a 429. 256 when left out. */
  readonly maxQueue?: number;
  /** Most time for a request, from its head to its last byte; 10 minutes when left out. */
  readonly timeoutMs?: number;
  /** Most time for a request's head to arrive; 10 seconds when left out. */
  readonly headersTimeoutMs?: number;
  /** Most time for a request's head and body to arrive; 30 seconds when left out. */
  readonly bodyTimeoutMs?: number;
  /** Most time in which a client may take no byte of its answer; 30 seconds when left out. */
  readonly stallMs?: number;
  /** Most bytes that wait for one client to take them; 64 MiB when left out. */
  readonly maxBuffered?: number;
  /** Most time that requests under way get when the server is closed; 10 seconds when left out. */
  readonly graceMs?: number;
  /** All seeds that requests do not give come from it; new at every start when left out. */
  readonly seed?: number | string;
  /** Stops the loading. */
  readonly signal?: AbortSignal;
}

/** A running server. */
export interface Server extends AsyncDisposable {
  /** Base URL for clients, with `/v1`. */
  readonly url: string;
  /** The model's name in requests. */
  readonly model: string;
  /** Requests being answered. */
  readonly inFlight: number;
  /**
   * Takes no more requests, lets those under way end, stops those that need longer than the grace.
   *
   * @returns whether all could end.
   */
  close(): Promise<boolean>;
}

/** Most connections at once, well below the number of files that a process may have open; others are closed. */
const MAX_CONNECTIONS = 900;

/** Status of a request whose client was gone, in metrics alone. */
const CLIENT_GONE = 499;

/**
 * Serves a variant. Requests that come at the same time are drawn together, a token each per step, and prompts that
 * share a beginning share its keys and values.
 *
 * @throws {InputError} when the model cannot be loaded or the address cannot be had.
 */
export async function startServer(options: ServeOptions): Promise<Server> {
  const { variant, signal } = options;
  if (options.key === "") throw new InputError("The key is empty: give one, or none at all.");
  const decoder = options.decoder ?? await loadVariant(variant, signal ? { signal } : {});
  try {
    const server = new HttpServer(decoder, await localChat(decoder, variant), options);
    await server.listen();
    return server;
  } catch (error) {
    if (options.decoder === undefined) await decoder[Symbol.asyncDispose]();
    throw error;
  }
}

class HttpServer implements Server {
  readonly model: string;
  readonly #options: ServeOptions;
  readonly #decoder: Decoder;
  readonly #host: string;
  readonly #server: ReturnType<typeof createServer>;
  readonly #admission: Admission;
  readonly #metrics = new Metrics();
  readonly #find: ReturnType<typeof routes>;
  readonly #underWay = new Set<AbortController>();
  #port = 0;
  #allDone: (() => void) | undefined;
  #closing: Promise<boolean> | undefined;

  constructor(decoder: Decoder, chat: LocalChat, options: ServeOptions) {
    const { variant } = options;
    this.model = variant.name;
    this.#options = options;
    this.#decoder = decoder;
    this.#host = options.host ?? "127.0.0.1";
    this.#admission = new Admission({
      maxConcurrency: options.maxConcurrency ?? 64,
      maxQueue: options.maxQueue ?? 256,
    });
    const random = createRandom(options.seed ?? crypto.randomUUID());
    this.#find = routes({
      served: { variant, decoder, chat, token: tokenInfo(decoder) },
      admission: this.#admission,
      metrics: this.#metrics,
      maxBodyBytes: this.#maxBodyBytes,
      startedAt: Math.floor(Date.now() / 1000),
      fingerprint: `fp_${hashJson(modelIdentity(variant)).slice(0, 10)}`,
      freshSeed: () => String(random.next()),
      closing: () => this.#closing !== undefined,
      gauges: () => ({
        inFlight: this.#underWay.size,
        queued: this.#admission.queued,
        samples: this.#admission.used,
      }),
    });
    const headersTimeout = options.headersTimeoutMs ?? 10_000;
    const requestTimeout = Math.max(headersTimeout, options.bodyTimeoutMs ?? 30_000);
    this.#server = createServer({
      headersTimeout,
      requestTimeout,
      connectionsCheckingInterval: Math.min(1000, headersTimeout),
      keepAliveTimeout: 75_000, // longer than clients keep theirs, so that no request meets a closing connection
      maxHeaderSize: 16_384,
    }, (request, response) => this.#take(request, response));
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on("checkContinue", (request, response) => this.#take(request, response, true));
    this.#server.on("clientError", (error, socket) => refuse(error, socket as Socket));
  }

  get #maxBodyBytes(): number {
    return this.#options.maxBodyBytes ?? 4 * 2 ** 20;
  }

  get inFlight(): number {
    return this.#underWay.size;
  }

  get url(): string {
    const here = { "0.0.0.0": "127.0.0.1", "::": "::1" }[this.#host] ?? this.#host;
    return `http://${here.includes(":") ? `[${here}]` : here}:${this.#port}/v1`;
  }

  listen(): Promise<void> {
    const port = this.#options.port ?? 0;
    return new Promise((resolve, reject) => {
      this.#server.once("error", (cause) => {
        const text = `Cannot listen on ${this.#host} port ${port} (${
          messageOf(cause)
        }): choose another --port or --host.`;
        reject(new InputError(text, { cause }));
      });
      this.#server.listen(port, this.#host, () => {
        this.#port = (this.#server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  #take(request: IncomingMessage, response: ServerResponse, waits = false): void {
    this.#exchange(request, response, waits).catch((error) => {
      log(`A request failed: ${messageOf(error)}`);
      response.destroy();
    });
  }

  async #exchange(request: IncomingMessage, response: ServerResponse, waits: boolean): Promise<void> {
    const started = performance.now();
    const id = crypto.randomUUID().replaceAll("-", "");
    const abort = new AbortController();
    const timeoutMs = this.#options.timeoutMs ?? 600_000;
    const timer = setTimeout(() => {
      abort.abort(new ApiError(504, `The answer took longer than ${timeoutMs / 1000} s.`));
    }, timeoutMs);
    const out = new Outgoing(response, {
      stallMs: this.#options.stallMs ?? 30_000,
      maxBuffered: this.#options.maxBuffered ?? 64 * 2 ** 20,
    });
    let endpoint = "none";
    this.#underWay.add(abort);
    response.once("close", () => {
      clearTimeout(timer);
      const gone = !response.writableFinished;
      if (gone) abort.abort(new ApiError(CLIENT_GONE, "The client is gone."));
      this.#underWay.delete(abort);
      if (this.#underWay.size === 0) this.#allDone?.();
      const status = gone ? CLIENT_GONE : response.statusCode;
      this.#metrics.request(endpoint, status, (performance.now() - started) / 1000);
    });
    response.setHeader("x-request-id", `req_${id}`);
    try {
      if (this.#options.cors !== undefined) this.#allowOrigin(this.#options.cors, response);
      if (isLoopback(this.#host)) checkHost(request.headers.host);
      const path = pathOf(request.url);
      const route = this.#find(path);
      endpoint = route.endpoint;
      if (request.method === "OPTIONS" && this.#options.cors !== undefined) {
        response.writeHead(204, { "content-length": 0 }).end();
        return;
      }
      const handler = Object.hasOwn(route.methods, request.method ?? "")
        ? route.methods[request.method ?? ""]
        : undefined;
      if (handler === undefined) throw wrongMethod(request.method, Object.keys(route.methods));
      if (this.#options.key !== undefined && !route.open) {
        checkKey(request.headers.authorization, this.#options.key);
      }
      if (this.#closing !== undefined) throw closingError();
      if (waits) {
        checkBodyLength(request, this.#maxBodyBytes);
        response.writeContinue();
        waits = false;
      }
      await handler({ request, out, signal: abort.signal, id, started });
    } catch (thrown) {
      const reason = abort.signal.aborted ? abort.signal.reason : thrown;
      const error = toApiError(reason);
      if (error.status === 500) log(`Request req_${id} failed: ${messageOf(reason)}`);
      if (!out.begun && !waits) await drain(request);
      this.#fail(error, out, response);
    }
  }

  #allowOrigin(origin: string, response: ServerResponse): void {
    response.setHeader("access-control-allow-origin", origin);
    response.setHeader("access-control-allow-methods", "GET, POST");
    response.setHeader("access-control-allow-headers", "*, authorization, content-type");
    response.setHeader("access-control-expose-headers", "x-request-id, retry-after");
    if (origin !== "*") response.setHeader("vary", "origin");
  }

  #fail(error: ApiError, out: Outgoing, response: ServerResponse): void {
    if (error.status === CLIENT_GONE || response.destroyed) return void response.destroy();
    if (!out.begun) {
      if (this.#closing !== undefined) response.setHeader("connection", "close");
      return out.json(error.status, error.body, error.headers);
    }
    out.event(JSON.stringify(error.body));
    out.end();
  }

  close(): Promise<boolean> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<boolean> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const ended = await this.#ended(this.#options.graceMs ?? 10_000);
    if (!ended) {
      for (const abort of this.#underWay) abort.abort(closingError());
      await this.#ended(2000);
    }
    this.#server.closeAllConnections();
    await closed;
    if (this.#options.decoder === undefined) await this.#decoder[Symbol.asyncDispose]();
    return ended;
  }

  /** Waits until nothing is under way. @returns whether that was within `ms`. */
  #ended(ms: number): Promise<boolean> {
    if (this.#underWay.size === 0) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), ms);
      this.#allDone = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** The path of a request, without its query and a slash at its end. */
function pathOf(url: string | undefined): string {
  const path = (url ?? "/").replace(/[?#].*$/s, "");
  return path.length > 1 ? path.replace(/\/$/, "") : path;
}

function wrongMethod(method: string | undefined, allowed: readonly string[]): ApiError {
  const headers = { allow: allowed.join(", ") };
  const text = `${method} is not answered here; ${allowed.join(" and ")} ${
    allowed.length > 1 ? "are" : "is"
  }.`;
  return new ApiError(405, text, { headers, code: "method_not_allowed" });
}

/** Answers what is no request, or came too slowly, and closes the connection. */
function refuse(error: Error & { readonly code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === "ECONNRESET") return void socket.destroy();
  const [status, reason] = error.code === "ERR_HTTP_REQUEST_TIMEOUT"
    ? [408, "Request Timeout"]
    : error.code === "HPE_HEADER_OVERFLOW"
    ? [431, "Request Header Fields Too Large"]
    : [400, "Bad Request"];
  const text = status === 408
    ? "The request came too slowly."
    : "This is not an HTTP request that can be read.";
  const body = JSON.stringify(new ApiError(status, text).body);
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\nconnection: close\r\ncontent-type: application/json\r\n` +
      `content-length: ${body.length}\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}
