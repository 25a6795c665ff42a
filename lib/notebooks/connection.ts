/**
 * Where a kernel and its client meet.
 * https://jupyter-client.readthedocs.io/en/stable/kernels.html#connection-files
 * @module
 */
import { join } from "node:path";

/** A channel of the protocol. */
export type Channel = "shell" | "iopub" | "stdin" | "control" | "hb";

const CHANNELS: readonly Channel[] = ["shell", "iopub", "stdin", "control", "hb"];

/** A connection file in a private folder, which is removed when disposed of. */
export interface Connection extends AsyncDisposable {
  /** The connection file's path. */
  readonly file: string;
  /** The key that messages are signed with. */
  readonly key: string;
  /** A channel's address for ZeroMQ. */
  address(channel: Channel): string;
}

/** Makes a connection on free ports of the loopback interface, with a fresh key that only this user can read. */
export async function makeConnection(): Promise<Connection> {
  const folder = await Deno.makeTempDir({ prefix: "probebook-kernel-" });
  const file = join(folder, "connection.json");
  const key = crypto.randomUUID();
  const ports = freePorts(CHANNELS.length);
  const content = {
    ip: "127.0.0.1",
    transport: "tcp",
    key,
    signature_scheme: "hmac-sha256",
    ...Object.fromEntries(CHANNELS.map((channel, i) => [`${channel}_port`, ports[i]])),
  };
  await Deno.writeTextFile(file, JSON.stringify(content), { mode: 0o600 });
  return {
    file,
    key,
    address: (channel) => `tcp://127.0.0.1:${ports[CHANNELS.indexOf(channel)]}`,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }).catch(() => {}),
  };
}

function freePorts(count: number): number[] {
  const listeners = Array.from({ length: count }, () => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const ports = listeners.map((listener) => listener.addr.port);
  for (const listener of listeners) listener.close();
  return ports;
}
