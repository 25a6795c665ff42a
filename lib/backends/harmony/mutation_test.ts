import assert from "node:assert/strict";
import { createRandom, type Random } from "../../base/random.ts";
import { answerOf } from "./answer.ts";
import { loadHarmonyEncoding } from "./encoding.ts";
import { HarmonyParser, parseHarmonyIds, parseHarmonyText } from "./parse.ts";
import type { HarmonyResult } from "./parse_result.ts";
import { HarmonyParseError } from "./problems.ts";
import { renderHarmonyIds } from "./render.ts";
import { specialOfId } from "./special_tokens.ts";
import { anyToken, mutate } from "./testing/mutate.ts";
import type { HarmonyMessage, HarmonyRole } from "./types.ts";

const encoding = await loadHarmonyEncoding();
/** 100,000 for the whole measurement; a part of it in the daily run. */
const STREAMS = Number(Deno.env.get("HARMONY_MUTATIONS") || 1500);

const conversation: HarmonyMessage[] = [
  { role: "user", content: "Wie wird das Wetter in Zürich? 🌦️ Say <|start|> if you cannot tell." },
  {
    role: "assistant",
    channel: "analysis",
    content: "The tool knows. 天気を見よう。 Let us ask it — quickly.",
  },
  { role: "assistant", channel: "commentary", content: "I will look at the forecast first." },
  {
    role: "assistant",
    recipient: "functions.get_weather",
    channel: "commentary",
    contentType: "<|constrain|>json",
    content: '{"place": "Zürich", "days": 3}',
  },
  {
    role: "tool",
    name: "functions.get_weather",
    recipient: "assistant",
    channel: "commentary",
    content: '{"rain":0.4}',
  },
  { role: "assistant", channel: "analysis", content: "Forty percent; so: rather dry 🌤." },
  { role: "assistant", channel: "final", content: "Es bleibt\n\nmeist trocken." },
];
const whole = renderHarmonyIds(conversation, encoding, { keepAnalysis: true });
const completion = renderHarmonyIds(conversation.slice(1), encoding, { keepAnalysis: true, training: true })
  .slice(2);

/** The texts between the special tokens of a stream. */
function runsOf(ids: readonly number[]): string[] {
  const runs: string[] = [];
  let bytes: number[] = [];
  let text = "";
  const decode = () => {
    text += new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
    bytes = [];
  };
  for (const id of ids) {
    const token = specialOfId(id) === undefined ? encoding.bytes(id) : undefined;
    if (token) bytes.push(...token);
    else {
      decode();
      if (specialOfId(id) === undefined) text += "\ufffd";
      else {
        runs.push(text);
        text = "";
      }
    }
  }
  decode();
  return [...runs, text].filter((run) => run !== "");
}

/** Fails when a text of the stream stands nowhere in what was read. */
function assertNothingLost(ids: readonly number[], { messages, recoveries }: HarmonyResult): void {
  const places = [
    ...messages.flatMap(({ rawHeader, content }) => [rawHeader, content]),
    ...recoveries.map(({ text }) => text),
  ];
  for (const run of runsOf(ids)) {
    assert.ok(places.some((place) => place.includes(run)), `lost ${JSON.stringify(run)} of ${ids}`);
  }
  // Every special token is one of a message's own, or is named.
  const strays = ids.filter((id) =>
    !["start", "end", "return", "call", "channel", "message", "constrain"]
      .includes(specialOfId(id) ?? "start")
  ).length;
  assert.ok(recoveries.filter(({ code }) => code === "stray_special").length >= strays);
}

