/**
 * Measures many copies beside the main thread.
 * @module
 */
import { keptMetrics } from "./repeated_words_kept.ts";
import type { CopyMetrics } from "./repeated_words_metrics.ts";
import type { CopyJob, FromCopyWorker, ToCopyWorker } from "./repeated_words_worker.ts";

/** Options of {@linkcode measureCopies}. */
export interface MeasureOptions {
  /** A file in which measures are kept, so that long copies are measured once; nothing is kept when left out. */
  readonly kept?: string | null;
  /** Ends it. */
  readonly signal?: AbortSignal;
}

const MOST_WORKERS = 4;

/**
 * The measures of every copy, in order (see `measureCopy`), by workers: the calling thread stays free.
 *
 * @throws the signal's reason when it is aborted; {InputError} when the file for what is kept cannot be written.
 */
export async function measureCopies(
  jobs: readonly CopyJob[],
  options: MeasureOptions = {},
): Promise<CopyMetrics[]> {
  const { signal } = options;
  signal?.throwIfAborted();
  const kept = await keptMetrics(options.kept ?? null);
  const measured = jobs.map((job) => kept.get(job));
  const todo = [...measured.keys()].filter((i) => measured[i] === undefined);
  const cores = Math.max(1, navigator.hardwareConcurrency - 1);
  let next = 0;
  const work = async () => {
    using worker = new CopyWorker(signal);
    while (next < todo.length) {
      const i = todo[next++] as number;
      const job = jobs[i] as CopyJob;
      const metrics = await worker.measure(job);
      measured[i] = metrics;
      await kept.put(job, metrics);
    }
  };
  await Promise.all(Array.from({ length: Math.min(MOST_WORKERS, cores, todo.length) }, work));
  return measured as CopyMetrics[];
}

/** One worker, one job at a time. */
class CopyWorker implements Disposable {
  readonly #worker = new Worker(new URL("./repeated_words_worker.ts", import.meta.url), { type: "module" });
  readonly #signal: AbortSignal | undefined;
  #id = 0;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  measure(job: CopyJob): Promise<CopyMetrics> {
    const { promise, resolve, reject } = Promise.withResolvers<CopyMetrics>();
    const id = ++this.#id;
    this.#worker.onmessage = ({ data }: MessageEvent<FromCopyWorker>) => {
      if (data.id === id) resolve(data.metrics);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(`Measuring a copy failed: ${event.message}`));
    };
    const onAbort = () => reject(this.#signal?.reason);
    this.#signal?.addEventListener("abort", onAbort, { once: true });
    if (this.#signal?.aborted) onAbort();
    this.#worker.postMessage({ ...job, id } satisfies ToCopyWorker);
    return promise.finally(() => this.#signal?.removeEventListener("abort", onAbort));
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}
