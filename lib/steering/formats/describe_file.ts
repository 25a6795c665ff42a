/**
 * What a file of vectors holds, for people.
 * @module
 */
import { InputError } from "../../base/errors.ts";
import { norm } from "../steering_vector.ts";
import { type LayerConvention, readControlVectors, readGgufFile } from "./control_vectors.ts";
import { isTensor, readTorchFile, type TorchTensor, type TorchValue } from "./torch_file.ts";
import { readVector } from "./vector_file.ts";

/** Lines about one file at most. */
const MAX_LINES = 200;

/**
 * Reads a `.safetensors` vector of ours, a `.gguf` control vector or a `.pt` file, and says what is in it: sizes, lengths,
 * first numbers, metadata. Nothing in the file is executed.
 *
 * @param convention what N of a control vector's `direction.N` means; its blocks are not named when it is null.
 * @throws {InputError} when the file is not sound or of another kind.
 */
export async function describeVectorFile(path: string, convention: LayerConvention | null): Promise<string> {
  const lines = path.endsWith(".gguf")
    ? await ggufLines(path, convention)
    : path.endsWith(".pt") || path.endsWith(".pth")
    ? torchLines(await readTorchFile(path), "")
    : path.endsWith(".safetensors")
    ? await vectorLines(path)
    : null;
  if (lines === null) {
    throw new InputError(`${path} is of no kind that is read: .safetensors, .gguf and .pt are.`);
  }
  const more = lines.length > MAX_LINES ? [`... and ${lines.length - MAX_LINES} more`] : [];
  return [path, ...lines.slice(0, MAX_LINES), ...more].join("\n");
}

async function ggufLines(path: string, convention: LayerConvention | null): Promise<string[]> {
  const { version, metadata, tensors } = await readGgufFile(path);
  const values = [...metadata].map(([key, value]) => {
    const text = JSON.stringify(value);
    return `  ${key} = ${text.length > 100 ? `${text.slice(0, 100)}...` : text}`;
  });
  const directions = [...tensors].map(([name, { shape, data }]) => numbersLine(name, "float32", shape, data));
  const read = convention === null
    ? [
      "Which blocks these are for is not in the file: say who wrote it with --gguf repeng, llama.cpp or easysteer.",
    ]
    : [
      `Counted as ${convention} does, they are for the outputs of the blocks ${
        (await readControlVectors(path, { convention, position: "prompt[-1]" })).map(({ layer }) => layer)
          .join(" ")
      }.`,
    ];
  return [
    `GGUF version ${version}, ${metadata.size} values, ${tensors.size} tensors`,
    ...values,
    ...directions,
    ...read,
  ];
}

async function vectorLines(path: string): Promise<string[]> {
  const { component, layer, position, method, scale, vector, metadata } = await readVector(path);
  return [
    `${method} at ${component}.${layer} ${position}, length ${
      scale.toPrecision(9)
    } before it was brought to 1`,
    ...Object.entries(metadata).map(([key, value]) => `  ${key} = ${value}`),
    numbersLine("vector", "float32", [vector.length], vector),
  ];
}

function torchLines(value: TorchValue, name: string): string[] {
  if (isTensor(value)) return [tensorLine(name === "" ? "tensor" : name, value)];
  const inside = (key: string | number) => name === "" ? `${key}` : `${name}.${key}`;
  if (value instanceof Map) return [...value].flatMap(([key, item]) => torchLines(item, inside(key)));
  if (Array.isArray(value)) return value.flatMap((item: TorchValue, i) => torchLines(item, inside(i)));
  return [`${name} = ${JSON.stringify(value)}`];
}

function tensorLine(name: string, { dtype, shape, stride, storageElements, data }: TorchTensor): string {
  return `${numbersLine(name, dtype, shape, data)}; strides [${
    stride.join(", ")
  }] in ${storageElements} elements`;
}

function numbersLine(name: string, dtype: string, shape: readonly number[], data: ArrayLike<number>): string {
  const first = Array.from(
    { length: Math.min(4, data.length) },
    (_, i) => (data[i] as number).toPrecision(9),
  );
  return `${name}: ${dtype} [${shape.join(", ")}], length ${norm(data).toPrecision(9)}, ${first.join(" ")}${
    data.length > 4 ? " ..." : ""
  }`;
}
