/**
 * A client that sends bytes as they are, for what well-behaved clients never do.
 * @module
 */
import { connect, type Socket } from "node:net";

/** A connection to a server. */
export interface RawClient {
  readonly socket: Socket;
  /** What came so far. */
  readonly received: string;
  /** Resolves when the connection is closed, with all that came. */
  readonly closed: Promise<string>;
  /** Resolves when what came matches. @throws when the connection is closed before. */
  until(pattern: RegExp): Promise<string>;
}

/** Connects to the server of a base URL. */
export async function rawClient(url: string): Promise<RawClient> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let received = "";
  let isClosed = false;
  const listeners = new Set<() => void>();
  const tell = () => listeners.forEach((listener) => listener());
  socket.on("data", (bytes) => {
    received += bytes.toString();
    tell();
  });
  socket.on("error", () => {});
  const closed = new Promise<string>((resolve) =>
    socket.on("close", () => {
      isClosed = true;
      tell();
      resolve(received);
    })
  );
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", () => resolve());
    socket.once("error", reject);
  });
  return {
    socket,
    closed,
    get received() {
      return received;
    },
    until(pattern) {
      return new Promise((resolve, reject) => {
        const look = () => {
          const found = pattern.test(received);
          if (!found && !isClosed) return;
          listeners.delete(look);
          if (found) resolve(received);
          else reject(new Error(`The connection was closed after ${JSON.stringify(received.slice(0, 500))}`));
        };
        listeners.add(look);
        look();
      });
    },
  };
}

/** A POST as bytes. */
export function post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): string {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const all = {
    host: "127.0.0.1",
    "content-type": "application/json",
    "content-length": String(new TextEncoder().encode(text).length),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return `POST ${path} HTTP/1.1\r\n${lines}\r\n${text}`;
}

/** Waits until something is so; the test's own time limit ends it. */
export async function eventually(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}
