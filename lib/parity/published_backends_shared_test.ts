/** Published label tables give the published statistics. Skipped where the shared data is absent. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { comparePublished } from "./compare_published.ts";

const DATA = new URL("../../../shared/data/parity/", import.meta.url);
const absent = await Deno.stat(DATA).then(() => false, () => true);
if (absent) {
  console.log("published_backends_shared_test: skipped, no ../shared/data/parity beside the repository");
}

const Golden = z.object({
  sets: z.record(z.string(), z.record(z.string(), z.record(z.string(), z.unknown()))),
});
const path = (name: string) => {
  const file = name.startsWith("direct_pairs") ? name : `labels_api_vs_local_${name}`;
  return fileURLToPath(new URL(`${file}.csv`, DATA));
};

Deno.test({
  name: "comparePublished() gives every published number of every table, as text and JSON",
  ignore: absent,
  async fn() {
    const golden = Golden.parse(
      JSON.parse(await Deno.readTextFile(new URL("golden_backend_stats.json", DATA))),
    );
    const results = await Deno.makeTempDir();
    try {
      assert.ok(Object.keys(golden.sets).length >= 3);
      for (const [name, parts] of Object.entries(golden.sets)) {
        const { json, text, files } = await comparePublished(path(name), { results });
        const onDisk = JSON.parse(await Deno.readTextFile(files["statistics"] ?? ""));
        assert.deepEqual(onDisk, json);
        const written = onDisk as Record<string, Record<string, unknown>>;
        for (const [part, numbers] of Object.entries(parts)) {
          for (const [key, value] of Object.entries(numbers)) {
            assert.deepEqual(written[part]?.[key], value, `${name} ${part} ${key}`);
            const shown = [value].flat().map((n) =>
              Number.isInteger(n) && !/_p$|kappa|agreement/.test(key) ? String(n) : Number(n).toFixed(6)
            );
            for (const number of shown) {
              assert.ok(text.includes(number), `${name} ${part} ${key} is not in the text`);
            }
          }
        }
      }
    } finally {
      await Deno.remove(results, { recursive: true });
    }
  },
});

Deno.test({
  name: "comparePublished() judges the published tables: labels agree where parsed, too many are not parsed",
  ignore: absent,
  async fn() {
    const results = await Deno.makeTempDir();
    try {
      const { json } = await comparePublished(path("GPT_OSS_20B_n1000"), { results });
      const verdict = z.object({
        outcome: z.string(),
        criteria: z.array(z.object({ name: z.string(), outcome: z.string() })),
      }).parse(json["verdict"]);
      assert.equal(verdict.outcome, "fail");
      assert.deepEqual(verdict.criteria.map(({ name, outcome }) => `${name} ${outcome}`), [
        "agreement pass",
        "similarity not measured",
        "parsed api fail",
        "parsed local fail",
        "same_prompt not measured",
      ]);
    } finally {
      await Deno.remove(results, { recursive: true });
    }
  },
});
