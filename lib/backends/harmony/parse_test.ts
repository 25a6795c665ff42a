import assert from "node:assert/strict";
import { loadHarmonyEncoding } from "./encoding.ts";
import { HarmonyParser, parseHarmonyIds, parseHarmonyText } from "./parse.ts";
import { HarmonyParseError } from "./problems.ts";
import { SPECIAL_TOKENS } from "./special_tokens.ts";
import type { HarmonyRole } from "./types.ts";

const encoding = await loadHarmonyEncoding();
const { start, message, end, channel } = SPECIAL_TOKENS;

/** What a text is read as: the messages as short texts, and the names of what was wrong. */
function recovered(text: string, startRole?: HarmonyRole): [string[], string[]] {
  const { messages, recoveries } = parseHarmonyText(text, { mode: "recover", startRole });
  return [
    messages.map(({ role, name, recipient, channel, contentType, content }) =>
      [
        role,
        name && `:${name}`,
        recipient && ` to=${recipient}`,
        channel && `/${channel}`,
        contentType && ` ${contentType}`,
      ]
        .join("") + ` ${JSON.stringify(content)}`
    ),
    recoveries.map(({ code }) => code),
  ];
}

function failure(text: string, startRole?: HarmonyRole): [string, number] {
  try {
    parseHarmonyText(text, { startRole });
  } catch (error) {
    assert.ok(error instanceof HarmonyParseError);
    return [error.code, error.position];
  }
  throw new Error(`${text} was read`);
}

Deno.test("HarmonyParser tells of a message while it comes, and holds back parts of characters", () => {
  const parser = new HarmonyParser({ encoding, startRole: "assistant" });
  assert.deepEqual([parser.state, parser.currentRole, parser.currentChannel], ["header", "assistant", null]);
  for (const id of [channel, ...encoding.encode("commentary to=functions.f json"), message]) parser.push(id);
  const { state, currentRole, currentChannel, currentRecipient, currentContentType } = parser;
  assert.deepEqual([state, currentRole, currentChannel, currentRecipient, currentContentType], [
    "content",
    "assistant",
    "commentary",
    "functions.f",
    "json",
  ]);
  const emoji = encoding.encode("💖");
  assert.ok(emoji.length > 1);
  for (const id of emoji.slice(0, -1)) {
    parser.push(id);
    assert.deepEqual([parser.lastContentDelta, parser.currentContent], [null, ""]);
  }
  parser.push(emoji.at(-1) as number);
  assert.deepEqual([parser.lastContentDelta, parser.currentContent], ["💖", "💖"]);
  parser.push(SPECIAL_TOKENS.call);
  assert.deepEqual([parser.lastContentDelta, parser.currentContent, parser.messages.length], [null, "", 1]);
  const { messages } = parser.finish();
  assert.equal(parser.state, "finished");
  assert.deepEqual(messages, [{
    role: "assistant",
    recipient: "functions.f",
    channel: "commentary",
    contentType: "json",
    content: "💖",
    end: "call",
    position: 0,
    rawHeader: "<|channel|>commentary to=functions.f json",
  }]);
});

Deno.test("HarmonyParser names bytes that are no UTF-8 and lets none into the next message", () => {
  const read = (tokens: number[]) => {
    const { messages, recoveries } = parseHarmonyIds(tokens, { encoding });
    return [
      messages.map(({ content }) => content),
      recoveries.map(({ code, position }) => `${code} ${position}`),
    ];
  };
  const open = [start, ...encoding.encode("user"), message];
  // 9552 is a space and the first two bytes of an emoji.
  assert.deepEqual(read([...open, 9552, 9552, ...encoding.encode("worked"), end]), [
    [" \ufffd \ufffdworked"],
    ["invalid_utf8 4", "invalid_utf8 5"],
  ]);
  assert.deepEqual(read([...open, 9552, end, ...open, ...encoding.encode("Hi"), end]), [
    [" \ufffd", "Hi"],
    ["invalid_utf8 4"],
  ]);
  assert.deepEqual(read([...open, 9552]), [[" \ufffd"], ["invalid_utf8 4"]]);
  // What was U+FFFD and a byte order mark all along is no failure.
  assert.deepEqual(read([...open, ...encoding.encode("\ufeffa\ufffdb\ufffd\ufffd"), end]), [
    ["\ufeffa\ufffdb\ufffd\ufffd"],
    [],
  ]);
});

