/** Published traits are read with the published numbers of lines. Skipped where the shared data is absent. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { listTraits, readTrait } from "./traits.ts";

const folder = fileURLToPath(new URL("../../../shared/data/steering/", import.meta.url));
const ignore = !existsSync(folder);
if (ignore) console.log(`skipped: no published traits in ${folder}`);

const golden = z.object({
  counts: z.object({
    "trait-interp lines (positive, negative)": z.record(z.string(), z.tuple([z.number(), z.number()])),
    "trait-interp steering questions": z.record(z.string(), z.number()),
  }),
});

Deno.test("readTrait() reads the published traits whole", { ignore }, async () => {
  const { counts } = golden.parse(JSON.parse(await Deno.readTextFile(join(folder, "golden.json"))));
  const traits = join(folder, "trait-interp");
  const lines = counts["trait-interp lines (positive, negative)"];
  assert.deepEqual(await listTraits({ traits }), Object.keys(lines).sort());
  for (const [name, [positive, negative]] of Object.entries(lines)) {
    const trait = await readTrait(name, { traits });
    assert.deepEqual([trait.positive.length, trait.negative.length], [positive, negative]);
    assert.equal(trait.steering?.questions.length, counts["trait-interp steering questions"][name]);
    assert.ok(trait.definition.length > 0);
  }
});
