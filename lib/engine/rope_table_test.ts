import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { parseConfig } from "./config.ts";
import { inverseFrequencies, lengthLimit, RopeTables } from "./rope_table.ts";

const casesSchema = z.array(z.object({
  config: z.record(z.string(), z.unknown()),
  length: z.int(),
  frequencies: z.array(z.number()),
  amplitude: z.number(),
}));

const file = fileURLToPath(new URL("./testing/fixtures/ropes.json", import.meta.url));
const cases = casesSchema.parse(JSON.parse(await Deno.readTextFile(file)));

Deno.test("inverseFrequencies() gives those of transformers for every kind of scaling", () => {
  const kinds = new Set<string>();
  for (const { config: json, length, frequencies, amplitude } of cases) {
    const { ropes: [rope], rotaryDim } = parseConfig(json, "c");
    assert.ok(rope);
    kinds.add(rope.scaling.type);
    const label = JSON.stringify(rope).slice(0, 100);
    const own = inverseFrequencies(rope, rotaryDim, length);
    assert.equal(own.length, frequencies.length, label);
    for (const [i, expected] of frequencies.entries()) {
      assert.ok(
        Math.abs((own[i] as number) / expected - 1) < 1e-6,
        `${label} ${i}: ${own[i]}, not ${expected}`,
      );
    }
    assert.ok(Math.abs(rope.amplitude - amplitude) < 1e-9, `${label}: ${rope.amplitude}, not ${amplitude}`);
  }
  assert.deepEqual([...kinds].sort(), ["default", "linear", "llama3", "longrope", "yarn"]);
});

Deno.test("RopeTables.feeds() grows with positions, and tells short sequences from long ones", () => {
  const json = cases.find(({ length }) => length === 513)?.config;
  const config = parseConfig(json, "c");
  assert.equal(lengthLimit(config, 512), 512);
  assert.equal(lengthLimit(config, 513), 4096);
  const tables = new RopeTables(config);
  const cosines = (positions: number, length?: number) => tables.feeds(positions, length)["cos.0"];
  const [short, long] = [cosines(10), cosines(10, 600)];
  assert.deepEqual(short?.dims, [1024, 24]);
  assert.ok(short.data[0] === long?.data[0] && short.data[24] !== long?.data[24]);
  const more = cosines(3000);
  assert.deepEqual(more?.dims, [3000, 24]);
  assert.deepEqual(more.data.slice(0, 1024 * 24), long?.data);
  assert.deepEqual(cosines(4000)?.dims, [4096, 24]);
});
