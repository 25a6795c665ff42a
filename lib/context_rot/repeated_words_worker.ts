/**
 * Measures copies in a worker: `{id, spec, output}` in, `{id, metrics}` out.
 * @module
 */
import { type CopyMetrics, measureCopy } from "./repeated_words_metrics.ts";
import type { CopySpec } from "./repeated_words_prompt.ts";

/** A copy that is to be measured. */
export interface CopyJob {
  /** What should have been copied. */
  readonly spec: CopySpec & { readonly position: number };
  /** What was written. */
  readonly output: string;
}

/** What the worker is sent. */
export type ToCopyWorker = CopyJob & { readonly id: number };

/** What it answers. */
export interface FromCopyWorker {
  /** Of the job. */
  readonly id: number;
  /** Its measures. */
  readonly metrics: CopyMetrics;
}

/** What a worker's global scope has that a window's has not. */
const scope = globalThis as unknown as {
  onmessage: ((event: MessageEvent<ToCopyWorker>) => void) | null;
  postMessage(message: FromCopyWorker): void;
};

scope.onmessage = ({ data }) =>
  scope.postMessage({ id: data.id, metrics: measureCopy(data.spec, data.output) });
