import assert from "node:assert/strict";
import { prompt, withModel, worst } from "./testing/with_checkpoint.ts";
import type { Steer } from "./types.ts";

Deno.test("steer() adds, ablates and clamps, and leaves no trace when it is over", async () => {
  await withModel({}, async (model) => {
    const ids = prompt(12);
    const capture = ["residual.0", "resid_mid.0", "mlp_out.0", "residual.1"];
    const before = await model.forward(ids, { capture });
    const vector = Float32Array.from({ length: 32 }, (_, i) => Math.sin(i + 1));
    const unit = vector.map((x) => x / Math.hypot(...vector));
    const along = (residual: Float32Array, t: number) =>
      unit.reduce((sum, x, i) => sum + x * (residual[t * 32 + i] as number), 0);
    const steered = async (changes: Partial<Steer>) => {
      const steer: Steer = {
        component: "residual",
        layer: 0,
        vector,
        coef: 1,
        mode: "add",
        phase: "all",
        ...changes,
      };
      using _handle = model.steer(steer);
      return await model.forward(ids, { capture });
    };
    const residual = before.captured["residual.0"] as Float32Array;
    const sum = (before.captured["resid_mid.0"] as Float32Array)
      .map((x, i) => x + ((before.captured["mlp_out.0"] as Float32Array)[i] as number));
    assert.deepEqual(residual, sum, "residual = resid_mid + mlp_out");
    assert.deepEqual(
      (await steered({ coef: 0 })).logits,
      before.logits,
      "a zero coefficient changes nothing",
    );
    assert.deepEqual(
      (await steered({ phase: "response" })).logits,
      before.logits,
      "no token is generated here",
    );
    const added = (await steered({ coef: 2 })).captured["residual.0"] as Float32Array;
    assert.ok(worst(added, residual.map((x, i) => x + 2 * (vector[i % 32] as number))) < 1e-5);
    const ablated = (await steered({ mode: "ablate" })).captured["residual.0"] as Float32Array;
    const clamped = (await steered({ mode: "clamp", coef: 3 })).captured["residual.0"] as Float32Array;
    for (let t = 0; t < ids.length; t++) {
      assert.ok(Math.abs(along(ablated, t)) < 1e-5);
      assert.ok(Math.abs(along(clamped, t) - 3) < 1e-5);
    }
    const last = (await steered({ phase: "last_prompt", coef: 2 })).captured["residual.0"] as Float32Array;
    assert.deepEqual(last.subarray(0, 11 * 32), residual.subarray(0, 11 * 32));
    assert.deepEqual(last.subarray(11 * 32), added.subarray(11 * 32));
    assert.deepEqual((await model.forward(ids, { capture })).logits, before.logits, "the handles are off");
  });
});
