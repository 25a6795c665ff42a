/**
 * What a run was asked to do, beside its results.
 * @module
 */
import { writeAtomic } from "../base/files.ts";
import type { Json } from "../base/hash.ts";
import type { Row } from "./experiment.ts";
import type { RunIdentity } from "./attempts.ts";

/**
 * Writes `{prefix}_plan.json`: the configuration, the sampling, and every row with its recipe, one to a line, so that
 * any row's prompt can be built again.
 *
 * @throws {InputError} when the folder cannot be written or the disk is full.
 */
export async function writePlanFile(
  path: string,
  plan: {
    readonly identity: RunIdentity;
    readonly config: Json;
    readonly sampling: Json;
    readonly tokenizer: string;
    readonly rows: readonly Row[];
    /** The part of the layout a row belongs to, where the experiment has parts. */
    readonly part?: (row: Row) => string;
  },
): Promise<void> {
  const { identity, config, sampling, tokenizer } = plan;
  const { experiment, variant, model, mode, shard } = identity;
  const head = JSON.stringify(
    { experiment, variant, model, mode, shard, plan: identity.plan, tokenizer, sampling, config },
    null,
    2,
  );
  await writeAtomic(path, pieces(head.slice(0, -2), plan.rows, plan.part));
}

/** Rows turned into text at a time. */
const BATCH = 256;

function* pieces(
  head: string,
  rows: readonly Row[],
  part: ((row: Row) => string) | undefined,
): Generator<string> {
  yield `${head},\n  "rows": [\n`;
  for (let from = 0; from < rows.length; from += BATCH) {
    const lines = rows.slice(from, from + BATCH).map((row) => {
      const { id, params, recipe, tokens, maxTokens, skip } = row;
      const inPart = part === undefined ? {} : { part: part(row) };
      return "    " + JSON.stringify({ id, ...inPart, params, recipe, tokens, maxTokens, skip });
    });
    yield lines.join(",\n") + (from + BATCH < rows.length ? ",\n" : "\n");
  }
  yield "  ]\n}\n";
}