Deno.test("HarmonyParser reads every order of header that the format knows", () => {
  const cases: [string, string][] = [
    ["user", 'user ""'],
    ["user:alice", 'user:alice ""'],
    ["functions.f", 'tool:functions.f ""'],
    ["python", 'tool:python ""'],
    ["calculator to=assistant<|channel|>commentary", 'tool:calculator to=assistant/commentary ""'],
    ["assistant to=python<|channel|>analysis code", 'assistant to=python/analysis code ""'],
    [
      "assistant<|channel|>commentary to=functions.f <|constrain|>json",
      'assistant to=functions.f/commentary <|constrain|>json ""',
    ],
    [
      "assistant<|channel|>commentary to=functions.f<|constrain|>json",
      'assistant to=functions.f/commentary <|constrain|>json ""',
    ],
    [
      "assistant to=functions.f<|constrain|>json<|channel|>commentary",
      'assistant to=functions.f/commentary <|constrain|>json ""',
    ],
    ["assistant<|channel|>final <|constrain|>json", 'assistant/final <|constrain|>json ""'],
    ["assistant<|channel|>commentary functions.f json", 'assistant to=functions.f/commentary json ""'],
    ["assistant<|channel|>commentary functions.f", 'assistant to=functions.f/commentary ""'],
    ["assistant<|channel|>analysis code", 'assistant/analysis code ""'],
    ["assistant \n<|channel|>final ", 'assistant/final ""'],
    ["assistant<|channel|>own-channel", 'assistant/own-channel ""'],
  ];
  for (const [header, read] of cases) {
    const text = `<|start|>${header}<|message|><|end|>`;
    assert.equal(parseHarmonyText(text).messages.length, 1, text);
    assert.deepEqual(recovered(text), [[read], []], text);
  }
});

Deno.test("a strict HarmonyParser fails at the place of the failure, by name, and stays failed", () => {
  const cases: [string, HarmonyRole | undefined, string, number][] = [
    ["hello", undefined, "text_outside_message", 0],
    ["<|start|>user<|message|>a<|end|>\n<|start|>", undefined, "text_outside_message", 32],
    ["<|channel|>final<|message|>a", undefined, "missing_start", 0],
    ["<|start|><|start|>user", undefined, "doubled_start", 9],
    ["<|start|>user<|start|>user", undefined, "start_in_header", 0],
    ["<|channel|>final<|end|>", "assistant", "stop_in_header", 0],
    ["<|channel|>fin", "assistant", "cut_header", 0],
    ["", "assistant", "cut_header", 0],
    ["<|start|><|message|>", undefined, "no_role", 0],
    ["<|start|>nobody<|message|>", undefined, "unknown_role", 0],
    ["<|channel|><|message|>", "assistant", "empty_channel", 0],
    ["<|channel|> final<|message|>", "assistant", "empty_channel", 0],
    ["<|channel|>final<|channel|>final<|message|>", "assistant", "second_channel", 0],
    ["final<|message|>", "assistant", "missing_channel_token", 0],
    ["<|start|>assistantfinal<|message|>", undefined, "missing_channel_token", 0],
    ["I shall say<|message|>", "assistant", "leftover_header", 0],
    ["<|channel|>final<|message|>a<|start|>", "assistant", "missing_end", 28],
    ["<|channel|>final<|message|>a<|channel|>", "assistant", "channel_in_content", 28],
    ["<|channel|>final<|message|>a<|message|>", "assistant", "stray_special", 28],
    ["<|channel|>final<|message|>a<|endoftext|>", "assistant", "stray_special", 28],
    ["<|channel|>final<|message|>a<|end|><|end|>", "assistant", "stray_special", 35],
  ];
  for (const [text, role, code, position] of cases) {
    assert.deepEqual(failure(text, role), [code, position], text);
  }
  const parser = new HarmonyParser({ encoding, startRole: "assistant" });
  parser.push(message);
  assert.throws(
    () => parser.push(201089),
    (e) => e instanceof HarmonyParseError && e.code === "unknown_token",
  );
  assert.throws(() => parser.push(end), HarmonyParseError);
  assert.throws(() => parser.finish(), HarmonyParseError);
});

