/**
 * Who may speak to the server.
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { isLoopbackHost } from "../base/loopback.ts";
import { ApiError } from "./api_error.ts";

/**
 * Refuses requests that a browser was led to make under another name than this machine's (DNS rebinding). A server on
 * loopback is only ever meant when its name is `localhost` or an address of loopback.
 *
 * @param header the Host header.
 * @throws {ApiError} 403
 */
export function checkHost(header: string | undefined): void {
  if (isLoopbackHost(header)) return;
  throw new ApiError(403, "This server answers to localhost, 127.0.0.1 and [::1] only.", {
    code: "host_not_allowed",
  });
}

/**
 * Refuses requests without the key. What is compared are hashes, in constant time, so that neither the key nor its
 * length can be found out by trying.
 *
 * @param header the Authorization header.
 * @throws {ApiError} 401
 */
export function checkKey(header: string | undefined, key: string): void {
  const given = /^bearer +(.*)$/i.exec(header ?? "")?.[1];
  if (timingSafeEqual(digest(given ?? ""), digest(key)) && given !== undefined) return;
  const text = given === undefined
    ? "A key is needed: send it as Authorization: Bearer KEY."
    : "The key is wrong.";
  throw new ApiError(401, text, { code: "invalid_api_key", headers: { "www-authenticate": "Bearer" } });
}

function digest(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
