/**
 * Tests of a loaded model on itself, which must hold before numbers that it captures or steers are trusted.
 * @module
 */
import { InputError } from "../base/errors.ts";
import { KvStore } from "./kv_store.ts";
import type { ModelRunner, TestedGraph } from "./model_runner.ts";
import type { Steer } from "./types.ts";

const TOKENS = 8;

/**
 * Tests one graph on a few tokens.
 *
 * - prefill: steering by zero gives bit-identical logits, keys and values, and the output of every block is the sum
 *   of what entered its MLP and what the MLP added.
 * - decode: steering by zero and editing keys and values by zero give bit-identical logits.
 *
 * @returns what was tested, in words.
 * @throws {InputError} naming the first test that failed.
 */
export async function selfTest(runner: ModelRunner, graph: TestedGraph): Promise<string[]> {
  const counts = { ...runner.counts };
  try {
    return graph === "prefill" ? await testPrefill(runner) : await testDecode(runner);
  } finally {
    Object.assign(runner.counts, counts);
  }
}

/** Steerings at every site that change nothing. */
function zeroSteers({ config }: ModelRunner): Steer[] {
  const vector = new Float32Array(config.hiddenSize).fill(1);
  return (["residual", "attn_out", "mlp_out"] as const).flatMap((component) =>
    Array.from({ length: config.numLayers }, (_, layer): Steer => ({
      component,
      layer,
      vector,
      coef: 0,
      mode: "add",
      phase: "all",
    }))
  );
}

function prompt({ config }: ModelRunner): number[] {
  const length = Math.min(TOKENS, config.contextWindow - 1);
  return Array.from({ length }, (_, i) => (31 * i + 7) % config.vocabSize);
}

async function testPrefill(runner: ModelRunner): Promise<string[]> {
  const { config } = runner;
  const ids = prompt(runner);
  // Where a norm comes after the MLP, what is added is not mlp_out itself.
  const layers = config.postNorms ? [] : Array.from({ length: config.numLayers }, (_, layer) => layer);
  const capture = layers.flatMap((n) => [`residual.${n}`, `resid_mid.${n}`, `mlp_out.${n}`]);
  const stores = [new KvStore(config, ids.length), new KvStore(config, ids.length)] as const;
  const plain = await runner.prefill(stores[0], ids, { steers: [], allLogits: true, capture: [] });
  const open = { steers: zeroSteers(runner), allLogits: true, capture };
  const steered = await runner.prefill(stores[1], ids, open);
  expectSame("steering a prompt by zero changes its logits", plain.logits, steered.logits);
  for (const which of ["keys", "values"] as const) {
    for (const [layer, rows] of stores[0][which].entries()) {
      expectSame(
        `steering a prompt by zero changes its ${which} in layer ${layer}`,
        rows,
        stores[1][which][layer],
      );
    }
  }
  for (const n of layers) {
    const [whole, middle, added] = ["residual", "resid_mid", "mlp_out"].map((site) =>
      steered.captured[`${site}.${n}`] as Float32Array
    ) as [Float32Array, Float32Array, Float32Array];
    const sum = middle.map((x, i) => x + (added[i] as number));
    expectSame(`residual.${n} is not resid_mid.${n} + mlp_out.${n}`, sum, whole);
  }
  return [
    "steering a prompt by zero changes no bit of logits, keys and values",
    ...(layers.length > 0 ? ["residual = resid_mid + mlp_out in every layer"] : []),
  ];
}

async function testDecode(runner: ModelRunner): Promise<string[]> {
  const { config } = runner;
  const ids = prompt(runner);
  const store = new KvStore(config, ids.length);
  await runner.prefill(store, ids, { steers: [], allLogits: false, capture: [] });
  const token = [ids[0] as number];
  const decode = async (steers: readonly Steer[]) => {
    const batch = runner.startBatch(store, [{ start: 0, length: ids.length }]);
    return (await batch.step(token, { steers, logits: true })).logits as Float32Array;
  };
  const plain = await decode([]);
  expectSame("steering a response by zero changes its logits", plain, await decode(zeroSteers(runner)));
  const ones = new Float32Array(store.width).fill(1);
  for (let layer = 0; layer < config.numLayers; layer++) {
    store.edit(ids.length - 1, { layer, slot: -1, key: ones, value: ones, scaleK: 0, scaleV: 0 });
  }
  expectSame("an edit of keys and values by zero changes the logits", plain, await decode([]));
  return [
    "steering a response by zero changes no bit of its logits",
    "an edit of keys and values by zero changes no bit of the logits",
  ];
}

function expectSame(failure: string, a: Float32Array, b: Float32Array | undefined): void {
  const at = a.findIndex((x, i) => x !== b?.[i]);
  if (at === -1 && a.length === b?.length) return;
  throw new InputError(
    `This model fails its self-test: ${failure} (${a[at]} against ${
      b?.[at]
    }). What it captures and how it is ` +
      'steered cannot be trusted here: use another dtype or device, fp32 on "cpu" before all.',
  );
}
