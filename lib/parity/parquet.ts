/**
 * Parquet files, by polars, which is loaded when it is first needed.
 * @module
 */
import { readFile } from "node:fs/promises";
import { InputError, messageOf } from "../base/errors.ts";

/** A value of a table. */
export type TableCell = string | number | boolean | null;

/** Rows as columns have them: every row has the same keys. */
export type TableRecord = Readonly<Record<string, TableCell>>;

/**
 * Rows as the bytes of a parquet file. A column of whole numbers becomes Int64, of other numbers Float64.
 *
 * @throws {InputError} when polars cannot be loaded on this machine.
 */
export async function toParquet(records: readonly TableRecord[]): Promise<Uint8Array> {
  const pl = await loadPolars();
  const series = Object.keys(records[0] ?? {}).map((name) => {
    const values = records.map((record) => record[name] ?? null);
    const known = values.filter((value) => value !== null);
    if (known.length > 0 && known.every((value) => typeof value === "boolean")) {
      return pl.Series(name, values, pl.Bool);
    }
    if (known.length > 0 && known.every((value) => typeof value === "number")) {
      // Polars for Node reads null as 0 in a series that is whole from the start.
      const numbers = pl.Series(name, values, pl.Float64);
      return known.every(Number.isSafeInteger) ? numbers.cast(pl.Int64) : numbers;
    }
    return pl.Series(name, values.map((value) => value === null ? null : String(value)), pl.Utf8);
  });
  return new Uint8Array(pl.DataFrame(series).writeParquet());
}

/**
 * The rows of a parquet file, with big integers as numbers.
 *
 * @throws {InputError} when the file cannot be read, is no parquet file, or polars cannot be loaded.
 */
export async function readParquet(path: string): Promise<Record<string, unknown>[]> {
  const pl = await loadPolars();
  try {
    const records = pl.readParquet(await readFile(path)).toRecords() as Record<string, unknown>[];
    return records.map((record) =>
      Object.fromEntries(
        Object.entries(record).map((
          [key, value],
        ) => [key, typeof value === "bigint" ? Number(value) : value]),
      )
    );
  } catch (error) {
    throw new InputError(`Cannot read ${path} as a parquet file: ${messageOf(error)}.`, { cause: error });
  }
}

async function loadPolars(): Promise<typeof import("nodejs-polars").default> {
  try {
    return (await import("nodejs-polars")).default;
  } catch (error) {
    throw new InputError(
      `Parquet files need the addon nodejs-polars, which does not load here (${
        messageOf(error).split("\n")[0]
      }): ` +
        `use CSV files instead, or see deno task doctor.`,
      { cause: error },
    );
  }
}
