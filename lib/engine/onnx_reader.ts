/**
 * Reads as much of an ONNX file as changing its graph takes: the nodes; everything else is kept as it is.
 * Field numbers are those of onnx.proto3.
 * @module
 */
import { InputError } from "../base/errors.ts";
import { ProtoWriter } from "./protobuf.ts";

const GRAPH = 7;
const INPUT = 11;
const OUTPUT = 12;
const FLOAT32 = 1;
const NODE = { input: 1, output: 2, op: 4 } as const;

/** One field of a message, as it lies in the file. */
interface Field {
  readonly number: number;
  /** The whole field, its tag included. */
  readonly raw: Uint8Array;
  /** The contents of a length-delimited field. */
  readonly value: Uint8Array;
  /** The value of a varint field. */
  readonly int: number;
}

/** An input or output of a graph. */
export interface OnnxValue {
  /** Its name. */
  readonly name: string;
  /** ONNX code of its elements' type; 1 is float32. */
  readonly type: number;
  /** Its dimensions: a number, or the name of one that is known only at run time. */
  readonly dims: readonly (number | string)[];
}

/** A node of a graph. Its inputs and outputs may be changed. */
export interface OnnxNode {
  /** Operator, without its domain. */
  readonly op: string;
  /** Names of what it reads; empty where an optional input is left out. */
  inputs: string[];
  /** Names of what it makes; empty where an optional output is left out. */
  outputs: string[];
  /** Its other fields. */
  readonly rest: readonly Uint8Array[];
}

/** An ONNX file taken apart. */
export interface OnnxFile {
  /** The graph's nodes in their order. */
  readonly nodes: OnnxNode[];
  /** The graph's other fields: weights, inputs, outputs. */
  readonly graph: Uint8Array[];
  /** Its inputs. */
  readonly inputs: readonly OnnxValue[];
  /** Its outputs. */
  readonly outputs: readonly OnnxValue[];
  /** The model's other fields. */
  readonly model: readonly Uint8Array[];
}

/** Takes an ONNX file apart. Weights in it are referred to, not copied. @throws {InputError} when it is unsound. */
export function readOnnx(bytes: Uint8Array, path: string): OnnxFile {
  const bad = (reason: string) =>
    new InputError(`${path} is not a sound ONNX file: ${reason}. Fetch or export it again.`);
  const model: Uint8Array[] = [];
  const graph: Uint8Array[] = [];
  const nodes: OnnxNode[] = [];
  const inputs: OnnxValue[] = [];
  const outputs: OnnxValue[] = [];
  let graphs = 0;
  for (const field of fields(bytes, bad)) {
    if (field.number !== GRAPH) model.push(field.raw);
    else {
      graphs++;
      for (const inner of fields(field.value, bad)) {
        if (inner.number === 1) nodes.push(readNode(inner.value, bad));
        else graph.push(inner.raw);
        if (inner.number === INPUT) inputs.push(readValue(inner.value, bad));
        if (inner.number === OUTPUT) outputs.push(readValue(inner.value, bad));
      }
    }
  }
  if (graphs === 0) throw bad("it has no graph");
  return { nodes, graph, inputs, outputs, model };
}

/** Adds the nodes and inputs of another model, which has no weights. */
export function addOnnx(file: OnnxFile, other: Uint8Array): void {
  const added = readOnnx(other, "a part of a graph");
  file.nodes.push(...added.nodes);
  file.graph.push(...added.graph.filter(([tag = 0]) => tag >> 3 === INPUT));
}

/** Makes a float32 tensor of whatever shape an output. */
export function addOutput(file: OnnxFile, name: string): void {
  const tensor = new ProtoWriter().message(1, new ProtoWriter().int(1, FLOAT32));
  const value = new ProtoWriter().string(1, name).message(2, tensor);
  file.graph.push(new ProtoWriter().message(OUTPUT, value).finish());
}

/** Puts a file together again. */
export function writeOnnx({ nodes, graph, model }: Pick<OnnxFile, "nodes" | "graph" | "model">): Uint8Array {
  const body = new ProtoWriter();
  for (const node of nodes) {
    const proto = new ProtoWriter();
    for (const input of node.inputs) proto.string(NODE.input, input);
    for (const output of node.outputs) proto.string(NODE.output, output);
    for (const field of node.rest) proto.raw(field);
    body.message(1, proto.string(NODE.op, node.op));
  }
  for (const field of graph) body.raw(field);
  const out = new ProtoWriter();
  for (const field of model) out.raw(field);
  return out.message(GRAPH, body).finish();
}

function readNode(bytes: Uint8Array, bad: (reason: string) => Error): OnnxNode {
  const decoder = new TextDecoder();
  const inputs: string[] = [];
  const outputs: string[] = [];
  const rest: Uint8Array[] = [];
  let op = "";
  for (const { number, raw, value } of fields(bytes, bad)) {
    if (number === NODE.input) inputs.push(decoder.decode(value));
    else if (number === NODE.output) outputs.push(decoder.decode(value));
    else if (number === NODE.op) op = decoder.decode(value);
    else rest.push(raw);
  }
  return { op, inputs, outputs, rest };
}

function readValue(bytes: Uint8Array, bad: (reason: string) => Error): OnnxValue {
  const decoder = new TextDecoder();
  const inside = (part: Uint8Array, number: number) =>
    [...fields(part, bad)].filter((field) => field.number === number);
  const name = inside(bytes, 1).map(({ value }) => decoder.decode(value)).join();
  const [tensor] = inside(bytes, 2).flatMap(({ value }) => inside(value, 1));
  const type = tensor === undefined ? 0 : inside(tensor.value, 1)[0]?.int ?? 0;
  const dims = tensor === undefined
    ? []
    : inside(tensor.value, 2).flatMap(({ value }) => inside(value, 1)).map(({ value }) => {
      const [dim] = fields(value, bad);
      return dim?.number === 1 ? dim.int : decoder.decode(dim?.value);
    });
  return { name, type, dims };
}

/** The fields of a message, checked against its end. */
function* fields(bytes: Uint8Array, bad: (reason: string) => Error): Generator<Field> {
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let i = 0; i < 10; i++) {
      const byte = bytes[at++];
      if (byte === undefined) throw bad("it is cut short");
      value += (byte & 127) * 2 ** (7 * i);
      if (byte < 128) return value;
    }
    throw bad("a number in it has no end");
  };
  while (at < bytes.length) {
    const start = at;
    const tag = varint();
    const [number, wire] = [Math.floor(tag / 8), tag % 8];
    let from = at;
    let int = 0;
    if (wire === 0) int = varint();
    else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else if (wire === 2) {
      const length = varint();
      from = at;
      at += length;
    } else throw bad(`it has a field of the unknown kind ${wire}`);
    if (at > bytes.length) throw bad("it is cut short");
    yield { number, raw: bytes.subarray(start, at), value: bytes.subarray(from, at), int };
  }
}
