/**
 * What an answer in the response cache depends on.
 * @module
 */
import { canonicalJson, type Json, sha256 } from "../base/hash.ts";
import type { ContinueRequest, GenerateRequest } from "./backend.ts";
import { variantPrints } from "./checkpoint_print.ts";
import { steeringJson } from "./steering.ts";
import { type Environment, serverUrl, type Variant } from "./variants.ts";

/**
 * What decides which model answers a variant's requests: backend kind, base URL, provider, model, revision, LoRA,
 * dtype, and the fields added to every request. A local folder counts with what its files hold, so that a checkpoint
 * that was trained again is another model.
 */
export function backendIdentity(variant: Variant, env: Environment = Deno.env): Json {
  const { backend } = variant;
  if (backend === "simulated") {
    const { description: _, limits: __, name: ___, ...rest } = variant;
    return JSON.parse(JSON.stringify(rest)) as Json;
  }
  const { model, revision = null, lora = null, dtype = null } = variant;
  const format = variant.format === undefined
    ? {}
    : { format: variant.format, harmony: variant.harmony ?? {} };
  if (backend === "local") {
    return {
      backend,
      model,
      revision,
      lora,
      dtype,
      device: variant.device,
      ...variantPrints(variant),
      ...format as Record<string, Json>,
    };
  }
  const { provider = null, protocol, promptTemplate, extraBody, headers } = variant;
  const url = serverUrl(variant, env) ?? null;
  return {
    backend,
    url,
    provider,
    model,
    revision,
    lora,
    dtype,
    protocol,
    extraBody: extraBody as Json,
    headers,
    ...(promptTemplate === undefined ? {} : { promptTemplate }),
    ...format as Record<string, Json>,
  };
}

/**
 * SHA-256 (hex) of the backend's identity and the whole request. The epoch tells samples of one request apart.
 *
 * @param identity what {@linkcode backendIdentity} gives.
 */
export function cacheKey(identity: Json, request: GenerateRequest | ContinueRequest, epoch = 0): string {
  const { steering, ...plain } = request;
  const whole = steering === undefined ? plain : { ...plain, steering: steeringJson(steering) };
  return sha256(canonicalJson({ identity, request: whole, epoch } as unknown as Json));
}
