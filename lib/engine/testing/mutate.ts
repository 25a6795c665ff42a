/**
 * Damages files the way accidents and attackers do, the same way for the same random stream.
 * @module
 */
import type { Random } from "../../base/random.ts";

/** Values that no reader should trust. */
const NASTY: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  0.5,
  1,
  2,
  7,
  1e9,
  1e12,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  1e18,
  1e308,
  -1e308,
  "",
  "x",
  "../../etc/passwd",
  "/etc/passwd",
  "__proto__",
  "\u0000",
  "9".repeat(400),
  [],
  {},
  [[]],
  [1e12, 1e12],
  [-1],
  { a: {} },
  "F64",
  "F16",
  "I8",
  "LlamaForCausalLM",
  "PreTrainedTokenizer",
];

/** A copy of a JSON value with one to three places changed: replaced, removed, doubled or renamed. */
export function mutateJson(json: unknown, random: Random): unknown {
  const copy: unknown = structuredClone(json);
  for (let count = 1 + random.int(3); count > 0; count--) {
    let parent: unknown = copy;
    while (true) {
      if (parent === null || typeof parent !== "object" || Object.keys(parent).length === 0) break;
      const holder = parent as Record<string, unknown>;
      const key = random.pick(Object.keys(holder));
      const child = holder[key];
      const deeper = child !== null && typeof child === "object" && Object.keys(child).length > 0;
      if (deeper && random.next() < 0.75) {
        parent = child;
        continue;
      }
      change(holder, key, random);
      break;
    }
  }
  return copy;
}

function change(holder: Record<string, unknown>, key: string, random: Random): void {
  const old = holder[key];
  const kind = random.int(6);
  if (kind === 0) delete holder[key];
  else if (kind === 1) {
    delete holder[key];
    if (!Array.isArray(holder)) {
      Object.defineProperty(holder, random.pick(["x", "__proto__", `${key}.`, ""]), plain(old));
    }
  } else if (kind === 2 && typeof old === "number") {
    holder[key] = old * random.pick([2, -1, 0.5, 1e6, 2 ** 40]);
  } else if (kind === 3 && typeof old === "number") holder[key] = old + random.pick([-1, 1, 4, 8]);
  else if (kind === 4 && Array.isArray(old)) holder[key] = [...old, ...old];
  else holder[key] = structuredClone(random.pick(NASTY));
}

function plain(value: unknown): PropertyDescriptor {
  return { value, enumerable: true, configurable: true, writable: true };
}

/** A copy of bytes that is cut, lengthened, or has some bytes changed, most of them near the beginning. */
export function mutateBytes(bytes: Uint8Array, random: Random): Uint8Array {
  const kind = random.int(4);
  if (kind === 0) return bytes.slice(0, random.int(bytes.length + 1));
  if (kind === 1) {
    const longer = new Uint8Array(bytes.length + 1 + random.int(64));
    longer.set(bytes);
    return longer;
  }
  const out = bytes.slice();
  const reach = kind === 2 ? Math.min(bytes.length, 600) : bytes.length;
  for (let count = 1 + random.int(8); count > 0; count--) {
    out[random.int(reach)] = random.pick([0, 1, 127, 128, 255, random.int(256)]);
  }
  return out;
}

/** A safetensors file whose header was changed by {@linkcode mutateJson}, or whose length field lies. */
export function mutateSafetensors(bytes: Uint8Array, random: Random): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const length = Number(view.getBigUint64(0, true));
  const header: unknown = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  const text = new TextEncoder().encode(JSON.stringify(mutateJson(header, random)));
  const out = new Uint8Array(8 + text.length + bytes.length - 8 - length);
  const lie = random.pick([0n, 0n, 0n, 0n, 1n, -1n, 8n, BigInt(2 ** 40), 2n ** 63n, 2n ** 64n - 1n]);
  new DataView(out.buffer).setBigUint64(0, BigInt.asUintN(64, BigInt(text.length) + lie), true);
  out.set(text, 8);
  out.set(bytes.subarray(8 + length), 8 + text.length);
  return out;
}
