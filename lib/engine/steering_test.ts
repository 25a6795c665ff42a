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

Deno.test("steer() lets several act one after another, at any site, and projects out a whole span", async () => {
  await withModel({}, async (model) => {
    const ids = prompt(9);
    const d = 32;
    const wave = (k: number) => Float32Array.from({ length: d }, (_, i) => Math.sin(k * i + k) + 0.5);
    for (const component of ["residual", "attn_out", "mlp_out"] as const) {
      const site = `${component}.1`;
      const plain = (await model.forward(ids, { capture: [site] })).captured[site] as Float32Array;
      const run = async (steer: Steer[]) =>
        (await model.forward(ids, { capture: [site], steer })).captured[site] as Float32Array;
      const base = { component, layer: 1, phase: "all" } as const;
      const steers: Steer[] = [
        { ...base, mode: "ablate", coef: 1, vector: wave(1) },
        { ...base, mode: "add", coef: 2, vector: wave(2) },
        { ...base, mode: "clamp", coef: 3, vector: wave(3), phase: "last_prompt" },
        { ...base, mode: "ablate", coef: 0.5, vector: wave(4) },
      ];
      const expected = Float64Array.from(plain);
      for (const { mode, coef, vector, phase } of steers) {
        const length = mode === "add" ? 1 : Math.hypot(...vector);
        for (let t = phase === "last_prompt" ? ids.length - 1 : 0; t < ids.length; t++) {
          const row = expected.subarray(t * d, (t + 1) * d);
          const along = row.reduce((sum, x, i) => sum + x * (vector[i] as number) / length, 0);
          const by = mode === "add" ? coef : mode === "ablate" ? -coef * along : coef - along;
          for (const [i, x] of vector.entries()) row[i] = (row[i] as number) + by * x / length;
        }
      }
      assert.ok(worst(await run(steers), Float32Array.from(expected)) < 1e-4, component);

      // The third direction lies in the span of the first two.
      const rows = [wave(1), wave(2), wave(1).map((x, i) => x - 2 * (wave(2)[i] as number))];
      const vector = Float32Array.from(rows.flatMap((row) => [...row]));
      const left = await run([{ ...base, mode: "ablate", coef: 1, vector }]);
      for (let t = 0; t < ids.length; t++) {
        for (const row of rows) {
          const along = row.reduce((sum, x, i) => sum + x * (left[t * d + i] as number), 0);
          assert.ok(Math.abs(along) < 1e-4, `${component}: ${along} is left`);
        }
      }
    }
    const wrong = {
      component: "residual",
      layer: 0,
      coef: 1,
      phase: "all",
      vector: new Float32Array(64).fill(1),
    } as const;
    assert.throws(() => model.steer({ ...wrong, mode: "add" }), /InputError: .*64 numbers/);
    assert.throws(
      () => model.steer({ ...wrong, mode: "ablate", component: "v" as "residual" }),
      /InputError: .*attn_out/,
    );
  });
});
