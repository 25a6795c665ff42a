/**
 * What a command takes: time, processor time and memory of it and of everything it starts.
 * @module
 */

/** What a command took. */
export interface Cost {
  /** Seconds from its start to its end. */
  readonly seconds: number;
  /** Processor seconds of all its processes. */
  readonly cpuSeconds: number;
  /** Sum of the peak resident memory of all its processes, in bytes. */
  readonly peakBytes: number;
}

/** A command. */
export interface Command {
  /** The program and its arguments. */
  readonly argv: readonly [string, ...string[]];
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where it runs. */
  readonly cwd?: string;
  /** Processors it may use, as `taskset` takes them; all when left out. */
  readonly cpus?: string | null;
}

/** How often the processes are looked at: what one does after the last look is not seen. */
const LOOK_EVERY_MS = 40;
/** Clock ticks a second in `/proc/PID/stat`; 100 on every Linux in use. */
const TICKS = 100;

/** What the processes of one command have taken so far, by process. */
class Watch {
  readonly #peak = new Map<number, number>();
  readonly #ticks = new Map<number, number>();

  constructor(private readonly root: number) {}

  look(): void {
    for (const pid of treeOf(this.root)) {
      const status = read(`/proc/${pid}/status`);
      const peak = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0);
      if (peak > 0) this.#peak.set(pid, peak * 1024);
      const fields = statOf(pid);
      if (fields) this.#ticks.set(pid, Number(fields[11]) + Number(fields[12]));
    }
  }

  get peakBytes(): number {
    return sum(this.#peak);
  }

  get cpuSeconds(): number {
    return sum(this.#ticks) / TICKS;
  }
}

/**
 * Runs a command to its end. Linux alone.
 *
 * @throws {Error} when it fails, with what it printed to stderr.
 */
export async function measure(command: Command): Promise<Cost & { readonly stdout: string }> {
  const [program, ...args] = pinned(command);
  const began = performance.now();
  const process = new Deno.Command(program, {
    args,
    ...(command.env ? { env: { ...command.env } } : {}),
    ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const watch = new Watch(process.pid);
  const timer = setInterval(() => watch.look(), LOOK_EVERY_MS);
  const { success, code, stdout, stderr } = await process.output();
  clearInterval(timer);
  const seconds = (performance.now() - began) / 1000;
  const text = new TextDecoder();
  if (!success) {
    throw new Error(`${command.argv.join(" ")} ended with ${code}:\n${text.decode(stderr).slice(-4000)}`);
  }
  return {
    seconds,
    cpuSeconds: watch.cpuSeconds,
    peakBytes: watch.peakBytes,
    stdout: text.decode(stdout),
  };
}

/** A command's words, with the pin in front where there is one. */
export function pinned({ argv, cpus = null }: Pick<Command, "argv" | "cpus">): [string, ...string[]] {
  return cpus === null ? [...argv] : ["taskset", "-c", cpus, ...argv];
}

/** The processors this process may use. */
export function allowedCpus(): number[] {
  const list = /Cpus_allowed_list:\s+(\S+)/.exec(read("/proc/self/status"))?.[1] ?? "";
  return list.split(",").filter((part) => part !== "").flatMap((part) => {
    const [from = 0, to = from] = part.split("-").map(Number);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
}

function treeOf(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(statOf(Number(name))?.[1] ?? -1);
    children.set(parent, [...children.get(parent) ?? [], Number(name)]);
  }
  const tree = [root];
  for (let i = 0; i < tree.length; i++) tree.push(...children.get(tree[i] as number) ?? []);
  return tree;
}

/** The fields of `/proc/PID/stat` after the command's name (which may hold anything): state, parent, ... */
function statOf(pid: number): string[] | null {
  const text = read(`/proc/${pid}/stat`);
  return text === "" ? null : text.slice(text.lastIndexOf(")") + 2).split(" ");
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return ""; // it has ended
  }
}

function sum(values: ReadonlyMap<number, number>): number {
  let total = 0;
  for (const value of values.values()) total += value;
  return total;
}
