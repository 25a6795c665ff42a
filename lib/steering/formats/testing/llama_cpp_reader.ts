/**
 * llama.cpp's own reader of control vectors, where its libraries are: `PROBEBOOK_LLAMA_CPP` names their folder (the
 * one with `libllama-common.so`, such as that of npm's node-llama-cpp). It is C++; what is laid out here by hand are the
 * vector and string of libstdc++ on 64-bit Linux.
 * @module
 */
import { join } from "node:path";

/** What it read. */
export interface LlamaControlVector {
  /** Width of the directions; -1 when it refused the file. */
  readonly width: number;
  /** `direction.1` and on, one after the other; zeros where there is none. */
  readonly data: Float32Array;
}

const SYMBOL = "_Z26common_control_vector_loadRKSt6vectorI31common_control_vector_load_infoSaIS0_EE";

/** Reads a file as llama.cpp does, or gives null where llama.cpp is not installed. */
export function readAsLlamaCpp(path: string): LlamaControlVector | null {
  const folder = Deno.env.get("PROBEBOOK_LLAMA_CPP");
  if (folder === undefined) return null;
  const library = Deno.dlopen(join(folder, "libllama-common.so"), {
    [SYMBOL]: { parameters: ["buffer", "buffer"], result: "pointer" },
  });
  try {
    const name = new TextEncoder().encode(`${path}\0`);
    const info = new DataView(new ArrayBuffer(40)); // float strength, string (pointer, length, capacity)
    info.setFloat32(0, 1, true);
    info.setBigUint64(8, addressOf(name), true);
    info.setBigUint64(16, BigInt(name.length - 1), true);
    info.setBigUint64(24, BigInt(name.length - 1), true);
    const infoBytes = new Uint8Array(info.buffer);
    const begin = addressOf(infoBytes);
    const list = new BigUint64Array([begin, begin + 40n, begin + 40n]);
    const result = new DataView(new ArrayBuffer(32)); // int width, vector of float (begin, end, capacity)
    library.symbols[SYMBOL](new Uint8Array(result.buffer), new Uint8Array(list.buffer));
    const [from, to] = [result.getBigUint64(8, true), result.getBigUint64(16, true)];
    const data = Deno.UnsafePointer.create(from);
    const width = result.getInt32(0, true);
    if (data === null) return { width, data: new Float32Array() };
    return {
      width,
      data: new Float32Array(Deno.UnsafePointerView.getArrayBuffer(data, Number(to - from)).slice(0)),
    };
  } finally {
    library.close();
  }
}

function addressOf(bytes: Uint8Array<ArrayBuffer>): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
}
