import assert from "node:assert/strict";
import fc from "fast-check";
import { isLoopback } from "../base/loopback.ts";
import { checkHost, checkKey } from "./access.ts";
import { ApiError } from "./api_error.ts";

const refused = (status: number) => (error: unknown) => error instanceof ApiError && error.status === status;

Deno.test("checkHost() lets through names of this machine only", () => {
  for (
    const host of [
      "localhost",
      "LOCALHOST:8080",
      "127.0.0.1",
      "127.0.0.1:1",
      "127.1.2.3",
      "[::1]",
      "[::1]:80",
    ]
  ) {
    checkHost(host);
  }
  const strange = [
    "example.com",
    "localhost.example.com",
    "127.0.0.1.example.com",
    "192.168.0.1:80",
    "[::2]",
    "",
    "::1",
    "127.0.0.1@example.com",
    "0.0.0.0",
  ];
  for (const host of [...strange, undefined]) assert.throws(() => checkHost(host), refused(403), host);
});

Deno.test("isLoopback() tells addresses of this machine from all others", () => {
  assert.deepEqual(["localhost", "127.0.0.1", "::1", "127.9.9.9"].map(isLoopback), [true, true, true, true]);
  assert.deepEqual(["0.0.0.0", "::", "10.0.0.1", "127.evil.com"].map(isLoopback), [
    false,
    false,
    false,
    false,
  ]);
});

Deno.test("checkKey() lets through the key and nothing else", () => {
  fc.assert(fc.property(
    fc.string({ minLength: 1 }).filter((s) => !/^\s|[\r\n]/.test(s)),
    fc.string(),
    (key, other) => {
      checkKey(`Bearer ${key}`, key);
      checkKey(`bearer  ${key}`, key);
      if (other === key) return;
      assert.throws(() => checkKey(`Bearer ${other}`, key), refused(401));
      assert.throws(() => checkKey(key, key), refused(401));
    },
  ));
  for (const header of [undefined, "", "Bearer", "Bearer ", "Basic abc"]) {
    assert.throws(() => checkKey(header, "abc"), refused(401));
  }
});