function check(ids: readonly number[], startRole: HarmonyRole | undefined, random: Random): void {
  const options = { encoding, startRole };
  const recovered = parseHarmonyIds(ids, { ...options, mode: "recover" });
  assertNothingLost(ids, recovered);
  answerOf(recovered);
  const isClean = recovered.recoveries.every(({ code }) => code === "invalid_utf8");
  try {
    assert.deepEqual(parseHarmonyIds(ids, options), recovered);
    assert.ok(isClean, "strict parsing let something pass");
  } catch (error) {
    if (!(error instanceof HarmonyParseError)) throw error;
    assert.ok(!isClean, `strict parsing refused what needed no recovery: ${error.message}`);
    // A strict parser need not wait whether text outside of a message turns out to be a header without its start.
    const { code, position } = error;
    const same = code === "text_outside_message" ? ["text_outside_message", "missing_start"] : [code];
    assert.ok(recovered.recoveries.some((other) => same.includes(other.code) && other.position === position));
  }
  // The same stream as text, cut anywhere, is read the same. What is no token has no text.
  if (!ids.every((id) => specialOfId(id) !== undefined || encoding.bytes(id))) return;
  const text = encoding.decode(ids);
  const parser = new HarmonyParser({ startRole, mode: "recover" });
  for (let at = 0; at < text.length;) parser.pushText(text.slice(at, at += 1 + random.int(12)));
  const cut = parser.finish();
  assert.deepEqual(cut, parseHarmonyText(text, { startRole, mode: "recover" }));
}

Deno.test(`HarmonyParser loses nothing and names every failure in ${STREAMS} damaged streams`, () => {
  const random = createRandom("damaged streams");
  const codes = new Map<string, number>();
  for (let i = 0; i < STREAMS; i++) {
    const startRole = random.pick([undefined, "assistant"] as const);
    const ids = i % 10 === 0
      ? Array.from({ length: random.int(60) }, () => anyToken(random))
      : mutate(startRole ? completion : whole, random);
    check(ids, startRole, random);
    for (const { code } of parseHarmonyIds(ids, { encoding, startRole, mode: "recover" }).recoveries) {
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }
  }
  // Otherwise the damage would be too mild to show anything. Two names come from text alone; see stripped_test.ts.
  for (
    const code of [
      "missing_end",
      "stop_in_header",
      "cut_header",
      "doubled_start",
      "unknown_token",
      "stray_special",
    ]
  ) {
    assert.ok((codes.get(code) ?? 0) > 0, code);
  }
  if (Deno.env.get("HARMONY_MUTATIONS")) console.log(Object.fromEntries([...codes].sort()));
});

Deno.test("HarmonyParser takes time in proportion to the stream, whatever is in it", () => {
  const kinds: Record<string, (n: number) => HarmonyParser> = {
    content: (n) => ids(n, [200006, 173781, 200008], [24912]),
    header: (n) => ids(n, [200006], [24912, 220]),
    starts: (n) => ids(n, [], [200006]),
    channels: (n) => ids(n, [200006], [200005, 17196]),
    constrains: (n) => ids(n, [200006], [200003]),
    "pieces of characters": (n) => ids(n, [200006, 173781, 200008], [9552]),
    outside: (n) => ids(n, [], [24912]),
    "open brackets": (n) => text("<|".repeat(n / 2)),
    joiners: (n) => text("<|" + "\u2060".repeat(n)),
    "stripped headers": (n) => text("analysisX" + "assistant to=a.b".repeat(n / 16)),
    spaces: (n) => text("assistantfinal" + " ".repeat(n)),
  };
  function ids(n: number, first: number[], rest: number[]): HarmonyParser {
    const parser = new HarmonyParser({ encoding, mode: "recover" });
    for (const id of first) parser.push(id);
    for (let i = 0; i < n; i++) parser.push(rest[i % rest.length] as number);
    return parser;
  }
  function text(whole: string): HarmonyParser {
    const parser = new HarmonyParser({ startRole: "assistant", mode: "recover" });
    for (let at = 0; at < whole.length; at += 7) parser.pushText(whole.slice(at, at + 7));
    return parser;
  }
  for (const [kind, make] of Object.entries(kinds)) {
    const time = (n: number) => {
      const started = performance.now();
      make(n).finish();
      return performance.now() - started;
    };
    time(1024);
    // 16 times as much takes 16 times as long; were it quadratic, 256 times. A busy machine is given room between.
    const ratio = () => time(32_768) / Math.max(1, time(2048), time(2048));
    const best = Math.min(ratio(), ratio(), ratio());
    assert.ok(best < 80, `${kind}: 16 times as long a stream took ${best.toFixed(0)} times as long`);
  }
});
