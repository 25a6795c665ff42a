/**
 * A real Deno kernel as a child process, spoken to over ZeroMQ. No Python.
 * @module
 */
import { type Clock, systemClock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { makeConnection } from "./connection.ts";
import { endWithUs } from "./end_with_us.ts";
import { decodeMessage, encodeMessage, type Message } from "./protocol.ts";

/** How a kernel ended. */
export interface KernelExit {
  /** The exit code; 128 and the signal's number when a signal ended it. */
  readonly code: number;
  /** `SIGKILL` and the like; null when it left by itself. */
  readonly signal: string | null;
}

/** The kernel ended while something was asked of it. */
export class KernelDiedError extends Error {
  /** The class's name. */
  override readonly name = "KernelDiedError";
  /** How the process ended. */
  readonly exit: KernelExit;
  /** Takes the last text the process wrote to its own stdout and stderr, to be shown in the message. */
  constructor(exit: KernelExit, lastWords: string) {
    const how = exit.signal === null ? `left with exit code ${exit.code}` : `was killed by ${exit.signal}`;
    const words = lastWords.trim();
    super(`The kernel ${how}.` + (words === "" ? "" : ` Its last words:\n${words}`));
    this.exit = exit;
  }
}

/** The kernel did not answer after it was started. */
export class KernelStartError extends Error {
  /** The class's name. */
  override readonly name = "KernelStartError";
}

/** What a kernel answers to a request. */
export type Reply = Readonly<Record<string, unknown>>;

/** Options of {@linkcode startKernel}. */
export interface KernelOptions {
  /** The kernel's folder: imports of the cells resolve from here, up to the nearest `deno.json`. */
  readonly cwd: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Receives every message of the kernel's iopub channel, in the order it arrives. */
  readonly onMessage?: (message: Message) => void;
  /** Receives what the kernel's process writes to its own stdout and stderr (native addons do). */
  readonly onNativeOutput?: (text: string) => void;
  /** Most time for the first answer, in milliseconds; 60,000 when left out. */
  readonly startupMs?: number;
  /** Time, replaced in tests. */
  readonly clock?: Clock;
  /** Breaks the start off. */
  readonly signal?: AbortSignal;
}

/** A running kernel. Closed by `await using`. */
export interface Kernel extends AsyncDisposable {
  /** The process's id, which is its group's as well. */
  readonly pid: number;
  /** Settles when the process has ended; never rejects. */
  readonly exited: Promise<KernelExit>;
  /**
   * Sends code to be executed.
   *
   * @returns the request's id, and the reply; the outputs come to `onMessage`, some of them after the reply.
   * @throws {KernelDiedError} (through `reply`) when the kernel ends first.
   */
  execute(
    code: string,
    options?: { silent?: boolean },
  ): { readonly id: string; readonly reply: Promise<Reply> };
  /** Writes a line to the kernel's standard input; does nothing when the kernel has ended. */
  tell(line: string): Promise<void>;
  /** Ends the kernel and its children at once. */
  kill(): void;
}

const START_TRIES = 3;

/**
 * Starts `deno jupyter --kernel` in a process group of its own, so that Ctrl+C in the terminal does not reach it.
 * It is killed when this process dies.
 * Its connection file, with a fresh HMAC key, lies in a private folder that is removed once it has been read.
 *
 * @throws {KernelDiedError} when it ends before it answers. @throws {KernelStartError} when it does not answer in time.
 */
export async function startKernel(options: KernelOptions): Promise<Kernel> {
  for (let attempt = 1;; attempt++) {
    try {
      return await tryStart(options);
    } catch (error) {
      // A port that was free a moment ago may be taken: try others.
      if (attempt === START_TRIES || !(error instanceof KernelDiedError) || error.exit.signal !== null) {
        throw error;
      }
    }
  }
}

async function tryStart(options: KernelOptions): Promise<Kernel> {
  options.signal?.throwIfAborted();
  const clock = options.clock ?? systemClock;
  const zmq = await import("zeromq");
  const connection = await makeConnection();
  const { key } = connection;
  const session = crypto.randomUUID();

  const child = new Deno.Command(Deno.execPath(), {
    args: ["jupyter", "--kernel", "--conn", connection.file],
    cwd: options.cwd,
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", ...options.env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    detached: true,
  }).spawn();
  const tie = endWithUs(child.pid);
  let lastWords = "";
  const onNative = (text: string) => {
    const shown = text.replace(/^.*"deno jupyter" is unstable.*\n?/gm, "");
    if (shown.trim() === "") return;
    lastWords = (lastWords + shown).slice(-4000);
    options.onNativeOutput?.(shown);
  };
  const native = Promise.all([relay(child.stdout, onNative), relay(child.stderr, onNative)]);
  const stdin = child.stdin.getWriter();
  stdin.closed.catch(() => {}); // a broken pipe is learned from `exited`

  // Deno 2.9.6 loses wake-ups of zeromq's pollers and crashes in its timers, so sockets are never waited for:
  // timeouts are 0 and all sockets are read in turns.
  const shell = new zmq.Dealer({ linger: 0, receiveTimeout: 0, sendTimeout: 0 });
  const control = new zmq.Dealer({ linger: 0, receiveTimeout: 0, sendTimeout: 0 });
  const iopub = new zmq.Subscriber({ linger: 0, receiveTimeout: 0, receiveHighWaterMark: 0 });
  shell.connect(connection.address("shell"));
  control.connect(connection.address("control"));
  iopub.connect(connection.address("iopub"));
  iopub.subscribe();

  const waiting = new Map<string, { resolve(reply: Reply): void; reject(error: Error): void }>();
  let ended: KernelExit | null = null;
  let closed = false;
  let heard = false;
  const onIopub = (message: Message) => {
    heard = true;
    options.onMessage?.(message);
  };
  const onReply = (message: Message) => {
    if (message.parentId === null) return;
    waiting.get(message.parentId)?.resolve(message.content);
    waiting.delete(message.parentId);
  };
  const drain = async (socket: { receive(): Promise<Uint8Array[]> }, handle: (message: Message) => void) => {
    let count = 0;
    // A pause in a flood lets timers and signals through.
    for (; count < 256; count++) {
      const frames = await receiveNow(socket);
      if (frames === null) break;
      const message = decodeMessage(frames, key);
      if (message !== null) handle(message);
    }
    return count;
  };
  let pause = 1;
  const reading = (async () => {
    while (!closed) {
      const count = await drain(iopub, onIopub) + await drain(shell, onReply) + await drain(control, onReply);
      pause = count > 0 ? 1 : Math.min(20, pause * 1.3);
      if (count === 0 && ended !== null) break;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  })();
  const exited: Promise<KernelExit> = child.status.then(async (status) => {
    await native.catch(() => {});
    // What was on its way when the process ended is still delivered.
    await new Promise((resolve) => setTimeout(resolve, 50));
    ended = { code: status.code, signal: status.signal };
    await reading;
    for (const { reject } of waiting.values()) reject(new KernelDiedError(ended, lastWords));
    waiting.clear();
    return ended;
  });

  const send = (socket: { send(frames: string[]): Promise<void> }, type: string, content: Reply) => {
    const id = crypto.randomUUID();
    const reply = new Promise<Reply>((resolve, reject) => {
      if (ended !== null) return reject(new KernelDiedError(ended, lastWords));
      waiting.set(id, { resolve, reject });
      pause = 1;
      socket.send(encodeMessage({ type, id, session, content }, key)).catch((error) => {
        waiting.delete(id);
        reject(new Error(`Could not send to the kernel: ${messageOf(error)}`, { cause: error }));
      });
    });
    reply.catch(() => {}); // whoever awaits it sees it
    return { id, reply };
  };

  const kill = () => {
    if (ended !== null) return;
    try {
      Deno.kill(-child.pid, "SIGKILL"); // the whole group
    } catch {
      try {
        child.kill("SIGKILL");
      } catch { /* already gone */ }
    }
  };

  const kernel: Kernel = {
    pid: child.pid,
    exited,
    execute: (code, { silent = false } = {}) =>
      send(shell, "execute_request", {
        code,
        silent,
        store_history: !silent,
        user_expressions: {},
        allow_stdin: false,
        stop_on_error: true,
      }),
    tell: (line) => stdin.write(new TextEncoder().encode(line + "\n")).catch(() => {}),
    kill,
    async [Symbol.asyncDispose]() {
      if (closed) return;
      if (ended === null) {
        send(control, "shutdown_request", { restart: false });
        const left = await Promise.race([exited, clock.sleep(500).then(() => null)]);
        if (left === null) kill();
      }
      await exited;
      closed = true;
      await reading;
      await stdin.close().catch(() => {});
      await tie[Symbol.asyncDispose]();
      for (const socket of [shell, control, iopub]) socket.close();
      await connection[Symbol.asyncDispose]();
    },
  };

  try {
    await firstAnswer(
      () => send(shell, "kernel_info_request", {}).reply,
      () => heard,
      exited,
      options,
      clock,
    );
    await connection[Symbol.asyncDispose](); // read by now; whoever is killed later leaves no key behind
    return kernel;
  } catch (error) {
    kill();
    await kernel[Symbol.asyncDispose]();
    throw error;
  }
}

/** Asks until the kernel has answered and its iopub channel has been heard: a subscription takes effect late. */
async function firstAnswer(
  ask: () => Promise<Reply>,
  heard: () => boolean,
  exited: Promise<KernelExit>,
  options: KernelOptions,
  clock: Clock,
): Promise<void> {
  const limit = options.startupMs ?? 60_000;
  const deadline = clock.now() + limit;
  const died = exited.then((exit) => {
    throw new KernelDiedError(exit, "");
  });
  died.catch(() => {});
  let answered = false;
  while (clock.now() < deadline) {
    void ask().then(() => answered = true, () => {});
    for (let i = 0; i < 50; i++) {
      options.signal?.throwIfAborted();
      await Promise.race([died, clock.sleep(10)]);
      if (answered && heard()) return;
    }
  }
  throw new KernelStartError(`The kernel did not answer within ${limit / 1000} s of its start.`);
}

async function receiveNow(socket: { receive(): Promise<Uint8Array[]> }): Promise<Uint8Array[] | null> {
  try {
    return await socket.receive();
  } catch (error) {
    if ((error as { code?: string }).code === "EAGAIN") return null;
    throw error;
  }
}

async function relay(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  write: (text: string) => void,
): Promise<void> {
  for await (const text of stream.pipeThrough(new TextDecoderStream())) write(text);
}
