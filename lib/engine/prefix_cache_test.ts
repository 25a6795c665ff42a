import assert from "node:assert/strict";
import { parseConfig } from "./config.ts";
import { KvStore } from "./kv_store.ts";
import { PrefixCache } from "./prefix_cache.ts";

const config = parseConfig({
  architectures: ["LlamaForCausalLM"],
  vocab_size: 10,
  hidden_size: 8,
  intermediate_size: 4,
  num_hidden_layers: 1,
  num_attention_heads: 1,
  max_position_embeddings: 100,
  rms_norm_eps: 1e-5,
}, "config.json");
const prompt = (...ids: number[]) => ({ ids, store: new KvStore(config, 10), logits: new Float32Array(10) });
const bytes = prompt().store.bytes;

Deno.test("match() finds the prompt with the longest common beginning", () => {
  const cache = new PrefixCache(10 * bytes);
  const [a, b] = [prompt(1, 2, 3, 4), prompt(1, 2, 9)];
  cache.add(a);
  cache.add(b);
  assert.deepEqual(cache.match([1, 2, 3, 7]), { prompt: a, common: 3 });
  assert.deepEqual(cache.match([1, 2, 9, 9, 9]), { prompt: b, common: 3 });
  assert.equal(cache.match([5]), undefined);
});

Deno.test("add() forgets the least recently used beyond the bytes, and beginnings of what it adds", () => {
  const cache = new PrefixCache(2 * bytes);
  const [a, b, c] = [prompt(1, 1), prompt(2, 2), prompt(3, 3)];
  cache.add(a);
  cache.add(b);
  cache.match([1, 1]);
  cache.add(c);
  assert.deepEqual([a, b, c].map((p) => p.store.owners), [1, 0, 1]);
  const longer = prompt(3, 3, 4);
  cache.add(longer);
  assert.deepEqual([a, c, longer].map((p) => p.store.owners), [1, 0, 1]);
  cache.clear();
  assert.deepEqual([a, longer].map((p) => p.store.owners), [0, 0]);
});

Deno.test("add() keeps one prompt that is larger than the bytes, until makeRoom()", () => {
  const cache = new PrefixCache(bytes / 2);
  const [a, b] = [prompt(1, 1), prompt(2, 2)];
  cache.add(a);
  assert.deepEqual(cache.match([1, 1, 5]), { prompt: a, common: 2 });
  cache.add(b);
  assert.deepEqual([a, b].map((p) => p.store.owners), [0, 1]);
  cache.makeRoom();
  assert.equal(b.store.owners, 0);
  const roomy = new PrefixCache(bytes);
  roomy.add(a);
  roomy.makeRoom();
  assert.equal(a.store.owners, 1);
});
