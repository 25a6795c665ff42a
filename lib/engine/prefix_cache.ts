/**
 * Remembers computed prompts, so that one that begins alike is computed from where they part.
 * @module
 */
import type { KvStore } from "./kv_store.ts";

/** A computed prompt: `ids.length` rows of the store, and the logits after the last. */
export interface CachedPrompt {
  /** Its tokens. */
  readonly ids: readonly number[];
  /** Holds its keys and values in its first rows. */
  readonly store: KvStore;
  /** `[vocabSize]`, after its last token. */
  readonly logits: Float32Array;
}

/** The prompts used last, within a number of bytes; at least the last one. */
export class PrefixCache {
  readonly #maxBytes: number;
  /** Oldest use first. */
  #prompts: CachedPrompt[] = [];

  /** Holds nothing yet, and at most `maxBytes` of keys and values later, or one prompt. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The prompt that shares the longest beginning with `ids`, and that length; it counts as used. */
  match(ids: readonly number[]): { readonly prompt: CachedPrompt; readonly common: number } | undefined {
    let found: CachedPrompt | undefined;
    let common = 0;
    for (const prompt of this.#prompts) {
      const length = commonLength(prompt.ids, ids);
      if (length > common || (length > 0 && length === common)) [found, common] = [prompt, length];
    }
    if (found === undefined) return undefined;
    const prompt = found;
    this.#prompts = [...this.#prompts.filter((other) => other !== prompt), prompt];
    return { prompt, common };
  }

  /**
   * Remembers a prompt, in place of those that are beginnings of it, and forgets the oldest beyond the bytes. The prompt
   * itself is kept however large it is, so that several samples of it, or a longer one, need it only once.
   */
  add(prompt: CachedPrompt): void {
    prompt.store.retain();
    this.#keep((other) => commonLength(other.ids, prompt.ids) < other.ids.length);
    this.#prompts.push(prompt);
    while (this.bytes > this.#maxBytes && this.#prompts.length > 1) {
      this.#keep((other) => other !== this.#prompts[0]);
    }
  }

  /** Forgets a prompt that alone is beyond the bytes, before another takes its place beside it. */
  makeRoom(): void {
    if (this.bytes > this.#maxBytes) this.clear();
  }

  /** Forgets everything. */
  clear(): void {
    this.#keep(() => false);
  }

  #keep(wanted: (prompt: CachedPrompt) => boolean): void {
    const kept = this.#prompts.filter(wanted);
    for (const prompt of this.#prompts) if (!kept.includes(prompt)) prompt.store.release();
    this.#prompts = kept;
  }

  /** Bytes of keys and values held. */
  get bytes(): number {
    return [...new Set(this.#prompts.map((prompt) => prompt.store))].reduce(
      (sum, store) => sum + store.bytes,
      0,
    );
  }
}

function commonLength(a: readonly number[], b: readonly number[]): number {
  const most = Math.min(a.length, b.length);
  let at = 0;
  while (at < most && a[at] === b[at]) at++;
  return at;
}
