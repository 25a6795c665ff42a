/**
 * What is reached from this machine alone.
 * @module
 */
import { isIP } from "node:net";

/** Whether an address or name to listen on is reached from this machine alone. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || isIP(host) === 4 && host.startsWith("127.");
}

/**
 * Whether a request was meant for this machine: a page that made a browser ask under another name (DNS rebinding) is
 * known by its Host header.
 *
 * @param header the Host header, with or without a port.
 */
export function isLoopbackHost(header: string | null | undefined): boolean {
  const name = /^(\[[^\]]*\]|[^:]*)(:\d+)?$/.exec(header ?? "")?.[1] ?? "";
  return isLoopback(name.replace(/^\[(.*)\]$/, "$1").toLowerCase());
}
