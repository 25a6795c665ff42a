/**
 * `deno task export --model DIR --out DIR [--dtype fp32|q8|q4] [--lora DIR]`: writes a checkpoint as an ONNX export
 * that @huggingface/transformers loads.
 * @module
 */
import { parseArgs } from "node:util";
import { z } from "zod";
import { INPUT_ERROR_EXIT, InputError, messageOf } from "../lib/base/errors.ts";
import { log } from "../lib/base/log.ts";
import { exportOnnx } from "../lib/engine/export_onnx.ts";

const USAGE = `Usage: deno task export --model DIR --out DIR [--dtype fp32|q8|q4] [--lora DIR] [--cache DIR]
  --model   folder of a Hugging Face decoder checkpoint
  --out     folder for the export: onnx/, config.json and the tokenizer's files; several dtypes may share it
  --dtype   fp32 (the default), q8 or q4
  --lora    folder of a PEFT LoRA adapter to merge into the weights
  --cache   folder for quantised weights; the engine's own unless given`;

const flagsSchema = z.object({
  model: z.string("--model is needed").min(1),
  out: z.string("--out is needed").min(1),
  dtype: z.enum(["fp32", "q8", "q4"], "--dtype must be fp32, q8 or q4").default("fp32"),
  lora: z.string().min(1).optional(),
  cache: z.string().min(1).optional(),
});

function readFlags(args: readonly string[]): z.infer<typeof flagsSchema> | "help" {
  try {
    const text = { type: "string" } as const;
    const { values } = parseArgs({
      args: [...args],
      options: {
        model: text,
        out: text,
        dtype: text,
        lora: text,
        cache: text,
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) return "help";
    const { data, error } = flagsSchema.safeParse(values);
    if (error !== undefined) throw new Error(error.issues.map(({ message }) => message).join(", "));
    return data;
  } catch (cause) {
    throw new InputError(`${messageOf(cause)}.\n${USAGE}`, { cause });
  }
}

async function main(args: readonly string[]): Promise<void> {
  const flags = readFlags(args);
  if (flags === "help") return console.log(USAGE);
  const { model, out, dtype, lora, cache } = flags;
  log(`Exporting ${model} as ${dtype}`);
  const written = await exportOnnx(model, out, {
    dtype,
    ...(lora === undefined ? {} : { lora }),
    ...(cache === undefined ? {} : { cacheDir: cache }),
  });
  const how = written.shared ? "the same file as in the engine's cache" : "a file of their own";
  log(`Wrote ${written.model}; its weights, ${(written.bytes / 1e6).toFixed(1)} MB, are ${how}.`);
  log(`Load it with AutoModelForCausalLM.from_pretrained(${JSON.stringify(out)}, { dtype: "${dtype}" }).`);
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    console.error(error.message);
    Deno.exit(INPUT_ERROR_EXIT);
  }
}
