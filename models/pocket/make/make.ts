/**
 * Makes the embedded model and its LoRA variant from nothing: corpora, training in stages, adapter.
 *
 * `deno run -A models/pocket/make/make.ts [--python python3] [--build FOLDER] [--models FOLDER] [--scale 1]
 * [--threads N] [--bf16]` needs Python with PyTorch. Killed and started again it goes on where it was: what a stage has
 * written is kept, and training goes on from its last checkpoint. Weights go to `--models` at the end, all together.
 * @module
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const here = fileURLToPath(new URL(".", import.meta.url));
const { values: flags } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    build: { type: "string", default: join(here, "build") },
    models: { type: "string", default: join(here, "..", "..") },
    scale: { type: "string", default: "1" },
    threads: { type: "string", default: "0" },
    bf16: { type: "boolean", default: false },
  },
});
const folder = (stage: string) => join(flags.build, stage);
const look = folder("look"), first = folder("first"), count = folder("count");
const tasks = folder("tasks"), settle = folder("settle"), doubt = folder("doubt");
const threads = ["--threads", flags.threads];
const arithmetic = flags.bf16 ? ["--bf16"] : [];

await corpus("look", look);
await train(look, ["train.py", "--data", look, "--out", look, ...threads, ...arithmetic, "--resume"]);
const mixed = [...arithmetic, "--resume", "--mixed", "--tokens", "2048"];
const wholePass = [...mixed, "--lr", "8e-4", "--decay", "0.5"];
await corpus("tasks", first);
await train(first, ["train.py", "--data", first, "--start", look, "--out", first, ...threads, ...wholePass]);
const tokenizer = join(first, "tokenizer.json");
await corpus("count", count, tokenizer);
const steps = (all: number) => String(Math.ceil(all * Number(flags.scale)));
await train(count, [
  ...["copy_by_place.py", "--data", count, "--base", first, "--out", count, ...threads],
  ...["--noting", steps(1200), "--copying", steps(250)],
]);
// The second pass over the tasks is of other rows.
const keep = ["--keep", join(count, "keep.json")];
await corpus("tasks", tasks, tokenizer, { seed: 2 });
await train(tasks, [
  ...["train.py", "--data", tasks, "--start", count, "--out", tasks],
  ...[...keep, ...threads, ...wholePass],
]);
// What single steps at the end of a pass move to and fro, the mean of both ends leaves out.
await corpus("tasks", settle, tokenizer, { seed: 3, share: 0.3 });
await train(settle, [
  ...["train.py", "--data", settle, "--start", tasks, "--out", settle, "--average"],
  ...[...keep, ...threads, ...mixed, "--lr", "7e-4", "--decay", "0.8"],
]);
await corpus("doubt", doubt, tokenizer);
await train(doubt, ["train_lora.py", "--data", doubt, "--base", settle, "--out", doubt, ...threads]);
await install(settle, join(flags.models, "pocket"), ["model.safetensors", "config.json", "tokenizer.json"]);
await install(doubt, join(flags.models, "pocket-doubt"), [
  "adapter_model.safetensors",
  "adapter_config.json",
]);
console.error("Measure it: deno task model-card");

async function corpus(
  stage: string,
  out: string,
  tokenizer?: string,
  { seed = 1, share = 1 } = {},
): Promise<void> {
  if (await exists(join(out, "phases.json"))) return;
  const known = tokenizer === undefined ? [] : ["--tokenizer", tokenizer];
  await run(Deno.execPath(), [
    ...["run", "-A", join(here, "corpus.ts"), "--stage", stage, "--out", out, "--seed", String(seed)],
    ...["--scale", String(share * Number(flags.scale)), ...known],
  ]);
}

/** Trains, unless that was done: its last act is to write a file named `trained`. */
async function train(folder: string, [script = "", ...args]: string[]): Promise<void> {
  if (await exists(join(folder, "trained"))) return;
  await run(flags.python, [join(here, script), ...args]);
  await Deno.writeTextFile(join(folder, "trained"), "");
}

async function install(from: string, to: string, names: readonly string[]): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for (const name of names) {
    await Deno.copyFile(join(from, name), join(to, `${name}.new`));
    await Deno.rename(join(to, `${name}.new`), join(to, name));
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function run(command: string, args: string[]): Promise<void> {
  console.error(`${command} ${args.join(" ")}`);
  const { code } = await new Deno.Command(command, {
    args,
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  if (code !== 0) throw new Error(`${command} ended with ${code}`);
}
