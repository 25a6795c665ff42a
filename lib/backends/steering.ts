/**
 * What a request does to the activations of a model. In-process models alone can be steered.
 * @module
 */
import { type Json, sha256 } from "../base/hash.ts";
import type { Steer } from "../engine/types.ts";
import { BackendError, type GenerateRequest } from "./backend.ts";
import type { Variant } from "./variants.ts";

/** A vector that requests are steered with: made once, named in hashes by its content. */
export class Direction {
  /** The numbers; `[hiddenSize]` for the residual stream, `[kvHeads * headDim]` for keys and values. */
  readonly values: Float32Array;
  /** Of the numbers as little-endian float32. */
  readonly sha256: string;

  /** Copies the numbers. */
  constructor(values: ArrayLike<number>) {
    this.values = Float32Array.from(values);
    const bytes = new DataView(new ArrayBuffer(4 * this.values.length));
    for (const [i, x] of this.values.entries()) bytes.setFloat32(4 * i, x, true);
    this.sha256 = sha256(new Uint8Array(bytes.buffer));
  }

  /** How it is written down: its hash. */
  toJSON(): string {
    return this.sha256;
  }
}

/** A change of the residual stream, of what attention adds to it, or of what the MLP adds; see `Steer` of the engine. */
export interface ResidualSteer extends Omit<Steer, "vector"> {
  /** `[hiddenSize]`; to ablate, several one behind the other. */
  readonly vector: Direction;
}

/** Which token of a prompt cache edits are added to: the one before the last. */
export const KV_SLOT: number = -2;

/** A change of one layer's cache, once, at {@linkcode KV_SLOT}. */
export interface KvSteer {
  /** 0-based block. */
  readonly layer: number;
  /** `[kvHeads * headDim]`, added to the key. */
  readonly key?: Direction;
  /** `[kvHeads * headDim]`, added to the value. */
  readonly value?: Direction;
  /** How many times the key is added; 1 unless given. */
  readonly scaleK?: number;
  /** How many times the value is added; 1 unless given. */
  readonly scaleV?: number;
  /** Whether the key is without a position, and is given that of the token it is added to; else it is added as it is. */
  readonly unrotated: boolean;
}

/**
 * What a request does to a model.
 *
 * With `kv`, the prompt is computed up to its last token, the cache of the token before it is changed, and then the
 * last token is computed (after cache steering, arXiv 2507.08799). An empty list computes the prompt in the same two
 * parts and changes nothing: arithmetic in two parts differs from that in one by rounding, so this is what a
 * coefficient of zero is bit-identical to.
 */
export interface Steering {
  /** Changes of the residual stream; several at one site act one after another. */
  readonly residual?: readonly ResidualSteer[];
  /** Changes of the cache. */
  readonly kv?: readonly KvSteer[];
}

/** A steering for hashes and files: vectors by their content's hash. Nothing and no steering are both null. */
export function steeringJson(steering: Steering | undefined): Json {
  return steering === undefined ? null : JSON.parse(JSON.stringify(steering)) as Json;
}

/** Refuses a request that is steered. @throws {BackendError} `unsupported` */
export function refuseSteering({ steering }: GenerateRequest, variant: Variant): void {
  if (steering === undefined) return;
  throw new BackendError(
    "unsupported",
    `The variant ${variant.name} (backend ${variant.backend}) cannot be steered: steering needs a model that runs ` +
      'in this process, a variant with "backend": "local"',
    { sent: false },
  );
}
