/**
 * A local web server of files, which can misbehave.
 * @module
 */
import { createHash } from "node:crypto";

/** What the next requests of a path meet, in order; afterwards the server behaves. */
export type Fault =
  | { readonly status: number }
  /** Ends the connection after so many bytes of the answer. */
  | { readonly resetAfter: number }
  /** Answers a request for a range with the whole file. */
  | { readonly ignoreRange: true }
  /** Serves this instead. */
  | { readonly serve: Uint8Array };

/** A request that came. */
export interface SeenRequest {
  /** Its path, with the query left out. */
  readonly path: string;
  /** Its Range header. */
  readonly range: string | null;
  /** Its Authorization header. */
  readonly authorization: string | null;
}

/** Reads what a request asks for. */
export function seenRequest(request: Request): SeenRequest {
  const path = decodeURIComponent(new URL(request.url).pathname);
  const { headers } = request;
  return { path, range: headers.get("range"), authorization: headers.get("authorization") };
}

/** What the answers of a server say of a file. */
export interface ServeOptions {
  /** What the path meets. */
  readonly fault?: Fault | undefined;
  /** Whether answers have an ETag and heed If-Range. */
  readonly tags?: boolean;
  /** Whether answers say how long they are; true when left out. */
  readonly lengths?: boolean;
}

/** Answers a request for a file, whole or from a byte on. */
export function serveFile(
  content: Uint8Array | undefined,
  request: Request,
  { fault, tags = false, lengths = true }: ServeOptions = {},
): Response {
  if (fault !== undefined && "status" in fault) return new Response("no", { status: fault.status });
  const whole = fault !== undefined && "serve" in fault ? fault.serve : content;
  if (whole === undefined) return new Response("no such entry", { status: 404 });
  const etag = `"${createHash("sha1").update(whole).digest("hex")}"`;
  const from = /^bytes=(\d+)-$/.exec(request.headers.get("range") ?? "")?.[1];
  const same = (request.headers.get("if-range") ?? etag) === etag;
  const partial = from !== undefined && same && !(fault !== undefined && "ignoreRange" in fault);
  if (partial && Number(from) >= whole.length) {
    return new Response(null, { status: 416, headers: { "content-range": `bytes */${whole.length}` } });
  }
  const body = partial ? whole.subarray(Number(from)) : whole;
  const headers = {
    ...(lengths ? { "content-length": String(body.length) } : {}),
    ...(tags ? { etag } : {}),
    ...(partial ? { "content-range": `bytes ${from}-${whole.length - 1}/${whole.length}` } : {}),
  };
  const status = partial ? 206 : 200;
  if (fault === undefined || !("resetAfter" in fault)) {
    return new Response(lengths ? body.slice() : ReadableStream.from([body.slice()]), { status, headers });
  }
  // The promised length does not come: the server closes the connection.
  return new Response(ReadableStream.from([body.slice(0, fault.resetAfter)]), { status, headers });
}

/** A web folder. */
export interface FileServer extends AsyncDisposable {
  /** Address of the folder. */
  readonly url: string;
  /** Files by path, without a leading slash. */
  readonly files: Map<string, Uint8Array>;
  /** Faults by path. */
  readonly faults: Map<string, Fault[]>;
  /** Requests so far. */
  readonly seen: SeenRequest[];
}

/** Starts a web folder with these files. */
export function startFileServer(
  given: Readonly<Record<string, Uint8Array | string>>,
  options: Omit<ServeOptions, "fault"> = {},
): FileServer {
  const files = new Map(Object.entries(given).map(([path, content]) => [path, asBytes(content)]));
  const faults = new Map<string, Fault[]>();
  const seen: SeenRequest[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const asked = seenRequest(request);
    seen.push(asked);
    const path = asked.path.slice(1);
    return serveFile(files.get(path), request, { ...options, fault: faults.get(path)?.shift() });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    files,
    faults,
    seen,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** A text as its bytes. */
export function asBytes(content: Uint8Array | string): Uint8Array {
  return typeof content === "string" ? new TextEncoder().encode(content) : content;
}
