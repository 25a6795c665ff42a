/**
 * Builds an ONNX model in memory: nodes in execution order, small constants inline, weights as external data.
 * Field numbers are those of onnx.proto3.
 * @module
 */
import { ProtoWriter } from "./protobuf.ts";
import { aligned } from "./region_file.ts";

/** Tensor element types we use, with their ONNX codes. */
export const ELEMENT_TYPES = { bool: 9, float32: 1, uint8: 2, int32: 6, int64: 7 } as const;

/** Name of a tensor element type. */
export type ElementType = keyof typeof ELEMENT_TYPES;

/** A tensor dimension: a number, or a name for one that is known only at run time. */
export type Dimension = number | string;

/** Attributes of a node. Integers are written as `int`; wrap numbers meant as `float` in `{ float }`. */
export type Attributes = Readonly<
  Record<string, number | { readonly float: number } | Subgraph | readonly number[]>
>;

/** A graph inside an attribute. */
export interface Subgraph {
  /** A GraphProto. */
  readonly graph: ProtoWriter;
}

/** Bytes of a file that onnxruntime maps into memory itself. */
export interface FileRegion {
  /** Folder of the file; the same for all regions of a graph. */
  readonly folder: string;
  /** Name of the file in it. */
  readonly file: string;
  /** First byte. */
  readonly offset: number;
  /** Number of bytes. */
  readonly bytes: number;
}

/** An ONNX model and the weights it refers to by name. */
export interface OnnxModel {
  /** The serialised ModelProto. */
  readonly bytes: Uint8Array;
  /** Folder that its stored weights lie in; undefined when it has none. */
  readonly folder: string | undefined;
  /** Contents of its external data files: what lies in a file from an offset on. */
  readonly externalData: { readonly path: string; readonly offset: number; readonly data: Uint8Array }[];
}

const IR_VERSION = 10;
const OPSET = 21;
const MICROSOFT = "com.microsoft";
const EXTERNAL = 1;
const ATTRIBUTE = { float: 1, int: 2, graph: 5, ints: 7 } as const;

/** A graph under construction. Tensor names are unique; nodes must be added after what they read. */
export class OnnxGraph {
  readonly #nodes: ProtoWriter[] = [];
  readonly #inputs = new Map<string, ProtoWriter>();
  readonly #outputs: ProtoWriter[] = [];
  readonly #initializers = new Map<string, ProtoWriter>();
  readonly #weights = new Map<string, { readonly dims: readonly number[]; readonly data: Uint8Array }>();
  #folder: string | undefined;
  readonly #dataFile: string | undefined;
  #counter = 0;
  /** Of a branch: the graph around it, what its names begin with, and the names it has made. */
  #outer: OnnxGraph | undefined;
  #mark = "";
  readonly #own = new Set<string>();

  /**
   * An empty graph.
   *
   * @param dataFile name of a file for all weights, each at a multiple of 64 bytes; a file for each unless given.
   */
  constructor(dataFile?: string) {
    this.#dataFile = dataFile;
  }

