import assert from "node:assert/strict";
import { openApi } from "../backends/api.ts";
import { createCaller } from "../backends/caller.ts";
import { openLocal } from "../backends/local.ts";
import { openedTurn, reasoningMarks } from "../backends/reasoning.ts";
import { type ApiVariant, getVariant, type LocalVariant, parseVariants } from "../backends/variants.ts";
import { servePocket } from "../serve/testing/serve_pocket.ts";
import { checkContinues } from "./check_continues.ts";
import { type OwnProblem, ownProblems, writtenChain } from "./own_problems.ts";
import { splitSentences } from "./sentences.ts";

function apiVariant(baseUrl: string, fields: Record<string, unknown> = {}): ApiVariant {
  const spec = { backend: "api", description: "d", model: "pocket", baseUrl, contextWindow: 4096, ...fields };
  return parseVariants(JSON.stringify({ variants: { served: spec } }), "m.json").get("served") as ApiVariant;
}

interface ChatBody {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
}

/** A chat server whose answer and count of prompt tokens are made from the messages. */
function chatServer(answer: (body: ChatBody) => { readonly text: string; readonly tokens: number } | null) {
  let requests = 0;
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    requests++;
    const said = answer(await request.json());
    if (said === null) {
      return Response.json({ error: { message: "the last message must be the user's" } }, { status: 400 });
    }
    return Response.json({
      id: "x",
      model: "m",
      choices: [{ index: 0, message: { role: "assistant", content: said.text }, finish_reason: "stop" }],
      usage: { prompt_tokens: said.tokens, completion_tokens: 4 },
    });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/v1`,
    requests: () => requests,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

const words = (text: string) => text.split(/\s+/).length;
const promptOf = ({ messages }: ChatBody) => messages.map(({ content }) => content).join(" ");

async function check(url: string, fields: Record<string, unknown> = {}, forced = false): Promise<void> {
  const variant = apiVariant(url, fields);
  await using caller = createCaller(openApi(variant));
  await checkContinues(caller, reasoningMarks(variant), { forced });
  await checkContinues(caller, reasoningMarks(variant), { forced }); // asked once
}

Deno.test("checkContinues() lets a server pass that finishes the cut word, and asks it once", async () => {
  await using server = chatServer((body) => ({
    text: body.messages.at(-1)?.role === "assistant" ? "ber, oscar, papa" : "alpha, bravo",
    tokens: words(promptOf(body)),
  }));
  await check(server.url);
  assert.equal(server.requests(), 2);
});

Deno.test("checkContinues() refuses servers that begin anew, drop the prefix, or refuse it", async () => {
  const begins = (body: ChatBody) => ({
    text: "alpha, bravo, charlie, delta, echo, foxtrot",
    tokens: words(promptOf(body)),
  });
  const drops = (body: ChatBody) => ({ text: "ber, oscar", tokens: words(body.messages[0]?.content ?? "") });
  const refuses = (body: ChatBody) => body.messages.at(-1)?.role === "assistant" ? null : begins(body);
  const cases: [Parameters<typeof chatServer>[0], RegExp][] = [
    [begins, /does not go on from a begun turn: .*"novem" was followed by "alpha, bravo, charli/],
    [drops, /a prefix is dropped: (\d+) prompt tokens with it, \1 without/],
    [refuses, /a begun assistant turn is refused/],
  ];
  for (const [answer, message] of cases) {
    await using server = chatServer(answer);
    await assert.rejects(check(server.url), message);
  }
});

Deno.test("a served model passes checkContinues(), and goes on from a begun reasoning as in process, to the token", async () => {
  const variant = await getVariant("pocket") as LocalVariant;
  await using server = await servePocket({ graceMs: 0 });
  await check(server.url);
  await using local = await openLocal(variant);
  await using served = openApi(apiVariant(server.url));
  const [problem] = ownProblems(1, 5) as [OwnProblem];
  const { reasoning } = writtenChain(problem);
  const messages = [{ role: "user", content: problem.basePrompt }] as const;
  for (const end of [0, ...splitSentences(reasoning).map((span) => span.end)]) {
    const prefix = openedTurn(reasoningMarks(variant), reasoning.slice(0, end));
    for (const temperature of [0, 0.7]) {
      const request = { messages, prefix, maxTokens: 12, temperature, topP: 0.95, seed: 3 };
      const [a, b] = [await local.continueFrom(request), await served.continueFrom(request)];
      assert.equal(b.text, a.text);
      assert.equal(b.usage.promptTokens, a.usage.promptTokens);
    }
  }
});

Deno.test("checkContinues() refuses a server that drops closed reasoning, where the letter is to be forced", async () => {
  const strips = (text: string) => text.replace(/^[^]*<\/think>/, "");
  await using server = chatServer((body) => ({
    text: "ber, oscar",
    tokens: words(
      body.messages.map(({ role, content }) => role === "assistant" ? strips(content) : content).join(" "),
    ),
  }));
  await check(server.url);
  await assert.rejects(check(server.url, {}, true), /drops the reasoning of a begun turn once it is closed/);
});

Deno.test("checkContinues() wants to know how a raw prompt is written", async () => {
  await assert.rejects(
    check("http://127.0.0.1:9/v1", { protocol: "completions" }),
    /"promptTemplate" with \{user\}/,
  );
});

Deno.test("a served model continues raw prompts in its template as in process", async () => {
  const variant = await getVariant("pocket") as LocalVariant;
  await using server = await servePocket({ graceMs: 0 });
  const raw = {
    protocol: "completions",
    promptTemplate: "<|im_start|>user\n{user}<|im_end|>\n<|im_start|>assistant\n",
  };
  await check(server.url, raw, true);
  await using local = await openLocal(variant);
  await using served = openApi(apiVariant(server.url, raw));
  const [problem] = ownProblems(1, 6) as [OwnProblem];
  const messages = [{ role: "user", content: problem.basePrompt }] as const;
  const prefix = openedTurn(reasoningMarks(variant), writtenChain(problem).reasoning);
  const request = { messages, prefix, maxTokens: 12 };
  const [a, b] = [await local.continueFrom(request), await served.continueFrom(request)];
  assert.equal(b.text, a.text);
  assert.equal(b.usage.promptTokens, a.usage.promptTokens);
});
