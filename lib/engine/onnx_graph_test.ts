import assert from "node:assert/strict";
import { OnnxGraph } from "./onnx_graph.ts";
import { floats, openSession } from "./session.ts";

Deno.test("OnnxGraph.build() gives a model that onnxruntime runs with its weights", async () => {
  const graph = new OnnxGraph();
  graph.input("x", "float32", ["rows", 2]);
  const weight = Float32Array.of(1, 2, 3, 4, 5, 6); // [3, 2]
  const product = graph.node("ms:FusedMatMul", ["x", graph.weight("w", [3, 2], weight)], {
    transB: 1,
    alpha: { float: 0.5 },
  });
  const [first, rest] = graph.split(product, [1, 2], 1) as [string, string];
  graph.nodes("Concat", [rest, first], ["y"], { axis: 1 });
  graph.output("y", "float32", ["rows", 3]);
  await using session = await openSession(graph.build(), { threads: 1, device: "cpu" });
  weight.fill(0); // the session keeps its own copy
  const x = floats(Float32Array.of(1, 1, 2, 0, 99, 99), 2, 2); // longer than its dims
  const { y } = await session.run({ x }, ["y"]);
  assert.deepEqual([...y as Float32Array], [3.5, 5.5, 1.5, 3, 5, 1]);
});
