/**
 * What the kernel's side of a headless run tells the client: that outputs have arrived, that work is stopping.
 * @module
 */
import type { Clock } from "../base/clock.ts";
import type { Kernel } from "./kernel.ts";

/** How long no output must come until no late output is waited for any more, in milliseconds. */
const FENCE_MS = 30_000;
/** How long to wait for the token until it is sent again, in milliseconds. */
const AGAIN_MS = 100;
const FENCE = "probebook-fence-";

/** The marks that the kernel's side sends among the outputs. */
export interface Marks {
  /** Notes that an output has come. */
  count(): void;
  /** Takes a mark. */
  receive(mark: Record<string, unknown>): void;
  /** Takes a console text. @returns whether it was a token and not an output. */
  receiveLine(text: string): boolean;
  /** Counts the outputs that have come. */
  messages(): number;
  /** Resolves when the token has come through both channels. */
  fence(token: string): Promise<void>;
  /** Resolves with how many handlers were asked to stop. */
  readonly stopping: Promise<number>;
  /** Resolves when all of them have ended. */
  readonly stopped: Promise<void>;
}

/** Marks of one kernel. */
export function createMarks(): Marks {
  const stopping = Promise.withResolvers<number>();
  const stopped = Promise.withResolvers<void>();
  let messages = 0;
  let awaited: { token: string; shown: boolean; printed: boolean; pass: () => void } | null = null;
  const check = () => {
    if (awaited?.shown && awaited.printed) awaited.pass();
  };
  return {
    count: () => void messages++,
    receive(mark) {
      if (typeof mark.stopping === "number") stopping.resolve(mark.stopping);
      if (mark.stopped === true) stopped.resolve();
      if (awaited !== null && mark.fence === awaited.token) awaited.shown = true;
      check();
    },
    receiveLine(text) {
      if (!text.startsWith(FENCE)) return false;
      if (text === awaited?.token + "\n" && awaited !== null) awaited.printed = true;
      check();
      return true;
    },
    messages: () => messages,
    fence: (token) =>
      new Promise((pass) => {
        awaited = { token, shown: false, printed: false, pass };
      }),
    stopping: stopping.promise,
    stopped: stopped.promise,
  };
}

/**
 * Waits until a token has come through both channels of outputs, and with it all that was sent before.
 *
 * Deno 2.9.6 drops what it cannot send at once, so the token is sent again until it comes. A single output of several
 * megabytes, more than a socket buffers, may be lost on a busy machine all the same.
 */
export async function passFence(kernel: Kernel, marks: Marks, clock: Clock): Promise<void> {
  const token = FENCE + crypto.randomUUID();
  let passed = false;
  const arrival = marks.fence(token).then(() => void (passed = true));
  const code = `globalThis[Symbol.for("probebook.headless")]?.fence(${JSON.stringify(token)})`;
  const over = new AbortController();
  let alive = true;
  const exit = kernel.exited.then(() => void (alive = false));
  // Gives up only when nothing comes any more: a cell may have redefined what the token is sent with.
  for (let seen = -1, since = clock.now(); !passed && alive;) {
    await kernel.execute(code, { silent: true }).reply;
    if (seen !== marks.messages()) [seen, since] = [marks.messages(), clock.now()];
    if (clock.now() - since > FENCE_MS) break;
    await Promise.race([arrival, exit, clock.sleep(AGAIN_MS, over.signal).catch(() => {})]);
  }
  over.abort();
}
