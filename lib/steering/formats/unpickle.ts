/**
 * Reads the part of Python's pickle format that tensors need (protocols 2 to 5,
 * https://github.com/python/cpython/blob/main/Lib/pickletools.py says what each opcode does).
 *
 * A pickle is a program. Here it runs on a machine that knows nothing but values and the few names it is given; a name
 * that is not among them ends the reading before it is looked up, so that no pickle can do anything.
 * @module
 */

/** A name that a pickle may use, as a function of what it is called with. */
export interface PickleName {
  /** `torch._utils._rebuild_tensor_v2` */
  readonly name: string;
  /** What calling it gives; left out for names that are only handed on. */
  call?(args: readonly unknown[]): unknown;
}

/** A value that takes a state (`BUILD`). */
export interface Buildable {
  /** Takes the state. */
  build(state: unknown): void;
}

/** A tuple, told apart from lists. */
export class PickleTuple {
  /** The items. */
  readonly items: readonly unknown[];

  /** Makes a tuple of items. */
  constructor(items: readonly unknown[]) {
    this.items = items;
  }
}

/** What a pickle may use. */
export interface PickleHost {
  /** The name, or undefined when it is not allowed. */
  name(module: string, name: string): PickleName | undefined;
  /** What a persistent id stands for. */
  persistent(id: unknown): unknown;
}

/** Why a pickle is not read. */
export class PickleError extends Error {
  /** Tells it from other errors. */
  override readonly name = "PickleError";
}

const MAX_DEPTH = 100_000;
const MARK = Symbol("mark");

/**
 * Runs a pickle.
 *
 * @throws {PickleError} when it is damaged, uses an opcode that tensors do not need, or a name that is not allowed.
 */
export function unpickle(bytes: Uint8Array, host: PickleHost): unknown {
  return new Machine(bytes, host).run();
}

class Machine {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #host: PickleHost;
  readonly #memo = new Map<number, unknown>();
  readonly #stack: unknown[] = [];
  #at = 0;

