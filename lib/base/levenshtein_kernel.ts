/**
 * The inner loop of the block-wise edit distance as a WebAssembly module, put together here instruction by instruction:
 * 256 rows of the matrix a step, in four 64-bit lanes.
 * @module
 */

/** The kernel and the memory it works on. */
export interface LevenshteinKernel {
  /** Where codes, carries and masks lie. Grow it before use. */
  readonly memory: WebAssembly.Memory;
  /**
   * Goes over a text with {@linkcode KERNEL_ROWS} rows of the pattern.
   *
   * @param columns length of the text
   * @param text offset of its codes, 16 bits each, with {@linkcode KERNEL_LAG} more on both sides that match nothing
   * @param carries offset of one byte a column, with {@linkcode KERNEL_LAG} more on both sides: bit 0 is set where the
   * row above is 1 more than in the column before, bit 1 where it is 1 less. Replaced by those of the last row.
   * @param masks offset of {@linkcode KERNEL_MASK_BYTES} for each code: a bit for each row that holds it, first row lowest
   */
  run(columns: number, text: number, carries: number, masks: number): void;
}

type Code = readonly number[];

/** An unsigned or small signed number in LEB128. */
function leb(value: number): number[] {
  const bytes: number[] = [];
  for (;;) {
    const byte = value & 0x7f;
    value >>= 7;
    const last = (value === 0 && (byte & 0x40) === 0) || (value === -1 && (byte & 0x40) !== 0);
    bytes.push(last ? byte : byte | 0x80);
    if (last) return bytes;
  }
}

const simd = (opcode: number, ...operands: Code[]): Code => [...operands.flat(), 0xfd, ...leb128(opcode)];
const leb128 = (value: number): Code => value < 0x80 ? [value] : [value & 0x7f | 0x80, value >> 7];

// Values of type i32, and of type v128 (two lanes of 64 bits), in prefix order.
const get = (local: number): Code => [0x20, local];
const set = (local: number, value: Code): Code => [...value, 0x21, local];
const i32 = (value: number): Code => [0x41, ...leb(value)];
const plus = (a: Code, b: Code): Code => [...a, ...b, 0x6a];
const shiftLeft = (a: Code, bits: number): Code => [...a, ...i32(bits), 0x74];
const shiftRight = (a: Code, bits: number): Code => [...a, ...i32(bits), 0x76];
const and32 = (a: Code, bits: number): Code => [...a, ...i32(bits), 0x71];
const or32 = (a: Code, b: Code): Code => [...a, ...b, 0x72];
const load8 = (address: Code): Code => [...address, 0x2d, 0, 0];
const load16 = (address: Code): Code => [...address, 0x2f, 1, 0];
const store8 = (address: Code, value: Code): Code => [...address, ...value, 0x3a, 0, 0];
const wrap = (a: Code): Code => [...a, 0xa7];
const widen = (a: Code): Code => [...a, 0xad];
const and = (a: Code, b: Code) => simd(0x4e, a, b);
const or = (a: Code, b: Code) => simd(0x50, a, b);
const xor = (a: Code, b: Code) => simd(0x51, a, b);
const not = (a: Code) => simd(0x4d, a);
const add = (a: Code, b: Code) => simd(0xce, a, b);
const left1 = (a: Code): Code => simd(0xcb, a, i32(1));
const right63 = (a: Code): Code => simd(0xcd, a, i32(63));
const load128 = (address: Code, offset: number): Code => [...simd(0x00, address), 0, offset];
const ZERO: Code = [...simd(0x0c), ...new Array<number>(16).fill(0)];
const ONES: Code = not(ZERO);
/** Lane 1 of a value as i32. */
const lane1 = (a: Code): Code => wrap([...simd(0x1d, a), 1]);
/** A vector with an i32 in lane 0, and zeros. */
const inLane0 = (value: Code): Code => [...simd(0x1e, ZERO, widen(value)), 0];
/** A vector of a lane of `a` and a lane of `b`. */
const join = (a: Code, laneOfA: 0 | 1, b: Code, laneOfB: 0 | 1): Code => [
  ...simd(0x0d, a, b),
  ...[0, 1, 2, 3, 4, 5, 6, 7].map((byte) => byte + 8 * laneOfA),
  ...[16, 17, 18, 19, 20, 21, 22, 23].map((byte) => byte + 8 * laneOfB),
];

/** Columns that the last lane is behind the first one. */
export const KERNEL_LAG = 3;
/** Rows that one pass of the kernel takes. */
export const KERNEL_ROWS = 256;
/** Bytes of the masks of one code. */
export const KERNEL_MASK_BYTES = 32;

