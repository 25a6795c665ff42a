import assert from "node:assert/strict";
import { loadDecoder } from "./mod.ts";
import { parseConfig } from "./config.ts";
import { Runner } from "./runner.ts";
import { prompt, withCheckpoint, withModel } from "./testing/with_checkpoint.ts";

Deno.test("selfTest() passes, says what it tested, and counts for nothing", async () => {
  for (const biases of [false, true]) {
    await withModel({ biases, layers: 3 }, async (model) => {
      const tests = await model.selfTest();
      assert.equal(tests.length, 4);
      assert.match(tests.join("; "), /residual = resid_mid \+ mlp_out/);
      assert.equal((await model.stats()).prefilledTokens, 0);
      await model.forward(prompt(5), { capture: ["residual.0"] });
      assert.equal((await model.stats()).prefilledTokens, 5);
    });
  }
  await withCheckpoint({}, async (dir) => {
    await using model = await loadDecoder(dir);
    assert.equal((await model.selfTest()).length, 4);
  });
});

Deno.test("selfTest() fails for a graph that does not compute what it says", async () => {
  await withCheckpoint({}, async (dir) => {
    const config = parseConfig(JSON.parse(await Deno.readTextFile(`${dir}/config.json`)), dir);
    await using runner = await Runner.open(config, dir, { threads: 1, device: "cpu", dtype: "fp32" });
    const { prefill, decode } = runner;
    let calls = 0;
    runner.prefill = async (...given) => {
      const result = await prefill.apply(runner, given);
      if (++calls === 2) result.logits[3] = (result.logits[3] as number) + 1e-6;
      return result;
    };
    await assert.rejects(
      runner.test("prefill"),
      /InputError: .*fails its self-test: steering a prompt by zero/,
    );
    runner.prefill = async (...given) => {
      const result = await prefill.apply(runner, given);
      const residual = result.captured["residual.1"];
      if (residual) residual[0] = (residual[0] as number) * 1.001;
      return result;
    };
    await assert.rejects(runner.test("prefill"), /InputError: .*residual\.1 is not resid_mid\.1/);
    runner.prefill = prefill;
    calls = 0;
    runner.decode = async (...given) => {
      const result = await decode.apply(runner, given);
      if (++calls === 3 && result.logits) result.logits[0] = NaN;
      return result;
    };
    await assert.rejects(runner.test("decode"), /InputError: .*edit of keys and values by zero/);
  });
});
