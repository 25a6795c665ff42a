import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { inFolder } from "../base/testing/in_folder.ts";
import {
  discover,
  listExperiments,
  listFoundTraits,
  listFoundVariants,
  placesOf,
  readPlacedVector,
} from "./discover.ts";
import { encodeTorch, pickle as p } from "./formats/testing/write_torch.ts";
import { writeVector } from "./formats/vector_file.ts";
import { layoutPath, type LayoutPlace, type PlaceOf } from "./layout.ts";
import { unitVector } from "./steering_vector.ts";

const vectorPlace: PlaceOf<"vector_file"> = {
  kind: "vector_file",
  experiment: "e",
  trait: "a/b",
  variant: "base",
  position: "response[:5]",
  component: "residual",
  method: "probe",
  layer: 3,
};

async function touch(path: string, text = ""): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeTextFile(path, text);
}

Deno.test("discover() finds every place that was built, and nothing else", async () => {
  await inFolder(async (results) => {
    const { kind: _, method, layer, component, ...run } = vectorPlace;
    const files: LayoutPlace[] = [
      vectorPlace,
      { ...vectorPlace, layer: 4, trait: "c" },
      { kind: "steering_results_file", ...run, variant: "instruct", promptSet: "steering" },
      {
        kind: "steering_response_file",
        ...run,
        promptSet: "other",
        component,
        method,
        layers: [layer, 9],
        coef: 1.5,
        time: new Date(5),
      },
    ];
    for (const place of files) await touch(layoutPath(place, { results }));
    await touch(
      join(layoutPath({ kind: "raw", experiment: "e", variant: "x", promptSet: "set" }, { results }), "1"),
    );
    await touch(join(results, "e", "extraction", "c", "notes.txt"));
    await touch(join(results, "other", "file"));
    await Deno.symlink("/", join(results, "e", "extraction", "link"));
    const found = await discover("e", { results });
    for (const place of files) {
      assert.ok(found.some((one) => one.path === layoutPath(place, { results })), layoutPath(place));
      assert.deepEqual(found.find((one) => one.path === layoutPath(place, { results }))?.place, place);
    }
    assert.deepEqual(found.filter(({ place }) => place.kind.endsWith("_file")).length, files.length);
    assert.deepEqual(placesOf(found, "vectors").map(({ place }) => place.trait), ["a/b", "c"]);
    assert.deepEqual(placesOf(found, "raw").map(({ place }) => place.promptSet), ["set"]);
    assert.deepEqual(listFoundTraits(found), ["a/b", "c"]);
    assert.deepEqual(listFoundVariants(found), ["base", "instruct", "x"]);
    assert.deepEqual(await listExperiments({ results }), ["e"]);
    assert.deepEqual(await discover("absent", { results }), []);
    assert.deepEqual(await listExperiments({ results: join(results, "absent") }), []);
  });
});

Deno.test("readPlacedVector() reads our file, and an older program's where there is none of ours", async () => {
  await inFolder(async (results) => {
    const path = layoutPath(vectorPlace, { results });
    await assert.rejects(readPlacedVector(vectorPlace, { results }), { name: "InputError" });
    const older = path.replace(".safetensors", ".pt");
    const tensor = p.tensor(p.storage("FloatStorage", "0", p.int(2)), p.int(0), [p.int(2)], [p.int(1)]);
    await Deno.mkdir(dirname(path), { recursive: true });
    await Deno.writeFile(older, encodeTorch([tensor], { "0": Float32Array.of(3, 4) }));
    const { vector, scale, method, layer } = await readPlacedVector(vectorPlace, { results });
    assert.deepEqual([[...vector], scale, method, layer], [
      [Math.fround(0.6), Math.fround(0.8)],
      5,
      "probe",
      3,
    ]);
    const ours = unitVector({ ...vectorPlace, metadata: {} }, [1, 0]);
    const { component, position } = vectorPlace;
    await writeVector(path, {
      component,
      position,
      method,
      layer,
      vector: ours.vector,
      scale: 1,
      metadata: {},
    });
    assert.equal((await readPlacedVector(vectorPlace, { results })).scale, 1);
  });
});
