/**
 * What onnxruntime can compute on here.
 * @module
 */
import { InputError, messageOf } from "../base/errors.ts";
import { OnnxGraph } from "./onnx_graph.ts";
import { floats, openSession } from "./session.ts";
import type { Device } from "./types.ts";

/** What each device takes beside onnxruntime-node. */
const NEEDS: Readonly<Record<Exclude<Device, "cpu">, string>> = {
  webgpu: "a graphics card with a Vulkan driver (libvulkan.so.1 on Linux), Metal or Direct3D 12",
  cuda:
    "an NVIDIA card, its driver, CUDA 12 with cuDNN 9, and onnxruntime's CUDA library, which npm does not bring: " +
    "it is put beside onnxruntime-node's binding by its install script",
};

/**
 * Runs one addition on a device.
 *
 * @throws {InputError} when the device cannot be used here, naming what it takes and onnxruntime's own words.
 */
export async function checkDevice(device: Device): Promise<void> {
  if (device === "cpu") return;
  const graph = new OnnxGraph();
  graph.input("x", "float32", ["n"]);
  graph.nodes("Add", ["x", "x"], ["y"]);
  graph.output("y", "float32", ["n"]);
  try {
    await using session = await openSession(graph.build(), { threads: 1, device });
    const { y } = await session.run({ x: floats(Float32Array.of(1, 2), 2) }, ["y"]);
    if (y?.join() !== "2,4") throw new Error(`1 + 1 and 2 + 2 gave ${y?.join()}`);
  } catch (cause) {
    const reason = messageOf(cause).split("\n")[0]?.slice(-200);
    throw new InputError(
      `The device ${JSON.stringify(device)} cannot be used on this machine: ${reason}. It takes ${
        NEEDS[device]
      }. ` +
        'Use device "cpu", which every machine has.',
      { cause },
    );
  }
}
