/**
 * Bodies in and out of a node:http exchange, guarded against clients that send too much or read too slowly.
 * @module
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { ApiError } from "./api_error.ts";

/**
 * Reads a JSON body.
 *
 * @throws {ApiError} 413 for one of more than `maxBytes`, 415 for another type, 400 for what is not JSON in UTF-8.
 */
export async function readJsonBody(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  const { headers } = request;
  const type = headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    const given = type === undefined ? "none was given" : `not ${JSON.stringify(type.slice(0, 60))}`;
    throw new ApiError(415, `Send the header Content-Type: application/json (${given}).`);
  }
  if ((headers["content-encoding"] ?? "identity") !== "identity") {
    throw new ApiError(415, "Compressed bodies are not read: send it as it is.");
  }
  checkBodyLength(request, maxBytes);
  const bytes = await readBytes(request, maxBytes);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ApiError(400, "The body is not UTF-8.", { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ApiError(400, `The body is not JSON: ${(cause as Error).message.slice(0, 200)}`, { cause });
  }
}

/** Refuses a body by its announced length. @throws {ApiError} 413 */
export function checkBodyLength({ headers }: IncomingMessage, maxBytes: number): void {
  if (Number(headers["content-length"] ?? 0) > maxBytes) throw tooLarge(maxBytes);
}

function tooLarge(maxBytes: number): ApiError {
  return new ApiError(413, `The body is larger than ${maxBytes} bytes, the most this server reads.`);
}

function readBytes(request: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const parts: Uint8Array[] = [];
    let length = 0;
    const onData = (part: Uint8Array) => {
      length += part.length;
      if (length <= maxBytes) return parts.push(part);
      request.off("data", onData);
      parts.length = 0;
      reject(tooLarge(maxBytes));
    };
    request.on("data", onData);
    request.on("end", () => {
      const whole = new Uint8Array(length);
      let at = 0;
      for (const part of parts) {
        whole.set(part, at);
        at += part.length;
      }
      resolve(whole);
    });
    const cut = () => reject(new ApiError(400, "The body ended before its end."));
    request.on("error", cut);
    request.on("close", cut);
  });
}

/** Most of a refused body that is read and thrown away before the answer, and most time for it. */
const MAX_DRAINED_BYTES = 64 * 2 ** 20;
const MAX_DRAIN_MS = 3000;

/**
 * Reads what is left of a body and throws it away: many clients only listen when they have sent all. Gives up on a
 * body without end, or one that comes slowly.
 */
export async function drain(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, MAX_DRAIN_MS);
    let length = 0;
    request.on("data", (part: Uint8Array) => {
      length += part.length;
      if (length > MAX_DRAINED_BYTES) resolve();
    });
    for (const event of ["end", "close", "error"]) request.on(event, () => resolve());
    request.once("close", () => clearTimeout(timer));
    request.once("end", () => clearTimeout(timer));
  });
}

/** When a client that does not read is given up. */
export interface SlowReaderLimits {
  /** Most milliseconds without a byte taken. */
  readonly stallMs: number;
  /** Most bytes that wait for it. */
  readonly maxBuffered: number;
}

/** Writes a response and gives up, by closing the connection, when the client does not read. */
export class Outgoing {
  readonly #response: ServerResponse;
  readonly #limits: SlowReaderLimits;
  #waiting = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Nothing is written yet. */
  constructor(response: ServerResponse, limits: SlowReaderLimits) {
    this.#response = response;
    this.#limits = limits;
    response.once("close", () => clearTimeout(this.#timer));
    response.on("error", () => {}); // the connection is lost: its close event says so
  }

  /** Whether the head is on its way and no other status can be given. */
  get begun(): boolean {
    return this.#response.headersSent;
  }

  /** Sends a whole answer. */
  send(status: number, type: string, text: string, headers: Readonly<Record<string, string>> = {}): void {
    const bytes = new TextEncoder().encode(text);
    this.#response.writeHead(status, { ...headers, "content-type": type, "content-length": bytes.length });
    this.#write(bytes);
    this.#response.end();
  }

  /** Sends a whole answer in JSON. */
  json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
    this.send(status, "application/json", JSON.stringify(body), headers);
  }

  /** Begins a stream of server-sent events. */
  beginEvents(): void {
    this.#response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      "x-accel-buffering": "no",
    });
  }

  /** Sends an event. */
  event(data: string): void {
    this.#write(new TextEncoder().encode(`data: ${data}\n\n`));
  }

  /** Ends a stream of events. */
  end(): void {
    this.#response.end();
  }

  #write(bytes: Uint8Array): void {
    const response = this.#response;
    if (response.destroyed) return;
    this.#waiting += bytes.length;
    if (this.#waiting > this.#limits.maxBuffered) return this.#giveUp();
    if (this.#timer === undefined) this.#watch();
    response.write(bytes, () => {
      this.#waiting -= bytes.length;
      clearTimeout(this.#timer);
      this.#timer = undefined;
      if (this.#waiting > 0) this.#watch();
    });
  }

  #watch(): void {
    this.#timer = setTimeout(() => this.#giveUp(), this.#limits.stallMs);
  }

  #giveUp(): void {
    this.#response.destroy();
  }
}
