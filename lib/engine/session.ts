/**
 * onnxruntime sessions over models built in memory.
 * @module
 */
import { availableParallelism } from "node:os";
import type { InferenceSession } from "onnxruntime-node";
import type { ElementType, OnnxModel } from "./onnx_graph.ts";
import type { Device } from "./types.ts";

/** A tensor fed to a session. `data` may be longer than `dims` say: the rest is not read, and nothing is copied. */
export interface Feed {
  /** Element type, which `data` must match. */
  readonly type: ElementType;
  /** The elements. */
  readonly data: Float32Array | Int32Array | BigInt64Array | Uint8Array;
  /** Sizes, outermost first. */
  readonly dims: readonly number[];
}

/** A model ready to run. `run` is synchronous inside: it blocks the thread it is called on. */
export interface Session extends AsyncDisposable {
  /** Runs the model and gives the fetched float32 outputs by name. */
  run(
    feeds: Readonly<Record<string, Feed>>,
    fetches: readonly string[],
  ): Promise<Record<string, Float32Array>>;
}

/** Feeds float32 data. */
export function floats(data: Float32Array, ...dims: number[]): Feed {
  return { type: "float32", data, dims };
}

/** Feeds a yes or no. */
export function flag(value: boolean): Feed {
  return { type: "bool", data: Uint8Array.of(value ? 1 : 0), dims: [] };
}

/** Feeds integers as int64. */
export function longs(values: ArrayLike<number>, ...dims: number[]): Feed {
  return { type: "int64", data: BigInt64Array.from(values as number[], BigInt), dims };
}

/** Feeds integers as int32. */
export function ints(values: readonly number[], ...dims: number[]): Feed {
  return { type: "int32", data: Int32Array.from(values), dims };
}

/** Where a session runs. */
export interface SessionOptions {
  /** Cores to use; more than there are is slower, so it is cut to those. */
  readonly threads: number;
  /** What computes; operators that it lacks run on the CPU. */
  readonly device: Device;
}

/** Opens a session. @throws Error of onnxruntime, when the device is absent or the model unsound. */
export async function openSession(model: OnnxModel, options: SessionOptions): Promise<Session> {
  const { InferenceSession } = await import("onnxruntime-node");
  const session = await InferenceSession.create(model.bytes, {
    executionProviders: [options.device],
    externalData: model.externalData,
    intraOpNumThreads: Math.max(1, Math.min(options.threads, availableParallelism())),
    interOpNumThreads: 1,
    graphOptimizationLevel: "all",
    enableMemPattern: false, // a plan of memory would be kept for every length that was ever run
    logSeverityLevel: 3,
    extra: {
      session: {
        // Threads wait for the next node without sleeping, which is a tenth faster, but not between runs.
        intra_op: { allow_spinning: "1" },
        force_spinning_stop: "1",
        use_device_allocator_for_initializers: "1",
        ...(model.folder === undefined ? {} : { model_external_initializers_file_folder_path: model.folder }),
      },
    },
  });
  return {
    async run(feeds, fetches) {
      const inputs: Record<string, unknown> = {};
      for (const [name, feed] of Object.entries(feeds)) {
        // The binding takes plain objects; onnxruntime's Tensor class would refuse data longer than dims.
        inputs[name] = { ...feed, location: "cpu" };
      }
      const outputs = await session.run(inputs as InferenceSession.FeedsType, fetches);
      return Object.fromEntries(fetches.map((name) => [name, outputs[name]?.data as Float32Array]));
    },
    [Symbol.asyncDispose]: () => session.release(),
  };
}
