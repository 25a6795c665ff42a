/**
 * Sharing a run among machines.
 * @module
 */
import { InputError } from "../base/errors.ts";
import type { Row } from "./experiment.ts";

/** Part `index` (from 1) of `count`. */
export interface Shard {
  /** From 1. */
  readonly index: number;
  /** Parts in all. */
  readonly count: number;
}

/** Reads `--shard 2/4`. @throws {InputError} */
export function parseShard(text: string): Shard {
  const match = /^([1-9]\d{0,4})\/([1-9]\d{0,4})$/.exec(text.trim());
  const index = Number(match?.[1]), count = Number(match?.[2]);
  if (!match || index > count) {
    throw new InputError(
      `--shard ${text} is not a part of a run: write it as i/n with 1 <= i <= n, like 2/4.`,
    );
  }
  return { index, count };
}

/**
 * The rows of one shard, in plan order. Every row is in exactly one shard.
 *
 * The plan is cut into `count` contiguous pieces of about equal work (prompt tokens plus output cap; skipped rows
 * weigh nothing), because rows that share a prefix stand together in a plan: at most `count - 1` groups of them are
 * cut. A row belongs to the piece in which the middle of its work falls.
 */
export function shardRows<R extends Row>(rows: readonly R[], shard: Shard): R[] {
  const work = (row: Row) => (row.skip === null ? Math.max(1, row.tokens + row.maxTokens) : 0);
  const total = rows.reduce((sum, row) => sum + work(row), 0);
  let before = 0;
  return rows.filter((row) => {
    const middle = total === 0 ? 0 : (before + work(row) / 2) / total;
    before += work(row);
    return Math.min(shard.count - 1, Math.floor(middle * shard.count)) === shard.index - 1;
  });
}
