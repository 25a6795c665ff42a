import assert from "node:assert/strict";
import { prompt, withModel, worst } from "../engine/testing/with_checkpoint.ts";
import { captureMean } from "./capture.ts";
import { parsePosition } from "./position.ts";

const ids = [...prompt(6), 65, ...prompt(5, 3), 65, 66];
const text = { ids, promptTokens: 6 };

Deno.test("captureMean() gives the mean of what a forward pass captures, over the tokens of the position", async () => {
  await withModel({}, async (model) => {
    const sites = { components: ["residual", "mlp_out", "v"], layers: [0, 1] } as const;
    const { captured } = await model.forward(ids, { capture: ["residual.1", "mlp_out.0", "v.1"] });
    for (
      const [position, from, to] of [["response[:3]", 6, 9], ["prompt[-1]", 5, 6], [
        "all[:]",
        0,
        ids.length,
      ]] as const
    ) {
      const means = await captureMean(model, text, parsePosition(position), sites);
      assert.equal(means?.size, 6);
      for (const [name, all] of Object.entries(captured)) {
        const width = all.length / ids.length;
        const mean = Float32Array.from({ length: width }, (_, j) => {
          let sum = 0;
          for (let t = from; t < to; t++) sum += all[t * width + j]!;
          return sum / (to - from);
        });
        assert.ok(worst(mean, means!.get(name)!) < 1e-5, `${name} at ${position}`);
      }
    }
  });
});

Deno.test("captureMean() takes keys without their positions: the first layer's key of a token is the same anywhere", async () => {
  await withModel({}, async (model) => {
    const sites = { components: ["k"], layers: [0] } as const;
    const at = async (position: string) =>
      (await captureMean(model, text, parsePosition(position), sites))!.get("k.0")!;
    assert.ok(worst(await at("all[6]"), await at("all[12]")) < 1e-5);
    const { captured } = await model.forward(ids, { capture: ["k.0"] });
    const width = captured["k.0"]!.length / ids.length;
    const raw = (token: number) => captured["k.0"]!.slice(token * width, (token + 1) * width);
    assert.ok(worst(raw(6), raw(12)) > 0.1, "with their positions they differ");
  });
});

Deno.test("captureMean() gives null when the text has no token at the position", async () => {
  await withModel({}, async (model) => {
    const sites = { components: ["residual"], layers: [0] } as const;
    assert.equal(
      await captureMean(model, { ids: ids.slice(0, 6), promptTokens: 6 }, parsePosition("response"), sites),
      null,
    );
  });
});
