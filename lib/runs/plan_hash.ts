/**
 * One hash for a whole plan.
 * @module
 */
import { sha256 } from "../base/hash.ts";
import type { Row } from "./experiment.ts";

/** The first 16 hex digits of the SHA-256 of the rows' ids and skips, in order: equal plans have equal hashes. */
export function planHash(rows: readonly Row[]): string {
  return sha256(rows.map((row) => `${row.id} ${row.skip ?? ""}`).join("\n")).slice(0, 16);
}
