/**
 * LoRA adapters (Hu et al. 2021, arXiv:2106.09685) in PEFT's layout: `W x + scale B (A x)` for chosen linear layers.
 * They run beside the weights, which may be quantised, or are merged into them.
 * @module
 */
import { join } from "node:path";
import { InputError } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";
import { readJson, type WeightReader } from "./checkpoint.ts";
import type { DecoderConfig } from "./config.ts";
import type { LinearLayers } from "./linear.ts";
import { parseLoraConfig } from "./lora_config.ts";
import type { OnnxGraph } from "./onnx_graph.ts";
import { hashFile } from "./region_file.ts";
import { readSafetensorsHeader, readTensor, type TensorEntry } from "./safetensors.ts";

const CONFIG = "adapter_config.json";
const WEIGHTS = "adapter_model.safetensors";
const HEAD = "lm_head";
const EMBEDDING = "model.embed_tokens";

/** What an adapter adds to one linear layer. */
export interface LoraDelta {
  /** Rows of A and columns of B. */
  readonly rank: number;
  /** `[rank, inputs]` */
  readonly a: Float32Array;
  /** `[outputs, rank]`, scaled. */
  readonly b: Float32Array;
}

/** An adapter that was checked against its base. */
export class LoraAdapter {
  /** Its folder. */
  readonly dir: string;
  /** SHA-256 of its weights and settings: equal for adapters that do the same. */
  readonly hash: string;
  /** What it adds, by the name of the layer in the base. */
  readonly deltas: ReadonlyMap<string, LoraDelta>;

  /** Holds what {@linkcode loadLora} read. */
  constructor(dir: string, hash: string, deltas: ReadonlyMap<string, LoraDelta>) {
    this.dir = dir;
    this.hash = hash;
    this.deltas = deltas;
  }

  /**
   * Adds the side branch of linear layers that share an input: two small products, whatever number of the layers
   * the adapter changes. B is then laid out in blocks, zero where a layer meets another's A.
   *
   * @param input `[tokens, columns]`
   * @returns the name of what is to be added to their output, or undefined where the adapter does nothing.
   */
  addBranch(graph: OnnxGraph, input: string, { modules, rows, columns }: LinearLayers): string | undefined {
    const parts = modules.flatMap((module, i) => {
      const delta = this.deltas.get(module);
      const first = rows.slice(0, i).reduce((sum, n) => sum + n, 0);
      return delta === undefined ? [] : [{ delta, first, count: rows[i] as number }];
    });
    if (parts.length === 0) return undefined;
    const rank = parts.reduce((sum, { delta }) => sum + delta.rank, 0);
    const total = rows.reduce((sum, n) => sum + n, 0);
    const a = new Float32Array(rank * columns);
    const b = new Float32Array(total * rank);
    let at = 0;
    for (const { delta, first, count } of parts) {
      a.set(delta.a, at * columns);
      for (let row = 0; row < count; row++) {
        const own = delta.b.subarray(row * delta.rank, (row + 1) * delta.rank);
        b.set(own, (first + row) * rank + at);
      }
      at += delta.rank;
    }
    const name = modules.join("|");
    const inner = graph.node(
      "ms:FusedMatMul",
      [input, graph.weight(`${name}.lora_a`, [rank, columns], a)],
      { transB: 1 },
    );
    return graph.node("ms:FusedMatMul", [inner, graph.weight(`${name}.lora_b`, [total, rank], b)], {
      transB: 1,
    });
  }

  /**
   * Adds the adapter into weights as they are read from now on.
   *
   * @throws {InputError} when it changes an output head that is the embedding too.
   */
  mergeInto(weights: WeightReader): void {
    if (this.deltas.has(EMBEDDING)) {
      throw new InputError(
        `${this.dir} changes lm_head, which is the embedding in its base: ` +
          "it cannot be merged, only run beside the weights.",
      );
    }
    weights.adjust((tensor, data) => {
      const delta = this.deltas.get(tensor.replace(/\.weight$/, ""));
      if (delta !== undefined) addDelta(data, delta);
    });
  }
}

/**
 * Reads a PEFT adapter folder (adapter_config.json, adapter_model.safetensors) and checks it against its base.
 *
 * `fan_in_fan_out` is passed over, as PEFT does for the linear layers of these models.
 *
 * @param weights those of the base.
 * @throws {InputError} for unsound files, kinds of adapters the engine does not run, and adapters of another base:
 * layers the base lacks, layers the adapter lacks, other shapes.
 */
