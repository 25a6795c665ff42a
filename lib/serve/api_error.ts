/**
 * Failures as an OpenAI-compatible server tells them.
 * @module
 */
import { BackendError } from "../backends/backend.ts";
import { InputError, messageOf } from "../base/errors.ts";

/** What is known of a failure beside its message. */
export interface ApiErrorOptions {
  /** The field of the request that is wrong. */
  readonly param?: string | undefined;
  /** For programs: `model_not_found`, `context_length_exceeded`, ... */
  readonly code?: string;
  /** `invalid_request_error` for a status below 500, else `server_error`. */
  readonly type?: string;
  /** Further headers of the answer. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What was thrown. */
  readonly cause?: unknown;
}

/** A request that is answered with an error. The message never holds a key. */
export class ApiError extends Error {
  /** Tells it from other errors. */
  override readonly name = "ApiError";
  /** HTTP status. */
  readonly status: number;
  /** Headers of the answer. */
  readonly headers: Readonly<Record<string, string>>;
  readonly #type: string;
  readonly #param: string | null;
  readonly #code: string | null;

  /** Makes the error of a request. */
  constructor(status: number, message: string, options: ApiErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.status = status;
    this.headers = options.headers ?? {};
    this.#type = options.type ?? (status >= 500 ? "server_error" : "invalid_request_error");
    this.#param = options.param ?? null;
    this.#code = options.code ?? null;
  }

  /** The body of the answer. */
  get body(): {
    readonly error: {
      readonly message: string;
      readonly type: string;
      readonly param: string | null;
      readonly code: string | null;
    };
  } {
    return {
      error: { message: this.message, type: this.#type, param: this.#param, code: this.#code },
    };
  }
}

/** The error of a server that is going down. */
export function closingError(): ApiError {
  const headers = { "retry-after": "5" };
  return new ApiError(503, "The server is closing: send the request to another, or later.", { headers });
}

/** What a request is answered with after anything thrown. What is not the client's fault keeps its words for the log. */
export function toApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  if (thrown instanceof BackendError && thrown.kind === "context_length") {
    const options = { code: "context_length_exceeded", cause: thrown };
    return new ApiError(400, `${thrown.message} (context length): shorten the prompt.`, options);
  }
  if (thrown instanceof InputError || thrown instanceof BackendError && thrown.kind === "bad_request") {
    return new ApiError(400, messageOf(thrown), { cause: thrown });
  }
  return new ApiError(500, "The server failed at this request; its log says how.", { cause: thrown });
}
