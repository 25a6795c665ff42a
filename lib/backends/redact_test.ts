import assert from "node:assert/strict";
import { redact, secretsOf } from "./redact.ts";
import { loadVariants } from "./variants.ts";

Deno.test("redact() hides given values, also encoded, and what looks like a key", () => {
  const secret = "p@ss/word+1";
  for (
    const text of [
      `key ${secret} end`,
      `?k=${encodeURIComponent(secret)}`,
      `Authorization: Bearer ${secret}abc`,
      `basic ${btoa(secret)}`,
    ]
  ) {
    const clean = redact(text, [secret]);
    assert.ok(!clean.includes(secret) && !clean.includes(btoa(secret)), clean);
    assert.ok(!clean.includes(encodeURIComponent(secret)), clean);
  }
  for (
    const text of [
      "sk-proj-abcdefgh12345678",
      "hf_abcdefgh12345678",
      "Bearer eyJhbGciOi.abc",
      '{"api_key": "abcdef123456"}',
      "https://user:hunter22@host/v1",
    ]
  ) assert.match(redact(text), /\[redacted\]/, text);
});

Deno.test("redact() leaves ordinary text as it is", () => {
  const text =
    "The server answered 429: Rate limit reached for tokens per min (TPM): Limit 200000, Used 199000.";
  assert.equal(redact(text, ["abc"]), text);
});

Deno.test("secretsOf() gives the values of the key variables that are set", async () => {
  const variants = (await loadVariants()).values();
  const env = { get: (name: string) => name === "OPENAI_API_KEY" ? "sk-abc" : undefined };
  assert.deepEqual(secretsOf(variants, env), ["sk-abc"]);
});