const [COLUMNS, TEXT, CARRIES, MASKS, END, CARRY] = [0, 1, 2, 3, 4, 5];
const I32_LOCALS = 2, VECTORS = 2, VECTOR_LOCALS = 12;
/** Locals of a vector. `out` holds what its lanes carried over in the column before. */
const [UPPER, LOWER] = [6, 6 + VECTOR_LOCALS].map((first) => ({
  ...{ pv: first, mv: first + 1, eq: first + 2, before: first + 3, xv: first + 4, xh: first + 5 },
  ...{ ph: first + 6, mh: first + 7, pout: first + 8, mout: first + 9, pin: first + 10, min: first + 11 },
})) as [Vector, Vector];
type Vector = Readonly<
  Record<
    "pv" | "mv" | "eq" | "before" | "xv" | "xh" | "ph" | "mh" | "pout" | "mout" | "pin" | "min",
    number
  >
>;

/** Lane 0 takes the masks of a column, lane 1 those of the column before it. */
function takeMasks(v: Vector, columnsBehind: number, offset: number): Code {
  const code = load16(plus(get(TEXT), i32(-2 * columnsBehind)));
  const masks = load128(plus(get(MASKS), shiftLeft(code, 5)), offset);
  // `before` still holds what was loaded for the last column.
  return [
    ...set(v.xh, masks),
    ...set(v.eq, join(get(v.xh), 0, get(v.before), 1)),
    ...set(v.before, get(v.xh)),
  ];
}

/** One column of one vector, by Myers (1999) in the block form of Hyyrö (2003). */
function step(v: Vector): Code {
  return [
    ...set(v.xv, or(get(v.eq), get(v.mv))),
    ...set(v.eq, or(get(v.eq), get(v.min))),
    ...set(v.xh, or(xor(add(and(get(v.eq), get(v.pv)), get(v.pv)), get(v.pv)), get(v.eq))),
    ...set(v.ph, or(get(v.mv), not(or(get(v.xh), get(v.pv))))),
    ...set(v.mh, and(get(v.pv), get(v.xh))),
    ...set(v.pout, right63(get(v.ph))),
    ...set(v.mout, right63(get(v.mh))),
    ...set(v.ph, or(left1(get(v.ph)), get(v.pin))),
    ...set(v.mh, or(left1(get(v.mh)), get(v.min))),
    ...set(v.pv, or(get(v.mh), not(or(get(v.xv), get(v.ph))))),
    ...set(v.mv, and(get(v.ph), get(v.xv))),
  ];
}

/**
 * Each lane is one column behind the lane above it, so that what that one carries over is at hand. The columns before
 * the text change nothing there: no match and no carry.
 */
const COLUMN: Code = [
  ...set(CARRY, load8(get(CARRIES))),
  ...set(LOWER.pin, join(get(UPPER.pout), 1, get(LOWER.pout), 0)),
  ...set(LOWER.min, join(get(UPPER.mout), 1, get(LOWER.mout), 0)),
  ...set(UPPER.pin, join(inLane0(and32(get(CARRY), 1)), 0, get(UPPER.pout), 0)),
  ...set(UPPER.min, join(inLane0(shiftRight(get(CARRY), 1)), 0, get(UPPER.mout), 0)),
  ...takeMasks(UPPER, 0, 0),
  ...takeMasks(LOWER, 2, 16),
  ...step(UPPER),
  ...step(LOWER),
  ...store8(
    plus(get(CARRIES), i32(-KERNEL_LAG)),
    or32(lane1(get(LOWER.pout)), shiftLeft(lane1(get(LOWER.mout)), 1)),
  ),
];

const BODY: Code = [
  ...[2, I32_LOCALS, 0x7f, VECTORS * VECTOR_LOCALS, 0x7b],
  ...set(UPPER.pv, ONES),
  ...set(LOWER.pv, ONES),
  ...set(END, plus(plus(get(CARRIES), get(COLUMNS)), i32(KERNEL_LAG))),
  ...[0x03, 0x40], // loop
  ...COLUMN,
  ...set(TEXT, plus(get(TEXT), i32(2))),
  ...set(CARRIES, plus(get(CARRIES), i32(1))),
  ...[...get(CARRIES), ...get(END), 0x49, 0x0d, 0], // go on while carries < end
  ...[0x0b, 0x0b],
];

const section = (id: number, content: Code): Code => [id, ...unsigned(content.length), ...content];
const name = (text: string): Code => [text.length, ...new TextEncoder().encode(text)];
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [value & 0x7f | 0x80, ...unsigned(value >>> 7)];
}

const MODULE = new Uint8Array([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...section(1, [1, 0x60, 4, 0x7f, 0x7f, 0x7f, 0x7f, 0]), // (i32, i32, i32, i32) -> ()
  ...section(3, [1, 0]),
  ...section(5, [1, 0, 1]), // a memory of at least one page
  ...section(7, [2, ...name("memory"), 2, 0, ...name("run"), 0, 0]),
  ...section(10, [1, ...unsigned(BODY.length), ...BODY]),
]);

/** Compiles the kernel, with a memory of its own. */
export function openLevenshteinKernel(): LevenshteinKernel {
  const { memory, run } = new WebAssembly.Instance(new WebAssembly.Module(MODULE)).exports;
  return { memory: memory as WebAssembly.Memory, run: run as LevenshteinKernel["run"] };
}
