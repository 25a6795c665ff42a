/**
 * `deno task splice --calibrate`: how many samples an hour this machine draws.
 * @module
 */
import { getVariant } from "../lib/backends/variants.ts";
import { InputError } from "../lib/base/errors.ts";
import { setExitCode } from "../lib/notebooks/run_experiment_task.ts";
import {
  flagsHelp,
  numberFlag,
  numbersFlag,
  pathFlag,
  readFlags,
  switchFlag,
  textFlag,
} from "../lib/notebooks/task_flags.ts";
import { calibrate, type Calibration, calibrationText } from "../lib/splicing/calibrate.ts";
import { calibrateShape } from "../lib/splicing/calibrate_shape.ts";

const FLAGS = {
  calibrate: switchFlag("time one splice point on this machine"),
  model: textFlag("A[,B]", "variants of models/models.json (default pocket)"),
  shape: pathFlag("CONFIG.json", "instead: a model that is not here, timed by one and two of its blocks"),
  dtype: textFlag("fp32|q8|q4", "how the weights of a shape are held (default fp32)"),
  "prefix-tokens": numberFlag("N", "tokens of the prefix (default 512, or a quarter of the window)"),
  "new-tokens": numberFlag("N", "tokens drawn of each sample while timing (default 48)"),
  "sample-tokens": numberFlag("N", "tokens of a whole sample (default 2048, or what the model gives)"),
  batches: numbersFlag("1,2,4", "samples drawn together (default 1,2,4,8,16,32)"),
  json: switchFlag("print the measurements as JSON"),
};

/** Times each variant and sets the exit code. */
export function calibrateTask(command: string, args: readonly string[] = Deno.args): Promise<void> {
  return setExitCode(async () => {
    const given = readFlags(args, FLAGS, `${command} --calibrate`);
    if (given["help"]) {
      console.log(`Times one splice point.\n\n${command} --calibrate [flags]\n\n${flagsHelp(FLAGS)}\n`);
      return 0;
    }
    const whole = (name: string, fallback: number) => {
      const value = given[name] ?? fallback;
      if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
      throw new InputError(`--${name} is ${JSON.stringify(value)}: give a whole number above 0.`);
    };
    const batches = (given["batches"] ?? [1, 2, 4, 8, 16, 32]) as number[];
    if (batches.length === 0 || !batches.every((n) => Number.isSafeInteger(n) && n > 0 && n <= 64)) {
      throw new InputError(`--batches holds ${batches.join(",")}: give whole numbers from 1 to 64.`);
    }
    const say = (calibration: Calibration, options: { readonly sampleTokens: number }) =>
      console.log(
        given["json"] ? JSON.stringify(calibration, null, 2) : `${calibrationText(calibration, options)}\n`,
      );
    if (typeof given["shape"] === "string") {
      const dtype = given["dtype"] ?? "fp32";
      if (dtype !== "fp32" && dtype !== "q8" && dtype !== "q4") {
        throw new InputError(`--dtype is ${JSON.stringify(dtype)}: give fp32, q8 or q4.`);
      }
      const options = {
        prefixTokens: whole("prefixTokens", 512),
        newTokens: whole("newTokens", 9),
        sampleTokens: whole("sampleTokens", 2048),
        batches: batches.toSorted((a, b) => a - b),
        dtype,
      } as const;
      say(await calibrateShape(given["shape"], options), options);
      return 0;
    }
    const names = String(given["model"] ?? "pocket").split(",").map((name) => name.trim());
    const variants = await Promise.all(names.map((name) => getVariant(name)));
    for (const variant of variants) {
      const options = {
        prefixTokens: whole("prefixTokens", Math.min(512, Math.floor(variant.contextWindow / 4))),
        newTokens: whole("newTokens", 48),
        sampleTokens: whole("sampleTokens", Math.min(2048, variant.maxOutputTokens)),
        batches: batches.toSorted((a, b) => a - b),
        onMeasured: ({ together }: { readonly together: number }) =>
          console.error(`${variant.name}: ${together} at once`),
      };
      say(await calibrate(variant, options), options);
    }
    return 0;
  });
}