export async function loadLora(
  dir: string,
  config: Pick<DecoderConfig, "tied">,
  weights: WeightReader,
): Promise<LoraAdapter> {
  const configPath = join(dir, CONFIG);
  const json = await readJson(configPath);
  if (json === undefined) {
    throw new InputError(
      `There is no ${configPath}: give the folder of a PEFT LoRA adapter, with ${CONFIG} and ${WEIGHTS}.`,
    );
  }
  const targetOf = parseLoraConfig(json, configPath);
  const path = join(dir, WEIGHTS);
  const tensors = await readSafetensorsHeader(path);
  for (const name of await copiesOfBase(tensors, weights, path)) tensors.delete(name);
  const pairs = pairUp(tensors, path);
  const linear = linearShapes(weights, config.tied);
  for (const module of linear.keys()) {
    if (targetOf(module) !== undefined && !pairs.has(module)) {
      throw new InputError(
        `${configPath} targets ${module} [${
          linear.get(module)
        }] of the base, but ${WEIGHTS} has nothing for it: ` +
          "the adapter was made for another base, or is incomplete.",
      );
    }
  }
  const deltas = new Map<string, LoraDelta>();
  for (const [module, { a, b }] of pairs) {
    const shapes = `A [${a.shape}] and B [${b.shape}]`;
    const base = linear.get(module);
    if (base === undefined) {
      throw new InputError(
        `${path} changes ${module} with ${shapes}, but the base has no such linear layer: give the base it was made for.`,
      );
    }
    const target = targetOf(module);
    const [rank = 0, inputs] = a.shape;
    const [outputs] = b.shape;
    if (outputs !== base[0] || inputs !== base[1] || b.shape[1] !== rank) {
      throw new InputError(
        `${path} changes ${module} with ${shapes}, but the base has [${base}] there, which takes A [r,${
          base[1]
        }] ` +
          `and B [${base[0]},r]: give the base the adapter was made for.`,
      );
    }
    if (target?.rank !== rank) {
      throw new InputError(
        `${path} changes ${module} with rank ${rank}; ${CONFIG} says ${
          target === undefined ? "that it does not" : `rank ${target.rank}`
        }. The two files do not belong together.`,
      );
    }
    const [down, up] = [await readTensor(`${module}.lora_A`, a), await readTensor(`${module}.lora_B`, b)];
    if (!down.every(Number.isFinite) || !up.every(Number.isFinite)) {
      throw new InputError(`${path} holds numbers that are not finite for ${module}: fetch it again.`);
    }
    const name = module === HEAD && config.tied ? EMBEDDING : module;
    deltas.set(name, { rank, a: down, b: up.map((x) => x * target.scale) });
  }
  const hash = sha256((await hashFile(path)).sha256 + JSON.stringify(json));
  return new LoraAdapter(dir, hash, deltas);
}

/**
 * Names of the base's own weights in an adapter file: PEFT saves them along with an adapter of the output head.
 *
 * @throws {InputError} when they are not the same as in the base.
 */
async function copiesOfBase(
  tensors: ReadonlyMap<string, TensorEntry>,
  weights: WeightReader,
  path: string,
): Promise<string[]> {
  const copies: string[] = [];
  for (const [name, entry] of tensors) {
    const module = /^base_model\.model\.(.+?)(?:\.base_layer)?\.weight$/.exec(name)?.[1] ?? "";
    if (module !== HEAD && module !== EMBEDDING) continue;
    const source = `${weights.shapes.has(`${module}.weight`) ? module : EMBEDDING}.weight`;
    const shape = weights.shapes.get(source);
    const [rows = 0, columns = 0] = entry.shape;
    const same = shape?.join() === entry.shape.join() && equal(
      await readTensor(name, entry),
      await weights.read([source], [rows], columns),
    );
    if (!same) {
      throw new InputError(
        `${path} brings weights of its own for ${module} [${entry.shape}]; the base has others [${shape}], and the ` +
          "engine does not replace them: give the base the adapter was made for, or merge the two with PEFT.",
      );
    }
    copies.push(name);
  }
  weights.release();
  return copies;
}

function equal(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((x, i) => x === b[i]);
}

/** The two matrices of each layer an adapter file has. */
function pairUp(
  tensors: ReadonlyMap<string, TensorEntry>,
  path: string,
): Map<string, { readonly a: TensorEntry; readonly b: TensorEntry }> {
  const halves = new Map<string, { a?: TensorEntry; b?: TensorEntry }>();
  for (const [name, entry] of tensors) {
    const match = /^base_model\.model\.(.+)\.lora_([AB])(?:\.default)?\.weight$/.exec(name);
    if (match === null || entry.shape.length !== 2) {
      throw new InputError(
        `${path} holds ${
          JSON.stringify(name.slice(0, 200))
        } [${entry.shape}]; the engine runs LoRA on linear layers, ` +
          "base_model.model.LAYER.lora_A.weight [rank, inputs] and lora_B.weight [outputs, rank].",
      );
    }
    const [, module, half] = match as unknown as [string, string, "A" | "B"];
    halves.set(module, { ...halves.get(module), [half === "A" ? "a" : "b"]: entry });
  }
  const pairs = new Map<string, { a: TensorEntry; b: TensorEntry }>();
  for (const [module, { a, b }] of halves) {
    if (a === undefined || b === undefined) {
      throw new InputError(`${path} has only one of lora_A and lora_B for ${module}: fetch it again.`);
    }
    pairs.set(module, { a, b });
  }
  if (pairs.size === 0) throw new InputError(`${path} changes no layer: it is no LoRA adapter.`);
  return pairs;
}

/** Shapes `[outputs, inputs]` of the linear layers of a base, by name. */
function linearShapes(weights: WeightReader, tied: boolean): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  for (const [tensor, shape] of weights.shapes) {
    const module = tensor.replace(/\.weight$/, "");
    if (module !== tensor && shape.length === 2 && module !== EMBEDDING) shapes.set(module, shape);
  }
  const embedding = weights.shapes.get(`${EMBEDDING}.weight`);
  if (tied && embedding !== undefined) shapes.set(HEAD, embedding);
  return shapes;
}

/** Adds B A to a matrix `[outputs, inputs]`; each row is summed in float64. */
function addDelta(matrix: Float32Array, { rank, a, b }: LoraDelta): void {
  const columns = a.length / rank;
  const sum = new Float64Array(columns);
  for (let row = 0; row * columns < matrix.length; row++) {
    sum.fill(0);
    for (let k = 0; k < rank; k++) {
      const factor = b[row * rank + k] as number;
      for (let x = 0; x < columns; x++) (sum[x] as number) += factor * (a[k * columns + x] as number);
    }
    for (let x = 0; x < columns; x++) (matrix[row * columns + x] as number) += sum[x] as number;
  }
}
