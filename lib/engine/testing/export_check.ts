/**
 * Generation by @huggingface/transformers from an export on the disk.
 * @module
 */

/** An export, loaded by @huggingface/transformers. */
export interface PeerModel extends AsyncDisposable {
  /** The tokens that argmax decoding appends to prompts of equal length, end tokens passed over. */
  greedy(prompts: readonly (readonly number[])[], maxNewTokens: number): Promise<number[][]>;
  /** Logits `[tokens, vocabulary]` of one prompt. */
  logits(ids: readonly number[]): Promise<Float32Array>;
}

/** Loads an export from the disk alone. */
export async function loadPeer(dir: string, dtype: "fp32" | "q8" | "q4"): Promise<PeerModel> {
  const { AutoModelForCausalLM, Tensor } = await import("@huggingface/transformers");
  const model = await AutoModelForCausalLM.from_pretrained(dir, {
    dtype,
    device: "cpu",
    local_files_only: true,
  });
  const tensor = (rows: readonly (readonly number[])[]) =>
    new Tensor("int64", BigInt64Array.from(rows.flat(), BigInt), [rows.length, rows[0]?.length ?? 0]);
  const inputs = (rows: readonly (readonly number[])[]) => ({
    input_ids: tensor(rows),
    attention_mask: tensor(rows.map((row) => row.map(() => 1))),
  });
  return {
    async greedy(prompts, maxNewTokens) {
      const sequences = await model.generate(
        {
          ...inputs(prompts),
          max_new_tokens: maxNewTokens,
          do_sample: false,
          eos_token_id: [2 ** 30],
        } as Parameters<typeof model.generate>[0],
      );
      if (!(sequences instanceof Tensor)) throw new Error("generate() gave no sequences.");
      return (sequences.tolist() as bigint[][]).map((row, i) => row.slice(prompts[i]?.length).map(Number));
    },
    async logits(ids) {
      const { logits } = await model(inputs([ids]));
      return Float32Array.from(logits.data);
    },
    async [Symbol.asyncDispose]() {
      await model.dispose();
    },
  };
}
