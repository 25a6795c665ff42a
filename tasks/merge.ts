/**
 * `deno task merge --from DIR[,DIR] --into DIR`: joins the shards of runs that several machines shared.
 * @module
 */
import { parseArgs } from "node:util";
import { INPUT_ERROR_EXIT, InputError, messageOf } from "../lib/base/errors.ts";
import { log } from "../lib/base/log.ts";
import { mergeShards } from "../lib/runs/merge_shards.ts";

const USAGE = `Usage: deno task merge --from DIR[,DIR...] --into DIR
  --from   results folders of the machines that ran with --shard i/n
  --into   results folder of the whole run; the same command without --shard goes on from there`;

function readFlags(args: readonly string[]): { from: string[]; into: string; help: boolean } {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        from: { type: "string", multiple: true },
        into: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
    const from = (values.from ?? []).flatMap((list) => list.split(",")).filter((folder) => folder !== "");
    const help = values.help ?? false;
    if (!help && (from.length === 0 || !values.into)) throw new Error("--from and --into are both needed");
    return { from, into: values.into ?? "", help };
  } catch (cause) {
    throw new InputError(`${messageOf(cause)}.\n${USAGE}`, { cause });
  }
}

async function main(args: readonly string[]): Promise<void> {
  const flags = readFlags(args);
  if (flags.help) return console.log(USAGE);
  for (const { name, shards, missing, added } of await mergeShards(flags)) {
    const rest = missing.length > 0 ? `; not found: shard ${missing.join(", ")}` : "";
    log(`${name}: ${added} attempts added from ${shards} shard file${shards === 1 ? "" : "s"}${rest}`);
  }
  log("Now run the same command without --shard, with --results set to the --into folder.");
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    console.error(error.message);
    Deno.exit(INPUT_ERROR_EXIT);
  }
}