Deno.test("a recovering HarmonyParser takes what is wrong as its name says", () => {
  const good = "<|start|>assistant<|channel|>final<|message|>Yes.<|return|>";
  const yes = 'assistant/final "Yes."';
  const cases: [string, HarmonyRole | undefined, string[], string[]][] = [
    // An end token in a header makes the rest content.
    [`No need to think<|end|>${good}`, "assistant", ['assistant "No need to think"', yes], [
      "stop_in_header",
    ]],
    [`<|channel|>analysis  Two\n words <|end|>${good}`, "assistant", [
      'assistant/analysis "Two\\n words"',
      yes,
    ], ["stop_in_header"]],
    ["<|start|>assistant It is so<|end|>", undefined, ['assistant "It is so"'], ["stop_in_header"]],
    ["<|start|>assistant to=functions.f<|channel|>commentary <|constrain|>json<|call|>", undefined, [
      'assistant to=functions.f/commentary <|constrain|>json ""',
    ], ["stop_in_header"]],
    // Starts too many, too few.
    [`<|start|>${good}`, undefined, [yes], ["doubled_start"]],
    [good, "assistant", [yes], ["doubled_start"]],
    [`<|start|>assistant${good}`, undefined, [yes], ["start_in_header"]],
    [`I stop here${good}`, "assistant", ['assistant "I stop here"', yes], ["start_in_header"]],
    ["<|channel|>analysis<|message|>Hm<|end|>assistant<|channel|>final<|message|>Yes.", "assistant", [
      'assistant/analysis "Hm"',
      yes,
    ], ["missing_start"]],
    // Ends left out.
    [`<|channel|>analysis<|message|>Hm${good}`, "assistant", ['assistant/analysis "Hm"', yes], [
      "missing_end",
    ]],
    ["<|channel|>analysis<|message|>Hm<|channel|>final<|message|>Yes.", "assistant", [
      'assistant/analysis "Hm"',
      yes,
    ], ["channel_in_content"]],
    // Headers with more or less in them than there should be.
    [
      "<|channel|>commentary?commentary?<|message|>Hm",
      "assistant",
      ['assistant/commentary?commentary? "Hm"'],
      [],
    ],
    ["<|channel|>commentary to=assistant<|channel|>commentary<|message|>Hm", "assistant", [
      'assistant to=assistant/commentary "Hm"',
    ], ["second_channel"]],
    ["Sorry<|channel|>final<|message|>Yes.", "assistant", [yes], ["leftover_header"]],
    ["I see json<|message|>Yes.", "assistant", ['assistant "Yes."'], ["leftover_header"]],
    ["We shall<|channel|>final<|message|>Yes.", "assistant", [yes], ["leftover_header"]],
    ["<|channel|>final <|constrain|>json to=functions.f<|message|>{}", "assistant", [
      'assistant to=functions.f/final "{}"',
    ], ["leftover_header"]],
    ["<|start|>asistant<|channel|>final<|message|>Yes.", undefined, ['tool:asistant/final "Yes."'], [
      "unknown_role",
    ]],
    ["<|channel|>final<|message|>Yes.<|end|><|start|>asistant<|channel|>final<|message|>Yes.", "assistant", [
      yes,
      yes,
    ], [
      "unknown_role",
    ]],
    ["<|start|>assistantfinal<|message|>Yes.<|end|>", undefined, [yes], ["missing_channel_token"]],
    ["<|channel|> final<|message|>Yes.", "assistant", [yes], ["empty_channel"]],
    // Tokens that belong nowhere.
    ["<|channel|>final<|message|>Y<|message|>es<|endoftext|>.<|return|><|return|>", "assistant", [yes], [
      "stray_special",
      "stray_special",
      "stray_special",
    ]],
    // Texts between and without messages.
    [`${good}\n${good}\n`, undefined, [yes, yes], ["text_outside_message", "text_outside_message"]],
    [`${good}P.S.`, undefined, [yes, 'assistant "P.S."'], ["text_outside_message"]],
    ["Just an answer.", "assistant", ['assistant "Just an answer."'], ["cut_header"]],
    // Headers that the stream cuts are no messages.
    ["<|channel|>fin", "assistant", [], ["cut_header"]],
    ["<|start|>assi", undefined, [], ["cut_header"]],
    ["<|channel|>commentary to=functions.f", "assistant", [], ["cut_header"]],
    ["", "assistant", [], ["cut_header"]],
    ["", undefined, [], []],
  ];
  for (const [text, role, messages, codes] of cases) {
    assert.deepEqual(recovered(text, role), [messages, codes], text);
  }
});

Deno.test("a recovery holds the text that is in no message", () => {
  const { recoveries } = parseHarmonyText("We shall<|channel|>final<|message|>Yes.<|end|>\n<|start|>assi", {
    mode: "recover",
    startRole: "assistant",
  });
  assert.deepEqual(recoveries, [
    { code: "leftover_header", position: 0, text: "We shall" },
    { code: "text_outside_message", position: 46, text: "\n" },
    { code: "cut_header", position: 47, text: "assi" },
  ]);
});

Deno.test("HarmonyParser refuses to be used in ways that make no sense", () => {
  const parser = new HarmonyParser({ encoding });
  parser.push(start);
  assert.throws(() => parser.pushText("x"), /tokens or text, not both/);
  assert.throws(() => new HarmonyParser().push(start), /needs an encoding/);
  const done = new HarmonyParser({ encoding });
  done.finish();
  assert.throws(() => done.push(start), /is finished/);
  assert.deepEqual(done.finish(), done.finish());
});

Deno.test("HarmonyParser reads tokens of other vocabularies", () => {
  const parser = new HarmonyParser({ startRole: "assistant" });
  for (
    const piece of [{ special: "channel" }, { plain: "final" }, { special: "message" }, { plain: "<|end|>" }]
  ) {
    parser.pushDecoded(piece as { special: string });
  }
  assert.equal(parser.finish().messages[0]?.content, "<|end|>");
});
