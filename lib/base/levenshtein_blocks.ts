/**
 * Edit distance in blocks of bits: the same time whatever the texts hold.
 * @module
 */
import {
  KERNEL_LAG,
  KERNEL_MASK_BYTES,
  KERNEL_ROWS,
  type LevenshteinKernel,
  openLevenshteinKernel,
} from "./levenshtein_kernel.ts";

const PAGE = 65_536;
let kernel: LevenshteinKernel | undefined;

/**
 * The edit distances of a pattern to several beginnings of a text: the bit-parallel algorithm of Myers (1999) in the
 * block form of Hyyrö (2003). Block after block of the pattern's rows goes over the whole text; between them, one
 * byte a column says whether the row's distance is 1 more (bit 0) or 1 less (bit 1) than in the column before.
 *
 * @param ends the lengths of the beginnings
 */
export function blockDistances(pattern: Uint16Array, text: Uint16Array, ends: readonly number[]): number[] {
  const codes = new Map<number, number>();
  for (const unit of pattern) if (!codes.has(unit)) codes.set(unit, codes.size);
  const rows = Uint16Array.from(pattern, (unit) => codes.get(unit) as number);
  const none = codes.size; // the code of what is not in the pattern
  const columns = Uint32Array.from(text, (unit) => codes.get(unit) ?? none);
  const kernelRows = none < 65_535 ? rows.length - rows.length % KERNEL_ROWS : 0;
  const carries = kernelRows > 0
    ? runKernel(rows.subarray(0, kernelRows), columns, none)
    : new Uint8Array(columns.length).fill(1);
  const masks = new Int32Array(none + 1);
  for (let from = kernelRows; from < rows.length; from += 32) {
    runBlock(rows.subarray(from, from + 32), columns, masks, carries);
  }
  return ends.map((end) => {
    let distance = rows.length;
    for (let j = 0; j < end; j++) distance += ((carries[j] as number) & 1) - ((carries[j] as number) >> 1);
    return distance;
  });
}

/** The carries below the first rows, whose number is a multiple of the kernel's. */
function runKernel(rows: Uint16Array, columns: Uint32Array, none: number): Uint8Array<ArrayBuffer> {
  kernel ??= openLevenshteinKernel();
  const n = columns.length;
  const textAt = KERNEL_MASK_BYTES * (none + 1) + 2 * KERNEL_LAG;
  const carriesAt = textAt + 2 * (n + KERNEL_LAG) + KERNEL_LAG;
  const missing = carriesAt + n + KERNEL_LAG - kernel.memory.buffer.byteLength;
  if (missing > 0) kernel.memory.grow(Math.ceil(missing / PAGE));
  const { buffer } = kernel.memory;
  const words = KERNEL_MASK_BYTES / 4;
  const masks = new Int32Array(buffer, 0, words * (none + 1)).fill(0);
  const text = new Uint16Array(buffer, textAt - 2 * KERNEL_LAG, n + 2 * KERNEL_LAG).fill(none);
  text.set(columns, KERNEL_LAG);
  const carries = new Uint8Array(buffer, carriesAt, n).fill(1);
  for (let from = 0; from < rows.length; from += KERNEL_ROWS) {
    const block = rows.subarray(from, from + KERNEL_ROWS);
    block.forEach((code, i) => masks[code * words + (i >> 5)]! |= 1 << (i & 31));
    kernel.run(n, textAt, carriesAt, 0);
    for (const code of block) masks.fill(0, code * words, (code + 1) * words);
  }
  return carries.slice();
}

/** Up to 32 rows of the pattern over the whole text. */
function runBlock(rows: Uint16Array, columns: Uint32Array, masks: Int32Array, carries: Uint8Array): void {
  rows.forEach((code, i) => masks[code]! |= 1 << i);
  const last = rows.length - 1;
  let pv = -1, mv = 0;
  for (let j = 0; j < columns.length; j++) {
    const carry = carries[j] as number;
    let eq = masks[columns[j] as number] as number;
    const xv = eq | mv;
    eq |= carry >> 1;
    const xh = (((eq & pv) + pv) ^ pv) | eq;
    let ph = mv | ~(xh | pv);
    let mh = pv & xh;
    carries[j] = ((ph >>> last) & 1) | (((mh >>> last) & 1) << 1);
    ph = (ph << 1) | (carry & 1);
    mh = (mh << 1) | (carry >> 1);
    pv = mh | ~(xv | ph);
    mv = ph & xv;
  }
  for (const code of rows) masks[code] = 0;
}
