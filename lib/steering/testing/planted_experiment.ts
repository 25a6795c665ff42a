/**
 * An experiment on a model with a planted direction: letters along it are the trait, letters against it are not.
 * @module
 */
import { join } from "node:path";
import { createRandom } from "../../base/random.ts";
import { withPlantedCheckpoint } from "./planted_model.ts";

/** Where everything lies. */
export interface PlantedExperiment {
  /** The folder of it all. */
  readonly folder: string;
  /** Settings that name experiment, folders and results. */
  readonly settings: {
    readonly experiment: string;
    readonly traitsFolder: string;
    readonly experiments: string;
    readonly results: string;
  };
  /** The planted direction, `[width]`. */
  readonly direction: Float64Array;
}

/** Noise with letters of one kind strewn into it. */
function text(random: ReturnType<typeof createRandom>, letters: string): string {
  return Array.from(
    { length: 14 },
    (_, i) => i % 3 === 0 ? random.pick([...letters]) : random.pick([..."efghij "]),
  ).join("");
}

/** Runs `use` with traits `planted` (letters along the direction against letters across it) and `nothing` (equal sides). */
export async function withPlantedExperiment(
  use: (experiment: PlantedExperiment) => Promise<void>,
): Promise<void> {
  await withPlantedCheckpoint(async (dir, direction) => {
    const folder = await Deno.makeTempDir();
    try {
      const random = createRandom("planted experiment");
      const write = async (path: string, content: string) => {
        await Deno.mkdir(join(folder, path, ".."), { recursive: true });
        await Deno.writeTextFile(join(folder, path), content);
      };
      for (const [trait, sides] of [["planted", ["ABCD", "WXYZ"]], ["nothing", ["ABWX", "ABWX"]]] as const) {
        const lines = (letters: string) =>
          Array.from({ length: 16 }, () => JSON.stringify({ prompt: text(random, letters) }) + "\n").join("");
        await write(`traits/${trait}/positive.jsonl`, lines(sides[0]));
        await write(`traits/${trait}/negative.jsonl`, lines(sides[1]));
        await write(`traits/${trait}/definition.txt`, "Letters from A to D.");
        const questions = Array.from({ length: 20 }, () => text(random, "efghij"));
        const markers = { positive: ["/^[A-D]/"], negative: [] };
        await write(
          `traits/${trait}/steering.json`,
          JSON.stringify({ questions, markers, instruction: "ABCD" }),
        );
      }
      const variants = {
        model_variants: {
          tiny: { model: dir, contextWindow: 200 },
          twin: { model: dir, contextWindow: 199 },
        },
      };
      await write("experiments/planted/config.json", JSON.stringify(variants));
      await use({
        folder,
        direction,
        settings: {
          experiment: "planted",
          traitsFolder: join(folder, "traits"),
          experiments: join(folder, "experiments"),
          results: join(folder, "results"),
        },
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
