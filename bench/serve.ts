/**
 * Many clients on a server of the embedded model at once, for minutes: errors, mixed answers, memory, latency, speed.
 *
 * `deno run -A bench/serve.ts --clients 64 --minutes 5 [--leave 0.05]` starts `deno task serve` as a process of its own,
 * asks every question once alone, then lets each client ask questions at random, streamed or whole. Every answer must
 * equal the one given alone. A share of requests (`--leave`) is left in mid-stream.
 * @module
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import OpenAI from "openai";
import { createRandom, type Random } from "../lib/base/random.ts";
import { question } from "../lib/serve/testing/questions.ts";

const { values } = parseArgs({
  options: {
    clients: { type: "string", default: "64" },
    minutes: { type: "string", default: "5" },
    questions: { type: "string", default: "60" },
    leave: { type: "string", default: "0.05" },
  },
});
const [clients, minutes, questions, leave] = [values.clients, values.minutes, values.questions, values.leave]
  .map(Number) as [number, number, number, number];

const child = new Deno.Command(Deno.execPath(), {
  args: ["run", "-P=serve", "--quiet", "tasks/serve.ts", "--port", "0"],
  cwd: fileURLToPath(new URL("..", import.meta.url)),
  stdout: "null",
  stderr: "piped",
}).spawn();
let printed = "";
const started = performance.now();
const reading = (async () => {
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) printed += text;
})();
while (!/is served at \S+;/.test(printed)) await sleep(10);
const readySeconds = (performance.now() - started) / 1000;
const url = /is served at (\S+);/.exec(printed)?.[1] as string;
const client = new OpenAI({ baseURL: url, apiKey: "none", maxRetries: 0 });

function bodyOf(i: number) {
  return {
    model: "pocket",
    messages: [{ role: "user" as const, content: question(i) }],
    max_tokens: 48,
    temperature: i % 2 === 0 ? 0 : 0.8,
    seed: i,
    ...(i % 7 === 3 ? { n: 2 } : {}),
  };
}

/** Texts and ends of all choices, as one string. */
async function ask(i: number, stream: boolean, leaves = false): Promise<string> {
  const body = bodyOf(i);
  if (!stream) {
    const { choices } = await client.chat.completions.create(body);
    return JSON.stringify(choices.map(({ message, finish_reason }) => [message.content, finish_reason]));
  }
  const texts: [string, string | null][] = Array.from({ length: body.n ?? 1 }, () => ["", null]);
  const events = await client.chat.completions.create({ ...body, stream });
  for await (const { choices: [part] } of events) {
    const choice = texts[part?.index ?? 0] as [string, string | null];
    choice[0] += part?.delta.content ?? "";
    choice[1] = part?.finish_reason ?? choice[1];
    if (leaves && choice[0].length > 8) break; // ends the request
  }
  return JSON.stringify(texts);
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(url.replace("/v1", "/metrics"))).text();
  return Number(new RegExp(`^probebook_${name} (\\S+)$`, "m").exec(text)?.[1]);
}

const mib = (bytes: number) => Math.round(bytes / 2 ** 20);
const alone: string[] = [];
for (let i = 0; i < questions; i++) alone.push(await ask(i, false));
console.log(
  `ready in ${readySeconds.toFixed(1)} s; ${new Set(alone).size} answers of ${questions} questions, alone`,
);
console.log(`memory ${mib(await metric("resident_memory_bytes"))} MiB`);

const end = performance.now() + minutes * 60_000;
const latencies: number[] = [];
const errors: string[] = [];
let [mixed, left] = [0, 0];
const tokensBefore = await metric("engine_generated_tokens_total");
const stepsBefore = await metric("engine_decode_steps_total");

async function run(random: Random): Promise<void> {
  while (performance.now() < end) {
    const i = random.int(questions);
    const stream = random.next() < 0.5;
    const leaves = stream && random.next() < 2 * leave;
    const began = performance.now();
    try {
      const answer = await ask(i, stream, leaves);
      if (leaves) left++;
      else {
        latencies.push((performance.now() - began) / 1000);
        if (answer !== alone[i]) {
          mixed++;
          console.log(`MIXED question ${i}: ${answer} instead of ${alone[i]}`);
        }
      }
    } catch (error) {
      errors.push(String(error));
      if (errors.length <= 5) console.log(`ERROR ${error}`);
    }
  }
}

const random = createRandom("bench");
const running = Promise.all(Array.from({ length: clients }, (_, i) => run(random.fork(i))));
const memory: number[] = [];
const heap: number[] = [];
while (performance.now() < end) {
  await sleep(Math.min(15_000, Math.max(100, end - performance.now())));
  memory.push(mib(await metric("resident_memory_bytes")));
  heap.push(mib(await metric("heap_bytes")));
}
await running;
const seconds = minutes * 60;
const tokens = await metric("engine_generated_tokens_total") - tokensBefore;
const steps = await metric("engine_decode_steps_total") - stepsBefore;
latencies.sort((a, b) => a - b);
const quantile = (q: number) => (latencies[Math.floor(q * (latencies.length - 1))] ?? NaN).toFixed(2);
console.log(`${clients} clients, ${minutes} min: ${latencies.length} answers, ${left} left in mid-stream`);
console.log(`${errors.length} errors, ${mixed} mixed answers`);
console.log(`latency p50 ${quantile(0.5)} s, p95 ${quantile(0.95)} s, most ${quantile(1)} s`);
console.log(
  `${(latencies.length / seconds).toFixed(1)} answers/s, ${(tokens / seconds).toFixed(0)} tokens/s, ` +
    `${(tokens / steps).toFixed(1)} tokens a step`,
);
console.log(`memory, MiB, every 15 s: ${memory.join(" ")}`);
console.log(`of it objects and buffers: ${heap.join(" ")}`);
console.log(`in flight at the end: ${await metric("samples_in_flight")} samples`);
child.kill("SIGTERM");
const { code } = await child.status;
await reading;
console.log(`the server left with ${code}`);
Deno.exit(errors.length === 0 && mixed === 0 && code === 0 ? 0 : 1);

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
