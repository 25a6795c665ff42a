import assert from "node:assert/strict";
import { join } from "node:path";
import { z } from "zod";
import { inFolder } from "../base/testing/in_folder.ts";
import { keptValues } from "./kept_values.ts";

const schema = z.strictObject({ n: z.number() });

Deno.test("keptValues() finds again what was kept, whatever a killed process left behind", () =>
  inFolder(async (folder) => {
    const path = join(folder, "sub", "kept.jsonl");
    const first = await keptValues(path, "value", schema);
    await first.put("a", { n: 1 });
    await Deno.writeTextFile(path, '{"key":"b","value":{"n":', { append: true });
    const second = await keptValues(path, "value", schema);
    assert.equal(second.get("b"), undefined);
    await second.put("b", { n: 2 });
    await Deno.writeTextFile(path, '{"key":"c","value":{"m":3}}\n5\nnull\n', { append: true });
    const third = await keptValues(path, "value", schema);
    assert.deepEqual(["a", "b", "c"].map((key) => third.get(key)), [{ n: 1 }, { n: 2 }, undefined]);
  }));

Deno.test("keptValues() keeps in memory without a file, and says when it cannot write one", () =>
  inFolder(async (folder) => {
    const memory = await keptValues(null, "value", schema);
    await memory.put("a", { n: 1 });
    assert.deepEqual(memory.get("a"), { n: 1 });
    await Deno.writeTextFile(join(folder, "file"), "");
    const kept = await keptValues(join(folder, "file", "kept.jsonl"), "value", schema).catch((error) =>
      error
    );
    const problem = kept instanceof Error
      ? kept
      : await kept.put("a", { n: 1 }).catch((error: Error) => error);
    assert.equal(problem.name, "InputError");
  }));
