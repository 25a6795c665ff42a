/**
 * The client's end of the line to a decoder's worker.
 * @module
 */
import { z } from "zod";
import { InputError } from "../base/errors.ts";
import type { Calls, FromWorker, ToWorker } from "./protocol.ts";
import type { BranchEvent } from "./types.ts";

/** Tells the replies of prefill and extend from others. */
const prefixReply = z.looseObject({ prefix: z.int() });

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly onToken: ((event: BranchEvent) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Sends calls to the worker and matches what comes back. */
export class WorkerLink {
  readonly #worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  readonly #pending = new Map<number, Pending>();
  #next = 0;
  #broken: Error | undefined;

  constructor() {
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#receive(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#break(new Error(`The engine's worker failed: ${event.message}`));
    };
  }

  /**
   * Makes a call.
   *
   * @throws {InputError} as the engine does; the signal's reason when the call was stopped by it; and an Error when
   * the worker has failed or is closed.
   */
  call<M extends keyof Calls>(
    method: M,
    request: Calls[M]["request"],
    options: {
      readonly signal?: AbortSignal | undefined;
      readonly onToken?: ((event: BranchEvent) => void) | undefined;
    } = {},
  ): Promise<Calls[M]["reply"]> {
    const { signal, onToken } = options;
    return new Promise<Calls[M]["reply"]>((resolve, reject) => {
      if (this.#broken !== undefined) return reject(this.#broken);
      const id = this.#next++;
      const onAbort = () => {
        this.#send({ kind: "abort", id });
        const [first] = this.#pending.keys(); // what is not generated is computed in order
        if (method !== "generate" && first !== id) this.#pending.get(id)?.reject(signal?.reason);
      };
      const done = () => {
        signal?.removeEventListener("abort", onAbort);
        this.#pending.delete(id);
      };
      this.#pending.set(id, {
        resolve: (value) => (done(), resolve(value as Calls[M]["reply"])),
        reject: (error) => (done(), reject(error)),
        onToken,
        signal,
      });
      this.#send({ kind: "call", id, method, request } as ToWorker);
      if (signal?.aborted) onAbort();
      else signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Sends what is not answered. */
  tell(message: Extract<ToWorker, { kind: "edit" | "dispose" }>): void {
    if (this.#broken === undefined) this.#send(message);
  }

  /** Ends the worker; calls under way fail. */
  terminate(): void {
    this.#worker.terminate();
    this.#break(new InputError("The model is closed: load it again."));
  }

  #send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromWorker): void {
    const pending = this.#pending.get(message.id);
    if (pending === undefined) {
      // Stopped here before the worker heard of it: nobody will dispose of what it made.
      const made = message.kind === "reply" ? prefixReply.safeParse(message.value) : undefined;
      if (made?.success) this.tell({ kind: "dispose", prefix: made.data.prefix });
      return;
    }
    if (message.kind === "token") pending.onToken?.(message.event);
    else if (message.kind === "reply") pending.resolve(message.value);
    else if (pending.signal?.aborted) pending.reject(pending.signal.reason);
    else pending.reject(message.input ? new InputError(message.message) : new Error(message.message));
  }

  #break(error: Error): void {
    this.#broken ??= error;
    for (const pending of [...this.#pending.values()]) pending.reject(this.#broken);
  }
}
