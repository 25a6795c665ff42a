/**
 * In-process models opened for reading and steering their activations.
 * @module
 */
import { InputError } from "../base/errors.ts";
import type { Decoder } from "../engine/mod.ts";
import type { Message } from "./backend.ts";
import type { LoadVariantOptions } from "./local_decoding.ts";
import type { LocalVariant, Variant } from "./variants.ts";

/** A model whose activations can be read. */
export interface Steerable {
  /** What was opened. */
  readonly variant: LocalVariant;
  /** The model. */
  readonly decoder: Decoder;
  /**
   * Token ids of a chat as a request of these messages is sent: the assistant's turn has begun, with `prefix`.
   *
   * @throws {BackendError} `bad_request` for messages that cannot be written.
   * @throws {InputError} when the chat template refuses them.
   */
  promptIds(messages: readonly Message[], prefix?: string): number[];
}

/**
 * Whether a variant runs in this process, so that its activations can be read and steered.
 *
 * @throws {InputError} when it does not: says what to do.
 */
export function checkSteerable(variant: Variant): asserts variant is LocalVariant {
  if (variant.backend === "local") return;
  throw new InputError(
    `The variant ${variant.name} (backend ${variant.backend}) cannot be read or steered: that needs a model that runs ` +
      'in this process. Give one with "backend": "local", such as pocket.',
  );
}

/**
 * Opens an in-process variant, its LoRA included, to read its activations. Close it with `await using`.
 *
 * @throws {InputError} when it does not run in this process, or its checkpoint is missing or damaged.
 */
export async function openSteerable(
  variant: Variant,
  options: LoadVariantOptions = {},
): Promise<Steerable & AsyncDisposable> {
  checkSteerable(variant);
  const { openLocal } = await import("./local.ts");
  const backend = await openLocal(variant, options);
  return {
    ...backend.steerable as Steerable,
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  };
}
