import assert from "node:assert/strict";
import { checkDevice } from "./device.ts";
import { loadDecoder } from "./mod.ts";
import { withCheckpoint } from "./testing/with_checkpoint.ts";

Deno.test("checkDevice() accepts the CPU, and others only where they compute", async () => {
  await checkDevice("cpu");
  for (const device of ["webgpu", "cuda"] as const) {
    const error = await checkDevice(device).then(() => undefined, (reason) => reason);
    if (error === undefined) continue; // this machine has one
    assert.match(
      String(error),
      new RegExp(`^InputError: The device "${device}" cannot be used .* It takes .*"cpu"`),
    );
  }
});

Deno.test("loadDecoder() refuses a device that does not exist", async () => {
  await withCheckpoint({}, async (dir) => {
    await assert.rejects(loadDecoder(dir, { device: "abacus" as "cpu" }), /InputError: .*device/s);
  });
});
