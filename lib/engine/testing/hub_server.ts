/**
 * A local server that speaks the hub's routes for one repository, and can misbehave.
 * @module
 */
import { createHash } from "node:crypto";
import {
  asBytes,
  type Fault,
  type SeenRequest,
  seenRequest,
  serveFile,
} from "../../base/testing/file_server.ts";

/** A request that came. */
export interface Seen extends SeenRequest {
  /** `hub`, or `cdn`, which large files are redirected to. */
  readonly server: "hub" | "cdn";
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

/** Starts the server for a repository with these files, a model's unless said otherwise. A `token` makes it private. */
export function startHubServer(
  repo: string,
  given: Readonly<Record<string, Uint8Array | string>>,
  options: { readonly token?: string; readonly type?: "models" | "datasets" } = {},
): HubServer {
  const { type = "models" } = options;
  const files = new Map(Object.entries(given).map(([path, content]) => [path, asBytes(content)]));
  const commit = createHash("sha1").update(repo).digest("hex");
  const listed: unknown[] = [];
  const faults = new Map<string, Fault[]>();
  const seen: Seen[] = [];
  const quiet = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const note = (server: Seen["server"], request: Request) => {
    const asked = seenRequest(request);
    seen.push({ server, ...asked });
    return asked.path;
  };
  const isLarge = (content: Uint8Array) => content.length > 4096;
  const serve = (path: string, request: Request) =>
    serveFile(files.get(path), request, { fault: faults.get(path)?.shift() });

  const cdn = Deno.serve(quiet, (request) => serve(note("cdn", request).slice(1), request));
  const hub = Deno.serve(quiet, (request) => {
    const path = note("hub", request);
    if (options.token !== undefined && request.headers.get("authorization") !== `Bearer ${options.token}`) {
      return Response.json({ error: "Access to this repository is restricted." }, { status: 401 });
    }
    if (path.startsWith("/api/")) {
      const fault = faults.get("list")?.shift();
      if (fault !== undefined && "status" in fault) return new Response("no", { status: fault.status });
      const revision = [`/api/${type}/${repo}/revision/main`, `/api/${type}/${repo}/revision/${commit}`];
      if (revision.includes(path)) return Response.json({ _id: "1", id: repo, sha: commit });
      if (path !== `/api/${type}/${repo}/tree/${commit}`) {
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
    const start = `/${type === "datasets" ? "datasets/" : ""}${repo}/resolve/${commit}/`;
    const name = path.startsWith(start) ? path.slice(start.length) : "";
    const content = files.get(name);
    if (content === undefined) return new Response("no such entry", { status: 404 });
    if (!isLarge(content)) return serve(name, request);
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
