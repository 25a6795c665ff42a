/**
 * `deno task migrate --from DIR`: moves experiments of older layouts into this one.
 * @module
 */
import { relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { InputError, INTERRUPTED_EXIT } from "../lib/base/errors.ts";
import { log } from "../lib/base/log.ts";
import { setExitCode } from "../lib/notebooks/run_experiment_task.ts";
import {
  type Flags,
  flagsHelp,
  pathFlag,
  readFlags,
  switchFlag,
  textFlag,
} from "../lib/notebooks/task_flags.ts";
import { stopOnSignal } from "../lib/runs/stop_on_signal.ts";
import {
  migrate,
  type MigrateOptions,
  type MigrationResult,
  type MigrationSettings,
  migrationUnderWay,
  planMigrate,
  rollBack,
} from "../lib/steering/migration/migrate.ts";

const FLAGS: Flags = {
  from: pathFlag("DIR", "an older experiment's folder, or a folder of several"),
  to: pathFlag("DIR", "the results folder that they are moved into (default results)"),
  "model-variant": textFlag("NAME", "the variant of what has none (default as config.json says)"),
  position: textFlag("FRAME[SLICE]", "the position of steering that has none (default response[:])"),
  experiments: pathFlag("DIR", "where config.json goes (default data/experiments)"),
  "dry-run": switchFlag("print every move; change nothing"),
  "roll-back": switchFlag("undo the migration of --from, finished or not"),
};

const COMMAND = "deno task migrate";

async function main(args: readonly string[]): Promise<number> {
  const { help, ...given } = readFlags(args, FLAGS, COMMAND);
  if (help) {
    console.log(
      `Moves experiments of older layouts (no variant level) into results/{experiment}/, and brings their config.json into\n` +
        `today's form. Nothing is overwritten. Killed, the same command goes on; --roll-back undoes it.\n\n${COMMAND} --from DIR ` +
        `[--dry-run] [flags]\n\n${flagsHelp(FLAGS)}\n`,
    );
    return 0;
  }
  const text = (name: string) => typeof given[name] === "string" ? given[name] as string : null;
  const from = text("from");
  if (from === null) {
    throw new InputError(`--from is missing: ${COMMAND} --from DIR --dry-run prints every move.`);
  }
  const settings: MigrationSettings = {
    from,
    to: text("to") ?? resolve("results"),
    experiments: text("experiments") ?? fileURLToPath(new URL("../data/experiments", import.meta.url)),
    modelVariant: text("modelVariant"),
    position: text("position") ?? "response[:]",
  };
  if (given["dryRun"] === true) {
    if (given["rollBack"] === true) {
      throw new InputError("--dry-run and --roll-back cannot be given together.");
    }
    await printPlan(settings);
    return 0;
  }
  const stop = new AbortController();
  using signals = stopOnSignal(() => stop.abort(), { onFirst: () => log("Stopping between two files.") });
  try {
    const undo = given["rollBack"] === true;
    const options = { onProgress: progress(), signal: stop.signal };
    const { moved, before, missing } = await (undo ? rollBack(from, options) : run(settings, options));
    if (missing.length > 0) {
      console.error(
        `${missing.length} files were at neither place when their turn came: ${
          missing.slice(0, 5).join(", ")
        }`,
      );
    }
    if (moved + before === 0 && !undo) {
      console.log(`Nothing to move: ${shown(from)} is in today's layout, or was moved before.`);
      return missing.length > 0 ? 1 : 0;
    }
    console.log(
      `${moved} files moved ${undo ? "back" : `into ${shown(settings.to)}`}${
        before > 0 ? `, ${before} were there already` : ""
      }.` +
        (undo ? "" : `\nTo undo it: ${COMMAND} --from ${shown(from)} --roll-back`),
    );
    return missing.length > 0 ? 1 : 0;
  } catch (error) {
    if (!signals.interrupted) throw error;
    console.error(`To go on: ${[COMMAND, ...args].join(" ")}`);
    return INTERRUPTED_EXIT;
  }
}

async function run(settings: MigrationSettings, options: MigrateOptions): Promise<MigrationResult> {
  return await migrate(settings, {
    ...options,
    onPlan: ({ notes }) => notes.forEach((note) => console.error(note)),
  });
}

async function printPlan(settings: MigrationSettings): Promise<void> {
  const journal = await migrationUnderWay(settings.from);
  if (journal !== null && journal.state !== "done") {
    const undo = journal.state === "rolling back";
    const left: string[] = [];
    for (const { from, to, done } of journal.moves) {
      if (done && !undo) continue;
      const [here, there] = undo ? [to, from] : [from, to];
      if (await Deno.lstat(here).then(() => true, () => false)) {
        left.push(`${shown(here)} -> ${shown(there)}`);
      }
    }
    console.log([
      ...left,
      `A migration begun at ${journal.created} is ${
        undo ? "being undone" : "not finished"
      }: ${left.length} files are left. ` +
      `Go on with ${
        undo ? "--roll-back" : "the same flags, or undo it with --roll-back"
      }. Nothing was changed.`,
    ].join("\n"));
    return;
  }
  const { moves, configs, stay, notes } = await planMigrate(settings);
  const lines = moves.map(({ from, to }) => `${shown(from)} -> ${shown(to)}`);
  const rewritten = configs.map(({ from, to, kept }) =>
    `${shown(from)} -> ${shown(to)}, in today's form; the old text is kept in ${shown(kept)}`
  );
  console.log([
    ...lines,
    ...rewritten,
    ...notes,
    `${moves.length} files would be moved, ${stay} are where they belong, ${configs.length} config.json would be ` +
    "rewritten. Nothing was changed.",
  ].join("\n"));
}

/** A path as it is typed; letters that a terminal would act on are escaped. */
function shown(path: string): string {
  const near = relative(Deno.cwd(), path);
  const text = near === "" ? "." : near.startsWith("..") ? path : near;
  return JSON.stringify(text).slice(1, -1);
}

function progress(): (done: number, of: number) => void {
  let last = performance.now();
  return (done, of) => {
    if (performance.now() - last < 2000) return;
    last = performance.now();
    log(`${done} of ${of} files`);
  };
}

if (import.meta.main) await setExitCode(() => main(Deno.args));
