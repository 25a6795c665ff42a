/**
 * Gives memory back at once.
 * @module
 */

/** Frees the buffers of arrays that nothing reads any more: outputs of a session would wait for a collection. */
export function freeFloats(...arrays: readonly (Float32Array | undefined)[]): void {
  for (const array of arrays) (array?.buffer as ArrayBuffer | undefined)?.transfer(0);
}
