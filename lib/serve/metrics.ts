/**
 * What the server has done, as Prometheus reads it (text format 0.0.4).
 * @module
 */
import type { DecoderStats } from "../engine/mod.ts";

const BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

class Histogram {
  readonly #counts = BUCKETS.map(() => 0);
  #count = 0;
  #sum = 0;

  add(seconds: number): void {
    this.#count++;
    this.#sum += seconds;
    for (const [i, bound] of BUCKETS.entries()) {
      if (seconds <= bound) this.#counts[i] = (this.#counts[i] as number) + 1;
    }
  }

  lines(name: string, labels: string): string[] {
    const bucket = (bound: string) => `${name}_bucket{${labels === "" ? "" : `${labels},`}le="${bound}"}`;
    const of = labels === "" ? "" : `{${labels}}`;
    return [
      ...BUCKETS.map((bound, i) => `${bucket(String(bound))} ${this.#counts[i]}`),
      `${bucket("+Inf")} ${this.#count}`,
      `${name}_sum${of} ${this.#sum}`,
      `${name}_count${of} ${this.#count}`,
    ];
  }
}

/** Tokens of one answered request. */
export interface TokenCounts {
  /** Of the prompts, cached ones included. */
  readonly prompt: number;
  /** Of the prompts, those whose keys and values were there already. */
  readonly cached: number;
  /** Drawn, in all samples. */
  readonly generated: number;
}

/** What is so now. */
export interface Gauges {
  /** Requests that are being answered, waiting ones included. */
  readonly inFlight: number;
  /** Requests that wait for their turn. */
  readonly queued: number;
  /** Samples that are being drawn. */
  readonly samples: number;
}

/** Counts what happens. */
export class Metrics {
  readonly #requests = new Map<string, number>();
  readonly #durations = new Map<string, Histogram>();
  readonly #firstToken = new Histogram();
  #tokens: TokenCounts = { prompt: 0, cached: 0, generated: 0 };

  /** A request was answered, with `status`; 499 when the client was gone before. */
  request(endpoint: string, status: number, seconds: number): void {
    const labels = `endpoint="${endpoint}",status="${status}"`;
    this.#requests.set(labels, (this.#requests.get(labels) ?? 0) + 1);
    const duration = this.#durations.get(endpoint) ?? new Histogram();
    this.#durations.set(endpoint, duration);
    duration.add(seconds);
  }

  /** The first token of a request came, `seconds` after the request. */
  firstToken(seconds: number): void {
    this.#firstToken.add(seconds);
  }

  /** Tokens were read and drawn. */
  tokens({ prompt, cached, generated }: TokenCounts): void {
    const sum = this.#tokens;
    this.#tokens = {
      prompt: sum.prompt + prompt,
      cached: sum.cached + cached,
      generated: sum.generated + generated,
    };
  }

  /** Everything, as text. */
  text(now: Gauges, engine: DecoderStats): string {
    const lines: string[] = [];
    const metric = (name: string, type: string, help: string, values: readonly string[]) => {
      lines.push(`# HELP probebook_${name} ${help}`, `# TYPE probebook_${name} ${type}`, ...values);
    };
    const number = (name: string, type: string, help: string, value: number) =>
      metric(name, type, help, [`probebook_${name} ${value}`]);
    metric(
      "requests_total",
      "counter",
      "Requests by endpoint and HTTP status; 499: the client was gone.",
      [...this.#requests].map(([labels, count]) => `probebook_requests_total{${labels}} ${count}`),
    );
    metric(
      "request_duration_seconds",
      "histogram",
      "From a request's head to the last byte of its answer.",
      [...this.#durations].flatMap(([endpoint, histogram]) =>
        histogram.lines("probebook_request_duration_seconds", `endpoint="${endpoint}"`)
      ),
    );
    metric(
      "time_to_first_token_seconds",
      "histogram",
      "From a request's head to its first token.",
      this.#firstToken.lines("probebook_time_to_first_token_seconds", ""),
    );
    number("prompt_tokens_total", "counter", "Prompt tokens of answered requests.", this.#tokens.prompt);
    number(
      "cached_prompt_tokens_total",
      "counter",
      "Of these, tokens not computed again.",
      this.#tokens.cached,
    );
    number(
      "generated_tokens_total",
      "counter",
      "Tokens drawn for answered requests.",
      this.#tokens.generated,
    );
    number(
      "requests_in_flight",
      "gauge",
      "Requests being answered, waiting ones and this one included.",
      now.inFlight,
    );
    number("requests_queued", "gauge", "Requests that wait for their turn.", now.queued);
    number("samples_in_flight", "gauge", "Samples being drawn.", now.samples);
    number("engine_prefilled_tokens_total", "counter", "Prompt tokens computed.", engine.prefilledTokens);
    number(
      "engine_reused_tokens_total",
      "counter",
      "Prompt tokens that the cache spared.",
      engine.reusedTokens,
    );
    number("engine_generated_tokens_total", "counter", "Tokens drawn.", engine.generatedTokens);
    number("engine_decode_steps_total", "counter", "Passes that drew them.", engine.decodeSteps);
    number("engine_cache_bytes", "gauge", "Keys and values kept for reuse.", engine.cacheBytes);
    const { rss, heapUsed, external } = Deno.memoryUsage();
    number("resident_memory_bytes", "gauge", "Memory of the process.", rss);
    number(
      "heap_bytes",
      "gauge",
      "Of this, objects and buffers of the server's thread.",
      heapUsed + external,
    );
    return lines.join("\n") + "\n";
  }
}
