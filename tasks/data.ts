/**
 * `deno task data`: downloads data into `data/`, and writes the sample that ships.
 * @module
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { loadO200k } from "../lib/backends/tokenizers.ts";
import { systemClock } from "../lib/base/clock.ts";
import { INPUT_ERROR_EXIT, InputError, INTERRUPTED_EXIT } from "../lib/base/errors.ts";
import { log } from "../lib/base/log.ts";
import { fetchEssays } from "../lib/context_rot/fetch_essays.ts";
import type { FetchOptions } from "../lib/base/fetch_file.ts";
import { fetchLongMemEval } from "../lib/context_rot/fetch_longmemeval.ts";
import { dataFolder } from "../lib/context_rot/longmemeval_config.ts";
import { writeSample } from "../lib/context_rot/longmemeval_sample.ts";
import { fetchToxicChat } from "../lib/parity/fetch_toxicchat.ts";
import { stopOnSignal } from "../lib/runs/stop_on_signal.ts";
import { writeShippedPairs } from "../lib/steering/shipped_pairs.ts";

const HELP = `Downloads data into data/. What is there and whole is not downloaded again.

deno task data longmemeval   cleaned_longmemeval_s_{focused,full}.csv and the question types: about 175 MB,
                             from the Hugging Face hub (HF_ENDPOINT, HF_TOKEN)
deno task data essays        the essays that needle searches are usually run on: 0.6 MB, from GitHub
deno task data toxicchat     ToxicChat, 10,165 labelled messages, for the comparison of backends: about 16 MB, from the
                             hub; CC-BY-NC 4.0, and its texts are what they are
deno task data sample        writes our own sample of chat questions anew; it ships, and comes out the same
deno task data pairs         the same of the steering styles' contrastive pairs

  --from URL   a web folder that has the files by their names, instead of where they are published
  --to DIR     where they are put (default data)

Stop with Ctrl+C; the same command goes on where it was. Every download is checked by size and SHA-256: against what
its publisher lists, and where nobody lists it against what was recorded in downloads.lock.json at the first time.
`;

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parse(args);
  if (values.help || positionals.length === 0) {
    console.log(HELP);
    return positionals.length === 0 && !values.help ? INPUT_ERROR_EXIT : 0;
  }
  const folder = values.to === undefined ? dataFolder() : resolve(values.to);
  const from = values.from === undefined ? null : address(values.from);
  const jobs = positionals.map(jobOf);
  const stopping = new AbortController();
  using _stop = stopOnSignal(() => stopping.abort());
  try {
    const { signal } = stopping;
    const options = {
      folder,
      from,
      signal,
      log,
      clock: systemClock,
      env: (name: string) => Deno.env.get(name),
    };
    for (const job of jobs) await job(options);
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
    log("stopped; what has come is kept, and the same command goes on from there");
    return INTERRUPTED_EXIT;
  }
  return 0;
}

const JOBS: Readonly<Record<string, (options: FetchOptions) => Promise<void>>> = {
  longmemeval: fetchLongMemEval,
  essays: (options) => fetchEssays(options),
  toxicchat: fetchToxicChat,
  async sample({ folder }) {
    for (const path of await writeSample(folder, await loadO200k())) log(`wrote ${path}`);
  },
  async pairs({ folder }) {
    for (const path of await writeShippedPairs(folder)) log(`wrote ${path}`);
  },
};

function jobOf(name: string): (options: FetchOptions) => Promise<void> {
  const job = Object.hasOwn(JOBS, name) ? JOBS[name] : undefined;
  if (job !== undefined) return job;
  throw new InputError(
    `There is no data set ${JSON.stringify(name)}: choose ${Object.keys(JOBS).join(", ")}.`,
  );
}

function address(text: string): string {
  if (/^https?:$/.test(URL.parse(text)?.protocol ?? "")) return text;
  throw new InputError(
    `--from is ${JSON.stringify(text)}: give an address such as https://example.org/data.`,
  );
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: { from: { type: "string" }, to: { type: "string" }, help: { type: "boolean", short: "h" } },
    });
  } catch (error) {
    const message = (error as Error).message.replace(/\.?$/, ".");
    throw new InputError(`${message} Run deno task data --help for the flags.`, {
      cause: error,
    });
  }
}

try {
  Deno.exitCode = await main(Deno.args);
} catch (error) {
  if (!(error instanceof InputError)) throw error;
  console.error(error.message);
  Deno.exitCode = INPUT_ERROR_EXIT;
}
