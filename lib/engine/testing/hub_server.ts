/**
 * A local server that speaks the hub's routes for one repository, and can misbehave.
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
export interface Seen {
  /** `hub`, or `cdn`, which large files are redirected to. */
  readonly server: "hub" | "cdn";
  /** Its path, with the query left out. */
  readonly path: string;
  /** Its Range header. */
  readonly range: string | null;
  /** Its Authorization header. */
  readonly authorization: string | null;
}

/** The server of one repository. */
export interface HubServer extends AsyncDisposable {
  /** Address, for HF_ENDPOINT. */
  readonly url: string;
  /** The commit that `main` stands for. */
  readonly commit: string;
  /** Files by path; those larger than 4,096 bytes are served as large ones, by the CDN. */
  readonly files: Map<string, Uint8Array>;
  /** Further entries of the listing, as they are. */
  readonly listed: unknown[];
  /** Faults by file path; `list` stands for the listing. */
  readonly faults: Map<string, Fault[]>;
  /** Requests so far. */
  readonly seen: Seen[];
}

/** Starts the server for a repository with these files. A `token` makes it private. */
export function startHubServer(
  repo: string,
  given: Readonly<Record<string, Uint8Array | string>>,
  options: { readonly token?: string } = {},
): HubServer {
  const bytes = (content: Uint8Array | string) =>
    typeof content === "string" ? new TextEncoder().encode(content) : content;
  const files = new Map(Object.entries(given).map(([path, content]) => [path, bytes(content)]));
  const commit = createHash("sha1").update(repo).digest("hex");
  const listed: unknown[] = [];
  const faults = new Map<string, Fault[]>();
  const seen: Seen[] = [];
  const quiet = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const note = (server: Seen["server"], request: Request) => {
    const path = decodeURIComponent(new URL(request.url).pathname);
    const { headers } = request;
    seen.push({ server, path, range: headers.get("range"), authorization: headers.get("authorization") });
    return path;
  };
  const isLarge = (content: Uint8Array) => content.length > 4096;

  const serveFile = (path: string, request: Request): Response => {
    const fault = faults.get(path)?.shift();
    if (fault !== undefined && "status" in fault) return new Response("no", { status: fault.status });
    const content = fault !== undefined && "serve" in fault ? fault.serve : files.get(path);
    if (content === undefined) return new Response("no such entry", { status: 404 });
    const range = /^bytes=(\d+)-$/.exec(request.headers.get("range") ?? "");
    const partial = range !== null && !(fault !== undefined && "ignoreRange" in fault);
    const body = partial ? content.subarray(Number(range?.[1])) : content;
    const headers = {
      "content-length": String(body.length),
      ...(partial ? { "content-range": `bytes ${range?.[1]}-${content.length - 1}/${content.length}` } : {}),
    };
    const status = partial ? 206 : 200;
    if (fault === undefined || !("resetAfter" in fault)) {
      return new Response(body.slice(), { status, headers });
    }
    // The promised length does not come: the server closes the connection.
    const broken = ReadableStream.from([body.slice(0, fault.resetAfter)]);
    return new Response(broken, { status, headers });
  };

  const cdn = Deno.serve(quiet, (request) => serveFile(note("cdn", request).slice(1), request));
  const hub = Deno.serve(quiet, (request) => {
    const path = note("hub", request);
    if (options.token !== undefined && request.headers.get("authorization") !== `Bearer ${options.token}`) {
      return Response.json({ error: "Access to this repository is restricted." }, { status: 401 });
    }
    if (path.startsWith("/api/")) {
      const fault = faults.get("list")?.shift();
      if (fault !== undefined && "status" in fault) return new Response("no", { status: fault.status });
      const revision = [`/api/models/${repo}/revision/main`, `/api/models/${repo}/revision/${commit}`];
      if (revision.includes(path)) return Response.json({ _id: "1", id: repo, sha: commit });
      if (path !== `/api/models/${repo}/tree/${commit}`) {
        return Response.json({ error: "Not found" }, { status: 404 });
      }
      const entries = [...files].map(([name, content]) => ({
        type: "file",
        path: name,
        size: content.length,
        oid: createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex"),
        ...(isLarge(content)
          ? {
            lfs: {
              oid: createHash("sha256").update(content).digest("hex"),
              size: content.length,
              pointerSize: 130,
            },
          }
          : {}),
      }));
      return Response.json([...entries, ...listed]);
    }
    const start = `/${repo}/resolve/${commit}/`;
    const name = path.startsWith(start) ? path.slice(start.length) : "";
    const content = files.get(name);
    if (content === undefined) return new Response("no such entry", { status: 404 });
    if (!isLarge(content)) return serveFile(name, request);
    return Response.redirect(`http://127.0.0.1:${cdn.addr.port}/${name}`, 302);
  });
  return {
    url: `http://127.0.0.1:${hub.addr.port}`,
    commit,
    files,
    listed,
    faults,
    seen,
    async [Symbol.asyncDispose]() {
      await Promise.all([hub.shutdown(), cdn.shutdown()]);
    },
  };
}
