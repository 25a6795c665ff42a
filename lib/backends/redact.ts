/**
 * Keeps secrets out of texts.
 * @module
 */
import type { Environment, Variant } from "./variants.ts";

/** What stands where a secret stood. */
export const REDACTED = "[redacted]";

const PATTERNS = [
  /\b(bearer|basic)\s+[\w.~+/=-]{6,}/gi,
  /\b(sk|pk|hf|gsk|xai|AIza)[-_][\w-]{8,}/g,
  /((?:api[-_]?key|authorization|token)["']?\s*[:=]\s*["']?)[^\s"',}]{6,}/gi,
  /(\/\/)[^/\s:@]+:[^/\s@]+@/g,
];

/**
 * A text without secrets: the given values, and whatever looks like a bearer token, a provider's key, an
 * `api_key=...` field or a password in a URL.
 *
 * @param secrets exact values to hide; those under 4 characters are left (hiding them would shred the text).
 */
export function redact(text: string, secrets: readonly string[] = []): string {
  const clean = hideValues(text, secrets.filter((secret) => secret.length >= 4));
  const [bearer, keys, fields, passwords] = PATTERNS as [RegExp, RegExp, RegExp, RegExp];
  return clean.replace(bearer, `$1 ${REDACTED}`).replace(keys, REDACTED).replace(fields, `$1${REDACTED}`)
    .replace(passwords, `$1${REDACTED}@`);
}

/** A text without the given values, plain, percent-encoded or in base64; everything else stays as it is. */
export function hideValues(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) {
    for (const form of new Set([secret, encodeURIComponent(secret), btoaSafe(secret)])) {
      clean = clean.replaceAll(form, REDACTED);
    }
  }
  return clean;
}

/** The values of every key variable that the variants name. For {@linkcode redact} alone: never print them. */
export function secretsOf(variants: Iterable<Variant>, env: Environment = Deno.env): string[] {
  const secrets = new Set<string>();
  for (const variant of variants) {
    const value = variant.backend === "api" && variant.apiKeyEnv ? env.get(variant.apiKeyEnv) : undefined;
    if (value) secrets.add(value);
  }
  return [...secrets];
}

function btoaSafe(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}
