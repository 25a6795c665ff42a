import assert from "node:assert/strict";
import { InputError } from "../base/errors.ts";
import { createRandom } from "../base/random.ts";
import { OnnxGraph } from "./onnx_graph.ts";
import { addOutput, readOnnx, writeOnnx } from "./onnx_reader.ts";

function small(): Uint8Array {
  const graph = new OnnxGraph();
  graph.input("x", "float32", ["rows", 2]);
  graph.nodes("ms:SkipSimplifiedLayerNormalization", [
    "x",
    "x",
    graph.weight("w", [2], Float32Array.of(1, 2)),
  ], [
    "y",
    "",
    "",
    "sum",
  ], { epsilon: { float: 0.5 } });
  graph.output("y", "float32", ["rows", 2]);
  return graph.build().bytes;
}

Deno.test("readOnnx() takes a model apart and writeOnnx() puts it together", () => {
  const file = readOnnx(small(), "m.onnx");
  assert.deepEqual(file.inputs, [{ name: "x", type: 1, dims: ["rows", 2] }]);
  assert.deepEqual(file.outputs, [{ name: "y", type: 1, dims: ["rows", 2] }]);
  const { op, inputs, outputs } = file.nodes[0] ?? assert.fail();
  assert.deepEqual([op, inputs, outputs], ["SkipSimplifiedLayerNormalization", ["x", "x", "w"], [
    "y",
    "",
    "",
    "sum",
  ]]);
  addOutput(file, "sum");
  const again = readOnnx(writeOnnx(file), "m.onnx");
  assert.deepEqual(again.nodes, file.nodes);
  assert.deepEqual(again.outputs.map(({ name, type }) => [name, type]), [["y", 1], ["sum", 1]]);
});

Deno.test("readOnnx() reads damaged files or refuses them, and nothing else", () => {
  const sound = small();
  const random = createRandom("damage");
  let refused = 0;
  for (let round = 0; round < 3000; round++) {
    const bytes = sound.slice(0, random.int(4) === 0 ? random.int(sound.length) : sound.length);
    for (let i = random.int(4); i > 0; i--) bytes[random.int(bytes.length)] = random.int(256);
    try {
      readOnnx(bytes, "m.onnx");
    } catch (error) {
      assert.ok(error instanceof InputError, String(error));
      refused++;
    }
  }
  assert.ok(refused > 500 && refused < 3000, String(refused));
});
