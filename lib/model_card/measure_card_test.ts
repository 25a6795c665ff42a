import assert from "node:assert/strict";
import { loadVariants } from "../backends/variants.ts";
import { measureCard } from "./measure_card.ts";
import { measureLora } from "./lora_section.ts";
import { measureParity } from "./parity_section.ts";
import { measureSplice } from "./splice_section.ts";

const variants = await loadVariants();
async function withResults<T>(work: (results: string) => Promise<T>): Promise<T> {
  const results = await Deno.makeTempDir();
  try {
    return await work(results);
  } finally {
    await Deno.remove(results, { recursive: true });
  }
}

Deno.test("measureCard() measures every setting, and leaves out sections whose variant there is not", async () => {
  const said: string[] = [];
  const known = new Map([["simulated", { ...variants.get("simulated"), trainedWindow: 1024 }]]);
  const sections = await withResults((results) =>
    measureCard({
      model: "simulated",
      variants: known as unknown as typeof variants,
      results,
      scale: 0.1,
      only: ["niah", "longmemeval", "repeated-words", "splice", "parity"],
      log: (line) => void said.push(line),
    })
  );
  assert.deepEqual(sections.map(({ name }) => name), ["niah", "longmemeval", "repeated-words", "splice"]);
  assert.ok(said.includes("parity: not measured, there is no variant simulated-harmony"));
  for (const { rows, columns, claims } of sections) {
    assert.ok(rows.length > 0 && claims.length > 0);
    for (const { measures } of rows) {
      assert.equal(measures.length, columns.length - 1);
      for (const { estimate, low, high } of measures) assert.ok(low <= estimate && estimate <= high);
    }
  }
  const niah = sections[0];
  assert.equal(niah?.rows.length, 5);
  assert.equal(niah?.rows[0]?.measures.length, 8);
  assert.match(niah?.rows[0]?.measures[0]?.text ?? "", /^\d+\/10 \(/); // two trials within the window
  assert.match(niah?.rows[0]?.measures[7]?.text ?? "", /^[0-5]\/5 \(/); // one beyond
});

Deno.test("measureCard() refuses names that are no sections", async () => {
  await assert.rejects(
    () => measureCard({ model: "pocket", variants, results: ".", only: ["niahh"] }),
    /--only names "niahh", which is no section: niah, longmemeval/,
  );
});

Deno.test("measureSplice() finds planted anchors, and that the simulated model is right without a hint", async () => {
  const { rows, claims } = await withResults((results) =>
    measureSplice({ model: "simulated-anchors", results, scale: 0.4 })
  );
  assert.equal(rows.length, 5);
  assert.ok((rows[0]?.measures[0]?.estimate ?? 0) > 0.7);
  assert.ok((rows[2]?.measures[1]?.estimate ?? 0) > (rows[3]?.measures[1]?.estimate ?? 1));
  assert.equal(claims[2]?.holds, true);
});

Deno.test("measureParity() measures each policy with both variants", async () => {
  const { rows, claims } = await withResults((results) =>
    measureParity({ model: "simulated", harmony: "simulated-refuses", results, scale: 0.05 })
  );
  assert.equal(rows.length, 6);
  const right = (i: number) => rows[i]?.measures[1]?.estimate ?? -1;
  assert.ok(right(0) > 0.8, "the simulated variant knows the labels");
  assert.equal(right(1), 0, "one that refuses says none");
  assert.deepEqual(claims.map(({ holds }) => holds), [false, false, true]);
});

Deno.test("measureLora() finds that one variant knows less than the other", async () => {
  const { rows, claims } = await withResults((results) =>
    measureLora({ model: "simulated", lora: "simulated-refuses", results, scale: 1 })
  );
  assert.equal(rows[1]?.measures[0]?.estimate, 0);
  assert.ok((rows[0]?.measures[0]?.estimate ?? 0) > 0.5);
  assert.equal(claims[0]?.holds, false, "refusing is not doubting");
});

Deno.test("measureLora() shows that pocket-doubt abstains where pocket answers, and copies no worse", async () => {
  const { rows } = await withResults((results) =>
    measureLora({ model: "pocket", lora: "pocket-doubt", results, scale: 0.15 })
  );
  const [pocket, doubt] = rows.map(({ measures }) => measures.map(({ estimate }) => estimate));
  assert.deepEqual(pocket?.slice(0, 2), [1, 0]);
  assert.deepEqual(doubt?.slice(0, 2), [0, 1]);
  assert.ok(Number(doubt?.[2]) >= Number(pocket?.[2]), `${doubt?.[2]}, without it ${pocket?.[2]}`);
});