  constructor(bytes: Uint8Array, host: PickleHost) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#host = host;
  }

  run(): unknown {
    while (true) {
      const opcode = this.#bytes[this.#take(1)] as number;
      if (opcode === 0x2e) return this.#pop(); // STOP
      this.#step(opcode);
      if (this.#stack.length > MAX_DEPTH) throw new PickleError("it piles up too many values");
    }
  }

  #step(opcode: number): void {
    switch (opcode) {
      case 0x80: { // PROTO
        const protocol = this.#u8();
        if (protocol < 2 || protocol > 5) {
          throw new PickleError(`it is of protocol ${protocol}; 2 to 5 are read`);
        }
        return;
      }
      case 0x95: // FRAME
        this.#length64();
        return;
      case 0x28: // MARK
        return this.#push(MARK);
      case 0x30: // POP
        this.#pop();
        return;
      case 0x31: // POP_MARK
        this.#popMark();
        return;
      case 0x4e: // NONE
        return this.#push(null);
      case 0x88: // NEWTRUE
        return this.#push(true);
      case 0x89: // NEWFALSE
        return this.#push(false);
      case 0x4a: // BININT
        return this.#push(this.#view.getInt32(this.#take(4), true));
      case 0x4b: // BININT1
        return this.#push(this.#u8());
      case 0x4d: // BININT2
        return this.#push(this.#view.getUint16(this.#take(2), true));
      case 0x8a: // LONG1
        return this.#push(this.#long(this.#u8()));
      case 0x47: // BINFLOAT
        return this.#push(this.#view.getFloat64(this.#take(8), false));
      case 0x8c: // SHORT_BINUNICODE
        return this.#push(this.#text(this.#u8()));
      case 0x58: // BINUNICODE
        return this.#push(this.#text(this.#u32()));
      case 0x8d: // BINUNICODE8
        return this.#push(this.#text(this.#length64()));
      case 0x43: // SHORT_BINBYTES
        return this.#push(this.#raw(this.#u8()));
      case 0x42: // BINBYTES
        return this.#push(this.#raw(this.#u32()));
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        return this.#push(this.#raw(this.#length64()));
      case 0x29: // EMPTY_TUPLE
        return this.#push(new PickleTuple([]));
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: { // TUPLE3
        const items = Array.from({ length: opcode - 0x84 }, () => this.#pop()).reverse();
        return this.#push(new PickleTuple(items));
      }
      case 0x74: // TUPLE
        return this.#push(new PickleTuple(this.#popMark()));
      case 0x5d: // EMPTY_LIST
        return this.#push([]);
      case 0x61: { // APPEND
        const item = this.#pop();
        return void this.#list().push(item);
      }
      case 0x65: { // APPENDS
        const items = this.#popMark();
        const list = this.#list();
        for (const item of items) list.push(item);
        return;
      }
      case 0x7d: // EMPTY_DICT
        return this.#push(new Map());
      case 0x73: { // SETITEM
        const [value, key] = [this.#pop(), this.#pop()];
        return void this.#dict().set(keyOf(key), value);
      }
      case 0x75: { // SETITEMS
        const items = this.#popMark();
        if (items.length % 2 !== 0) throw new PickleError("a key has no value");
        const dict = this.#dict();
        for (let i = 0; i < items.length; i += 2) dict.set(keyOf(items[i]), items[i + 1]);
        return;
      }
      case 0x71: // BINPUT
        return void this.#memo.set(this.#u8(), this.#top());
      case 0x72: // LONG_BINPUT
        return void this.#memo.set(this.#u32(), this.#top());
      case 0x94: // MEMOIZE
        return void this.#memo.set(this.#memo.size, this.#top());
      case 0x68: // BINGET
        return this.#recall(this.#u8());
      case 0x6a: // LONG_BINGET
        return this.#recall(this.#u32());
      case 0x63: // GLOBAL
        return this.#name(this.#line(), this.#line());
      case 0x93: { // STACK_GLOBAL
        const [name, module] = [this.#pop(), this.#pop()];
        return this.#name(module, name);
      }
      case 0x51: // BINPERSID
        return this.#push(this.#host.persistent(this.#pop()));
      case 0x52: // REDUCE
        return this.#reduce();
      case 0x62: { // BUILD
        const state = this.#pop();
        const value = this.#top();
        if (!isBuildable(value)) throw new PickleError("it sets the state of a value that has none");
        return value.build(state);
      }
      default:
        throw new PickleError(
          `its opcode 0x${opcode.toString(16).padStart(2, "0")} at byte ${
            this.#at - 1
          } is not one that tensors need`,
        );
    }
  }

  #reduce(): void {
    const args = this.#pop();
    const name = this.#pop();
    if (!isName(name) || name.call === undefined) throw new PickleError("it calls what cannot be called");
    if (!(args instanceof PickleTuple)) throw new PickleError(`it calls ${name.name} without a tuple`);
    this.#push(name.call(args.items));
  }

  #name(module: unknown, name: unknown): void {
    if (typeof module !== "string" || typeof name !== "string") {
      throw new PickleError("it names a name by no text");
    }
    const found = this.#host.name(module, name);
    if (found === undefined) {
      throw new PickleError(
        `it asks for ${
          JSON.stringify(`${module}.${name}`.slice(0, 200))
        }, which may run code and which tensors do not need`,
      );
    }
    this.#push(found);
  }

  #recall(key: number): void {
    if (!this.#memo.has(key)) throw new PickleError(`it recalls the value ${key}, which it never kept`);
    this.#push(this.#memo.get(key));
  }

  #push(value: unknown): void {
    this.#stack.push(value);
  }

  #pop(): unknown {
    const value = this.#top();
    this.#stack.pop();
    return value;
  }

  #top(): unknown {
    const value = this.#stack.at(-1);
    if (this.#stack.length === 0 || value === MARK) {
      throw new PickleError("it takes a value where there is none");
    }
    return value;
  }

  #popMark(): unknown[] {
    const mark = this.#stack.lastIndexOf(MARK);
    if (mark < 0) throw new PickleError("it closes what it never opened");
    return this.#stack.splice(mark).slice(1);
  }

  #list(): unknown[] {
    const value = this.#top();
    if (!Array.isArray(value)) throw new PickleError("it appends to what is no list");
    return value;
  }

  #dict(): Map<unknown, unknown> {
    const value = this.#top();
    if (!(value instanceof Map)) throw new PickleError("it sets an item of what is no dictionary");
    return value;
  }

  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0 || end - this.#at > 1000) throw new PickleError("a name has no end");
    const text = this.#text(end - this.#at);
    this.#at++;
    return text;
  }

  #text(length: number): string {
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(this.#raw(length));
    } catch (cause) {
      if (cause instanceof PickleError) throw cause;
      throw new PickleError("it has a text that is not UTF-8", { cause });
    }
  }

  #raw(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  #long(length: number): number {
    if (length > 8) throw new PickleError(`it has a whole number of ${length} bytes`);
    let value = 0n;
    for (const [i, byte] of this.#raw(length).entries()) value |= BigInt(byte) << BigInt(8 * i);
    const number = Number(BigInt.asIntN(Math.max(8 * length, 1), value));
    if (!Number.isSafeInteger(number)) throw new PickleError(`it has the whole number ${value}`);
    return number;
  }

  #u8(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  #u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  #length64(): number {
    const value = this.#view.getBigUint64(this.#take(8), true);
    if (value > BigInt(this.#bytes.length)) {
      throw new PickleError(`it claims ${value} bytes, more than there are`);
    }
    return Number(value);
  }

  #take(count: number): number {
    const at = this.#at;
    if (at + count > this.#bytes.length) throw new PickleError("it is cut short");
    this.#at += count;
    return at;
  }
}

function keyOf(key: unknown): string | number {
  if (typeof key === "string" || typeof key === "number") return key;
  throw new PickleError("a dictionary has a key that is neither text nor number");
}

function isName(value: unknown): value is PickleName {
  return typeof value === "object" && value !== null && "name" in value && typeof value.name === "string";
}

function isBuildable(value: unknown): value is Buildable {
  return typeof value === "object" && value !== null && "build" in value && typeof value.build === "function";
}
