/**
 * Failures of OpenAI-compatible servers in our own words.
 * @module
 */
import { APIConnectionError, APIConnectionTimeoutError, APIError, APIUserAbortError } from "openai";
import { messageOf } from "../base/errors.ts";
import { BackendError, type FailureKind } from "./backend.ts";
import { redact } from "./redact.ts";

const CONTEXT_LENGTH =
  /context[ _-]?(length|window|size)|maximum context|too many tokens|prompt is too long|exceeds? the (available )?context|input is too long|reduce the length/i;

/** What Deno and Node say when there was no connection to send anything over. */
const NOT_CONNECTED = /client error \(connect\)|dns error|ECONNREFUSED|ENOTFOUND|EAI_AGAIN/i;

/** What is known where a failure is read. */
export interface FailureContext {
  /** Values that must not appear in the message. */
  readonly secrets: readonly string[];
  /** Whether our own time limit ended the request. */
  readonly timedOut: boolean;
  /** The time limit that was set. */
  readonly timeoutMs: number;
  /** Whether the person stopped it. */
  readonly aborted: boolean;
  /** Milliseconds since the epoch, for Retry-After dates. */
  readonly now: number;
}

/** A thrown failure of one request as a {@linkcode BackendError} without secrets. */
export function toBackendError(thrown: unknown, context: FailureContext): BackendError {
  if (thrown instanceof BackendError) return thrown;
  if (context.aborted) return made("aborted", "The request was stopped");
  if (context.timedOut || thrown instanceof APIConnectionTimeoutError) {
    return made("timeout", `No whole answer within ${context.timeoutMs / 1000} s`);
  }
  const text = redact(messageOf(thrown), context.secrets).slice(0, 1000);
  if (thrown instanceof APIUserAbortError) return made("network", `The connection was lost: ${text}`);
  if (thrown instanceof APIConnectionError) {
    return new BackendError("network", text, { sent: !NOT_CONNECTED.test(text) });
  }
  if (thrown instanceof APIError && typeof thrown.status === "number") {
    const retryAfterMs = retryAfterOf(thrown.headers ?? new Headers(), context.now);
    return new BackendError(kindOfStatus(thrown.status, text), text, {
      status: thrown.status,
      ...(retryAfterMs === null ? {} : { retryAfterMs }),
    });
  }
  // What fetch or a stream throws after the headers: a reset, a broken encoding.
  return made("network", `The connection was lost: ${text}`);
}

/** The kind of failure of an HTTP status and its text. */
export function kindOfStatus(status: number, text: string): FailureKind {
  if (status === 429) return "rate_limit";
  if (status === 408) return "timeout";
  if (status === 401 || status === 403) return "auth";
  if ((status === 400 || status === 413 || status === 422) && CONTEXT_LENGTH.test(text)) {
    return "context_length";
  }
  if (status >= 500) return CONTEXT_LENGTH.test(text) ? "context_length" : "server";
  return status === 404 || status === 405 || status === 501 ? "unsupported" : "bad_request";
}

/** Milliseconds a server asks to wait: `retry-after-ms`, or `retry-after` in seconds or as an HTTP date. */
export function retryAfterOf(headers: Headers, now: number): number | null {
  const milliseconds = Number(headers.get("retry-after-ms") ?? NaN);
  if (Number.isFinite(milliseconds) && milliseconds >= 0) return milliseconds;
  const value = headers.get("retry-after");
  if (!value) return null;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

/** Without the cause: it may hold the request and its key. */
function made(kind: FailureKind, message: string): BackendError {
  return new BackendError(kind, message);
}
