/**
 * Measures the engine beside @huggingface/transformers and llama.cpp, on the same random weights, contenders in turn:
 *
 *     deno run -A bench/engine.ts [--shape smollm2-135m] [--dtype fp32,q8,q4] [--rounds 3] [--scale 1]
 *       [--workloads "W1 1024,W2"] [--without transformers,llama.cpp] [--llama DIR] [--threads N] [--cache DIR]
 *       [--time wall|cpu] [--write bench/README.md]
 *
 * `--llama DIR` names a folder in which `npm install node-llama-cpp@3.22.1 --ignore-scripts` was run; llama.cpp is
 * left out without. `--time cpu` counts processor time, for a machine that is busy otherwise; with one thread alone it
 * means what time means. Every contender is a process of its own, so that its peak memory can be told.
 * @module
 */
import { availableParallelism, cpus, homedir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { TextLineStream } from "./lines.ts";
import { z } from "zod";
import { exportOnnx } from "../lib/engine/export_onnx.ts";
import { SHAPES, writeCheckpoint, writeGguf } from "./checkpoint.ts";
import { type Contender, type Dtype, serve, workloads } from "./contender.ts";
import { openOurs } from "./ours.ts";
import { openTransformers } from "./transformers.ts";

const NAMES = ["ours", "transformers", "llama.cpp"] as const;
type Name = typeof NAMES[number];

/** Ratios to reach: time of the peer over ours. */
const FLOORS: Readonly<
  Record<string, { readonly llama: Readonly<Record<Dtype, number>>; readonly hf: number }>
> = {
  "W1 1024": { llama: { fp32: 4, q8: 2.8, q4: 1 }, hf: 1.05 },
  "W1 4096": { llama: { fp32: 4, q8: 2.8, q4: 1.6 }, hf: 1 },
  "W1b": { llama: { fp32: 6, q8: 4, q4: 2.5 }, hf: 1.6 },
  "W2": { llama: { fp32: 2.9, q8: 2.6, q4: 1.9 }, hf: 7 },
  "W3": { llama: { fp32: 4.7, q8: 4.5, q4: 2.6 }, hf: 8 },
};

const flags = parseArgs({
  args: Deno.args,
  options: {
    shape: { type: "string", default: "smollm2-135m" },
    dtype: { type: "string", default: "fp32,q8,q4" },
    rounds: { type: "string", default: "3" },
    scale: { type: "string", default: "1" },
    workloads: { type: "string", default: "" },
    without: { type: "string", default: "" },
    llama: { type: "string", default: "" },
    threads: { type: "string", default: String(availableParallelism()) },
    time: { type: "string", default: "wall" },
    cache: { type: "string", default: join(homedir(), ".cache", "probebook", "bench") },
    write: { type: "string", default: "" },
    child: { type: "string", default: "" },
  },
}).values;
const shape = SHAPES[flags.shape];
if (shape === undefined) {
  throw new Error(`Unknown shape ${flags.shape}: there are ${Object.keys(SHAPES).join(", ")}.`);
}
const chosen = workloads(shape.vocabulary, Number(flags.scale)).filter(({ name }) =>
  flags.workloads === "" || flags.workloads.split(",").includes(name)
);
const threads = Number(flags.threads);

/** What a child says: that it has loaded, how long a workload took, or what it held at most. */
const replySchema = z.object({ ms: z.number(), cpu: z.number(), peak: z.number().nullable() });

async function open(name: Name, dtype: Dtype): Promise<Contender> {
  const cache = flags.cache;
  const dir = join(cache, flags.shape);
  if (name === "ours") return await openOurs({ model: dir, dtype, threads });
  return await openTransformers({ model: join(cache, `${flags.shape}-onnx`), dtype, threads });
}

class Child implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  peak: number | null = null;

  constructor(name: Name, dtype: Dtype) {
    const entry = (file: string) => new URL(file, import.meta.url).href;
    const process = new Deno.Command(Deno.execPath(), {
      ...(name === "llama.cpp"
        ? {
          // Outside this project's configuration, so that the packages beside it are found.
          args: ["run", "-A", "--quiet", "--no-config", "--node-modules-dir=manual", entry("llama_cpp.ts")]
            .concat(
              [flags.llama, join(flags.cache, flags.shape, `model-${dtype}.gguf`), flags.threads],
              [String(shape?.vocabulary), flags.scale],
            ),
          cwd: flags.llama,
        }
        : {
          args: ["run", "-A", "--quiet", entry("engine.ts"), "--child", name, "--dtype", dtype].concat(
            (["shape", "scale", "threads", "cache"] as const).flatMap((key) => [`--${key}`, flags[key]]),
          ),
        }),
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#process = process;
    this.#input = process.stdin.getWriter();
    this.#lines = process.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
      .getReader();
  }

  /** Milliseconds of what was asked last. */
  async ms(): Promise<number> {
    const { value, done } = await this.#lines.read();
    if (done) throw new Error(`A contender ended with ${(await this.#process.status).code}.`);
    const { ms, cpu, peak } = replySchema.parse(JSON.parse(value));
    this.peak = peak;
    return flags.time === "cpu" ? cpu : ms;
  }

  async run(workload: string, round: number): Promise<number> {
    await this.#input.write(new TextEncoder().encode(`${workload}\t${round}\n`));
    return await this.ms();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close();
    await this.#process.status;
  }
}

async function prepare(names: readonly Name[], dtypes: readonly Dtype[]): Promise<void> {
  const dir = await writeCheckpoint(flags.cache, flags.shape);
  for (const dtype of dtypes) {
    if (names.includes("llama.cpp")) await writeGguf(flags.cache, flags.shape, dtype);
    const out = join(flags.cache, `${flags.shape}-onnx`);
    const file = { fp32: "model.onnx", q8: "model_quantized.onnx", q4: "model_q4.onnx" }[dtype];
    const there = await Deno.stat(join(out, "onnx", file)).then(() => true, () => false);
    if (names.includes("transformers") && !there) await exportOnnx(dir, out, { dtype });
  }
}

async function compare(): Promise<void> {
  const without = flags.without.split(",");
  const names = NAMES.filter((name) =>
    !without.includes(name) && (name !== "llama.cpp" || flags.llama !== "")
  );
  const dtypes = flags.dtype.split(",") as Dtype[];
  await prepare(names, dtypes);
  const lines: string[] = [];
  const print = (line: string) => {
    lines.push(line);
    console.log(line);
  };
  const peers = names.filter((name) => name !== "ours");
  print(
    `| weights | workload | ${names.join(" | ")} | ${
      peers.map((name) => `vs ${name} (floor)`).join(" | ")
    } |`,
  );
  print(`|---|---|${"---|".repeat(names.length + peers.length)}`);
  const memory: string[] = [];
  for (const dtype of dtypes) {
    await using stack = new AsyncDisposableStack();
    const children = new Map<Name, Child>();
    const loads = new Map<Name, number>();
    for (const name of names) {
      const child = stack.use(new Child(name, dtype));
      children.set(name, child);
      loads.set(name, await child.ms());
    }
    for (const { name: workload, tokens } of chosen) {
      const times = new Map<Name, number[]>(names.map((name) => [name, []]));
      for (let round = 0; round < Number(flags.rounds); round++) {
        for (const name of names) {
          times.get(name)?.push(await (children.get(name) as Child).run(workload, round));
        }
      }
      const median = (name: Name) => {
        const sorted = (times.get(name) as number[]).toSorted((a, b) => a - b);
        return sorted[Math.floor(sorted.length / 2)] as number;
      };
      const speed = (name: Name) =>
        `${Math.round((tokens.prompt + tokens.drawn) / median(name) * 1000)} tok/s (${
          (median(name) / 1000).toFixed(2)
        } s)`;
      const floors = FLOORS[workload];
      const ratios = peers.map((name) => {
        const floor = name === "transformers" ? floors?.hf : floors?.llama[dtype];
        return `${(median(name) / median("ours")).toFixed(2)}${floor === undefined ? "" : ` (${floor})`}`;
      });
      print(`| ${dtype} | ${workload} | ${[...names.map(speed), ...ratios].join(" | ")} |`);
    }
    for (const [name, child] of children) {
      const seconds = ((loads.get(name) as number) / 1000).toFixed(1);
      const peak = child.peak === null ? "unknown" : `${Math.round(child.peak / 2 ** 20)} MiB`;
      memory.push(`| ${dtype} | ${name} | ${seconds} s | ${peak} |`);
    }
  }
  print("");
  print("| weights | contender | loaded in | peak memory |\n|---|---|---|---|");
  for (const line of memory) print(line);
  if (flags.write !== "") await Deno.writeTextFile(flags.write, readme(lines));
}

function readme(lines: readonly string[]): string {
  const { model = "an unknown processor" } = cpus()[0] ?? {};
  const given = Deno.args.filter((arg, i) =>
    !/^--(write|cache|llama)/.test(arg) && !/^--(write|cache|llama)$/.test(Deno.args[i - 1] ?? "")
  );
  return `# Benchmarks

\`\`\`
deno run -A bench/engine.ts ${given.join(" ")}${
    flags.llama === "" ? "" : " --llama DIR"
  } --write bench/README.md
\`\`\`

Weights: random, in the shape \`${flags.shape}\`. Machine: ${threads} threads of ${model.trim()}, ${Deno.build.os}, Deno
${Deno.version.deno}. Medians of ${flags.rounds} rounds, contenders in turn, each in a process of its own. tok/s counts
every prompt and drawn token of the workload as if nothing were shared, so that reuse shows as speed. A ratio is the
peer's time over ours; the floor it must reach stands beside it.

${chosen.map(({ name, what }) => `- **${name}**: ${what}.`).join("\n")}

llama.cpp stands here as node-llama-cpp 3.22.1 (its own CPU build, flash attention, prompt cache; the keys and values
of a prefix are copied to each of its sequences); @huggingface/transformers runs an export of ours with
GroupQueryAttention and cached prefixes, one sample after another.

${lines.join("\n")}
`;
}

if (flags.child !== "") await serve(() => open(flags.child as Name, flags.dtype as Dtype), chosen);
else await compare();