  /** Declares a graph input, unless it is declared already, and gives its name. */
  input(name: string, type: ElementType, dims: readonly Dimension[]): string {
    if (this.#outer !== undefined) return this.#outer.input(name, type, dims);
    if (!this.#inputs.has(name)) this.#inputs.set(name, valueInfo(name, type, dims));
    return name;
  }

  /** Declares a tensor that a node makes as a graph output. */
  output(name: string, type: ElementType, dims: readonly Dimension[]): void {
    this.#outputs.push(valueInfo(this.#resolve(name), type, dims));
  }

  /** A constant 1-D int64 tensor (a shape, axes), shared by all that ask for the same values. */
  ints(values: readonly number[]): string {
    if (this.#outer !== undefined) return this.#outer.ints(values);
    const name = `ints_${values.join("_")}`;
    if (!this.#initializers.has(name)) {
      const raw = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
      this.#initializers.set(name, tensor(name, "int64", [values.length]).bytes(9, raw));
    }
    return name;
  }

  /** A weight `dims`, kept outside the ModelProto and never copied; but inside it beside stored weights. */
  weight(name: string, dims: readonly number[], data: Float32Array): string {
    if (this.#outer !== undefined) return this.#outer.weight(name, dims, data);
    if (!this.#weights.has(name)) {
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      this.#weights.set(name, { dims, data: bytes });
    }
    return name;
  }

  /** A weight that lies in a file; onnxruntime maps it into memory when the session is opened. */
  stored(name: string, type: ElementType, dims: readonly number[], region: FileRegion): string {
    if (this.#initializers.has(name)) return name;
    const { folder, file, offset, bytes } = region;
    this.#folder ??= folder;
    this.#initializers.set(name, external(tensor(name, type, dims), file, offset, bytes));
    return name;
  }

  /**
   * Adds a node with one output and gives the output's name (a fresh one unless `name` is given).
   * Operators of onnxruntime's own domain are written `ms:GroupQueryAttention`.
   * An empty input name leaves an optional input out.
   */
  node(op: string, inputs: readonly string[], attributes: Attributes = {}, name?: string): string {
    const output = name ?? this.#fresh();
    this.nodes(op, inputs, [output], attributes);
    return output;
  }

  /** Adds a node with the named outputs. An empty output name leaves an optional output out. */
  nodes(
    op: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Attributes = {},
  ): void {
    const proto = new ProtoWriter();
    for (const input of inputs) proto.string(1, this.#resolve(input));
    if (this.#outer !== undefined) { for (const output of outputs) this.#own.add(output); }
    for (const output of outputs) proto.string(2, this.#resolve(output));
    const own = op.startsWith("ms:");
    proto.string(4, own ? op.slice(3) : op);
    for (const [key, value] of Object.entries(attributes)) proto.message(5, attribute(key, value));
    if (own) proto.string(7, MICROSOFT);
    this.#nodes.push(proto);
  }

  /** Splits `input` along `axis` in pieces of fixed sizes. */
  split(input: string, sizes: readonly number[], axis: number): string[] {
    const outputs = sizes.map(() => this.#fresh());
    this.nodes("Split", [input, this.ints(sizes)], outputs, { axis });
    return outputs;
  }

  /** Gives `input` another shape; -1 is inferred, 0 is kept. */
  reshape(input: string, shape: readonly number[], name?: string): string {
    return this.node("Reshape", [input, this.ints(shape)], {}, name);
  }

  /**
   * An empty branch for {@linkcode OnnxGraph.either}. It reads what this graph has made before; what it makes itself
   * is not seen outside. Its inputs and constants are those of this graph.
   *
   * @param mark put before the names of its tensors, so that no name is used twice.
   */
  branch(mark: string): OnnxGraph {
    const branch = new OnnxGraph();
    branch.#outer = this;
    branch.#mark = mark;
    return branch;
  }

  /** Runs the first branch when `condition` is true and the second otherwise; their outputs get these names. */
  either(condition: string, branches: readonly [OnnxGraph, OnnxGraph], outputs: readonly string[]): void {
    const [taken, other] = branches.map((branch) => ({ graph: branch.#proto() }));
    this.nodes("If", [condition], outputs, {
      then_branch: taken as Subgraph,
      else_branch: other as Subgraph,
    });
  }

  /** Nodes and outputs alone. */
  #proto(): ProtoWriter {
    const graph = new ProtoWriter();
    for (const node of this.#nodes) graph.message(1, node);
    graph.string(2, this.#mark === "" ? "decoder" : this.#mark);
    for (const output of this.#outputs) graph.message(12, output);
    return graph;
  }

  #fresh(): string {
    return this.#outer === undefined ? `t${this.#counter++}` : this.#outer.#fresh();
  }

  #resolve(name: string): string {
    return this.#own.has(name) && name !== "" ? this.#mark + name : name;
  }

  /** The finished model. */
  build(): OnnxModel {
    const graph = this.#proto();
    for (const initializer of this.#initializers.values()) graph.message(5, initializer);
    const externalData: OnnxModel["externalData"] = [];
    let end = 0;
    for (const [name, { dims, data }] of this.#weights) {
      const proto = tensor(name, "float32", dims);
      // onnxruntime takes weights from files or from memory, not from both.
      if (this.#folder !== undefined) graph.message(5, proto.bytes(9, data));
      else {
        const [path, offset] = this.#dataFile === undefined ? [name, 0] : [this.#dataFile, aligned(end)];
        graph.message(5, external(proto, path, offset, data.length));
        externalData.push({ path, offset, data });
        end = offset + data.length;
      }
    }
    for (const input of this.#inputs.values()) graph.message(11, input);
    const model = new ProtoWriter().int(1, IR_VERSION).string(2, "probebook").message(7, graph)
      .message(8, new ProtoWriter().string(1, "").int(2, OPSET))
      .message(8, new ProtoWriter().string(1, MICROSOFT).int(2, 1));
    return { bytes: model.finish(), folder: this.#folder, externalData };
  }
}

function tensor(name: string, type: ElementType, dims: readonly number[]): ProtoWriter {
  const proto = new ProtoWriter();
  for (const dim of dims) proto.int(1, dim);
  return proto.int(2, ELEMENT_TYPES[type]).string(8, name);
}

/** Says where the contents of a tensor lie. */
function external(proto: ProtoWriter, location: string, offset: number, length: number): ProtoWriter {
  proto.int(14, EXTERNAL);
  for (const [key, value] of Object.entries({ location, offset, length })) {
    proto.message(13, new ProtoWriter().string(1, key).string(2, String(value)));
  }
  return proto;
}

function valueInfo(name: string, type: ElementType, dims: readonly Dimension[]): ProtoWriter {
  const shape = new ProtoWriter();
  for (const dim of dims) {
    const proto = new ProtoWriter();
    shape.message(1, typeof dim === "number" ? proto.int(1, dim) : proto.string(2, dim));
  }
  const tensorType = new ProtoWriter().int(1, ELEMENT_TYPES[type]).message(2, shape);
  return new ProtoWriter().string(1, name).message(2, new ProtoWriter().message(1, tensorType));
}

function attribute(name: string, value: Attributes[string]): ProtoWriter {
  const proto = new ProtoWriter().string(1, name);
  if (typeof value === "number") return proto.int(3, value).int(20, ATTRIBUTE.int);
  if ("graph" in value) return proto.message(6, value.graph).int(20, ATTRIBUTE.graph);
  if ("float" in value) return proto.float(2, value.float).int(20, ATTRIBUTE.float);
  for (const item of value) proto.int(8, item);
  return proto.int(20, ATTRIBUTE.ints);
}
