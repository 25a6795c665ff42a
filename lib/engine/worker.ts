/**
 * The worker that a decoder computes in.
 * @module
 */
import { InputError, messageOf } from "../base/errors.ts";
import { loadLocalDecoder } from "./local_decoder.ts";
import type { CallMessage, FromWorker, PrefixReply, ToWorker } from "./protocol.ts";
import type { Decoder, Prefix } from "./types.ts";

/** The part of a worker's global scope that is used here. */
interface Scope {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker): void;
}

// @huggingface/transformers reads the origin of `location` when it is imported and fails on that of a file.
Reflect.deleteProperty(globalThis, "location");

const scope = globalThis as unknown as Scope;
const prefixes = new Map<number, Prefix>();
const aborts = new Map<number, AbortController>();
let decoder: Decoder | undefined;
let nextPrefix = 0;

scope.onmessage = ({ data }) => {
  if (data.kind === "abort") aborts.get(data.id)?.abort();
  else if (data.kind === "edit") prefixes.get(data.prefix)?.editKV(data.edit);
  else if (data.kind === "dispose") {
    prefixes.get(data.prefix)?.[Symbol.dispose]();
    prefixes.delete(data.prefix);
  } else answer(data);
};

async function answer(message: CallMessage): Promise<void> {
  const { id } = message;
  const abort = new AbortController();
  aborts.set(id, abort);
  try {
    scope.postMessage({ kind: "reply", id, value: await perform(message, abort.signal) });
  } catch (error) {
    scope.postMessage({ kind: "error", id, input: error instanceof InputError, message: messageOf(error) });
  } finally {
    aborts.delete(id);
  }
}

async function perform(message: CallMessage, signal: AbortSignal): Promise<unknown> {
  const { id, method, request } = message;
  switch (method) {
    case "load":
      decoder = await loadLocalDecoder(request.dir, { ...request.options, signal });
      return null;
    case "forward":
      return await model().forward(request.ids, { ...request.options, signal });
    case "prefill":
      return keep(await model().prefill(request.ids, { ...request.options, signal }));
    case "extend":
      return keep(await prefixOf(request.prefix).extend(request.ids, { ...request.options, signal }));
    case "readKV":
      return await prefixOf(request.prefix).readKV(request.slot);
    case "generate":
      return await model().generateMany(
        request.continuations.map(({ prefix, options }) => ({ prefix: prefixOf(prefix), ...options })),
        {
          ...request.options,
          signal,
          ...(request.stream ? { onToken: (event) => scope.postMessage({ kind: "token", id, event }) } : {}),
        },
      );
    case "selfTest":
      return await model().selfTest();
    case "stats":
      return await model().stats();
    case "close":
      await decoder?.[Symbol.asyncDispose]();
      return null;
  }
}

function model(): Decoder {
  if (decoder === undefined) throw new Error("The worker was asked to compute before its model was loaded.");
  return decoder;
}

function prefixOf(id: number): Prefix {
  const prefix = prefixes.get(id);
  if (prefix === undefined) throw new InputError("The prefix was disposed of: prefill again.");
  return prefix;
}

function keep(prefix: Prefix): PrefixReply {
  const id = nextPrefix++;
  prefixes.set(id, prefix);
  return { prefix: id, length: prefix.length, cachedTokens: prefix.cachedTokens, logits: prefix.logits };
}
