/** A run on the published reasoning and deltas gives their rates back. Skipped where the shared data is absent. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { inFolder } from "../base/testing/in_folder.ts";
import { startSplice } from "./start_splice.ts";

const DATA = new URL("../../../shared/data/splice/", import.meta.url);
const absent = await Deno.stat(DATA).then(() => false, () => true);
if (absent) console.log("splice_run_shared_test: skipped, no ../shared/data/splice beside the repository");
const path = (name: string) => fileURLToPath(new URL(name, DATA));

Deno.test({
  name: "startSplice() gives the published rates back where answers follow them",
  ignore: absent,
  async fn() {
    const golden: { points: { pn: number; sentence_num: number; cue_p_prev: number; cue_p: number }[] } = JSON
      .parse(
        await Deno.readTextFile(path("golden_splice_points.json")),
      );
    await inFolder(async (results) => {
      const run = await startSplice({
        model: "simulated-anchors",
        cotData: path("Professor_itc_failure_threshold0.15_correct_base_no_mention.json"),
        deltas: path("faith_counterfactual_qwen-14b.csv"),
        deltaThreshold: 0.5,
        numSamples: 40,
        results,
      }, { log: () => {} });
      const [result] = await run.done;
      assert.equal(result?.error, null);
      const folder = [...Deno.readDirSync(results)].find(({ isDirectory, name }) =>
        isDirectory && /^\d{8}_/.test(name)
      );
      const points: { problem_number: number; sentence_number: number; cue_p_prev: number; cue_p: number }[] =
        JSON.parse(
          await Deno.readTextFile(`${results}/${folder?.name}/splice_results.json`),
        );
      const found = new Map(
        points.map((point) => [`${point.problem_number}/${point.sentence_number}`, point]),
      );
      for (const { pn, sentence_num, cue_p_prev, cue_p } of golden.points) {
        const point = found.get(`${pn}/${sentence_num}`);
        if (point === undefined) continue; // a duplicate of another problem, or a copied row: published_splice_shared_test
        assert.ok(
          Math.abs(point.cue_p_prev - cue_p_prev) < 0.006 && Math.abs(point.cue_p - cue_p) < 0.006,
          `${pn}`,
        );
        found.delete(`${pn}/${sentence_num}`);
      }
      assert.ok(found.size < points.length, "golden points are among them");
      assert.match(
        result?.report?.summary ?? "",
        /PASS +Does the prefix without the sentence give the rate of the table/,
      );
      assert.match(
        result?.report?.summary ?? "",
        /PASS +Do sentences with larger deltas move the answer more/,
      );
    });
  },
});
