import assert from "node:assert/strict";
import OpenAI, { APIError, AuthenticationError, BadRequestError, NotFoundError } from "openai";
import { question } from "./testing/questions.ts";
import { servePocket } from "./testing/serve_pocket.ts";

const messages = [{ role: "user" as const, content: question(0) }];
const chat = { model: "pocket", messages, temperature: 0, max_tokens: 40 } as const;

async function withClient(
  test: (client: OpenAI, url: string) => Promise<void>,
  options: Parameters<typeof servePocket>[0] = {},
): Promise<void> {
  await using server = await servePocket({ graceMs: 0, ...options });
  const apiKey = options.key ?? "none";
  await test(new OpenAI({ baseURL: server.url, apiKey, maxRetries: 0 }), server.url);
}

Deno.test("startServer() answers the official client: models, chats, and their streams", () =>
  withClient(async (client) => {
    const listed = await client.models.list();
    assert.deepEqual(listed.data.map(({ id, object }) => [id, object]), [["pocket", "model"]]);
    assert.equal((await client.models.retrieve("pocket")).owned_by, "probebook");

    const whole = await client.chat.completions.create(chat);
    assert.match(whole.id, /^chatcmpl-/);
    assert.equal(whole.object, "chat.completion");
    assert.ok(Math.abs(whole.created - Date.now() / 1000) < 600);
    const [choice] = whole.choices;
    assert.deepEqual([choice?.index, choice?.message.role, choice?.logprobs], [0, "assistant", null]);
    assert.match(choice?.message.content ?? "", /Ada Lindqvist/);
    assert.equal(choice?.finish_reason, "stop");
    const { usage } = whole;
    assert.ok(usage && usage.prompt_tokens > 30 && usage.completion_tokens > 1);
    assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
    assert.equal(usage.prompt_tokens_details?.cached_tokens, 0);

    const again = await client.chat.completions.create({
      ...chat,
      messages: [{ role: "user", content: [{ type: "text", text: messages[0]?.content as string }] }],
    });
    assert.equal(again.choices[0]?.message.content, choice?.message.content);
    assert.ok((again.usage?.prompt_tokens_details?.cached_tokens ?? 0) > 0);

    const stream = await client.chat.completions.create({
      ...chat,
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    assert.equal(chunks[0]?.choices[0]?.delta.role, "assistant");
    assert.ok(chunks.every(({ id, object }) => id === chunks[0]?.id && object === "chat.completion.chunk"));
    assert.equal(
      chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join(""),
      choice?.message.content,
    );
    assert.deepEqual(chunks.flatMap(({ choices }) => choices[0]?.finish_reason ?? []), ["stop"]);
    const last = chunks.at(-1);
    assert.deepEqual(last?.choices, []);
    assert.equal(last?.usage?.completion_tokens, usage.completion_tokens);
    assert.ok(chunks.slice(0, -1).every((chunk) => chunk.usage === null));

    const helper = client.chat.completions.stream(chat);
    assert.equal(await helper.finalContent(), choice?.message.content);
  }));

Deno.test("startServer() gives equal samples for equal seeds, and n of them", () =>
  withClient(async (client) => {
    const ask = async (fields: object) => {
      const { choices, usage } = await client.chat.completions.create({
        ...chat,
        temperature: 1.5,
        ...fields,
      });
      return { texts: choices.map(({ message }) => message.content), usage };
    };
    const { texts: five, usage } = await ask({ n: 5, seed: 7 });
    assert.equal(new Set(five).size > 1, true, "all samples are the same");
    assert.deepEqual((await ask({ n: 5, seed: 7 })).texts, five);
    assert.deepEqual((await ask({ seed: 7 })).texts, five.slice(0, 1));
    assert.notDeepEqual((await ask({ n: 5, seed: 8 })).texts, five);
    assert.notDeepEqual((await ask({ n: 5 })).texts, (await ask({ n: 5 })).texts);
    assert.ok((usage?.completion_tokens ?? 0) > 5);

    const stream = await client.chat.completions.create({
      ...chat,
      temperature: 1.5,
      n: 5,
      seed: 7,
      stream: true,
    });
    const streamed = ["", "", "", "", ""];
    for await (const { choices } of stream) {
      for (const { index, delta } of choices) streamed[index] += delta.content ?? "";
    }
    assert.deepEqual(streamed, five);
  }));

Deno.test("startServer() ends answers at stop texts and at max_tokens", () =>
  withClient(async (client) => {
    const ask = async (fields: object) =>
      (await client.chat.completions.create({ ...chat, ...fields })).choices[0];
    const whole = (await ask({}))?.message.content as string;
    const word = whole.split(" ").at(2) as string;
    const stopped = await ask({ stop: [word, "no such text"] });
    assert.equal(stopped?.message.content, whole.slice(0, whole.indexOf(word)));
    assert.equal(stopped?.finish_reason, "stop");
    assert.equal((await ask({ stop: word }))?.message.content, stopped?.message.content);
    const short = await ask({ max_tokens: undefined, max_completion_tokens: 2 });
    assert.equal(short?.finish_reason, "length");
    assert.ok(whole.startsWith(short?.message.content as string));
    const begun = await ask({
      messages: [...messages, { role: "assistant", content: whole.slice(0, 9) }],
      continue_final_message: true,
      add_generation_prompt: false,
    });
    assert.equal(whole.slice(0, 9) + begun?.message.content, whole);
  }));

Deno.test("startServer() gives log-probabilities of chats, whole and streamed", () =>
  withClient(async (client) => {
    const asked = { ...chat, logprobs: true, top_logprobs: 3 } as const;
    const { choices: [choice], usage } = await client.chat.completions.create(asked);
    const content = choice?.logprobs?.content ?? [];
    assert.equal(content.length, usage?.completion_tokens);
    for (const { token, logprob, top_logprobs } of content) {
      assert.equal(top_logprobs.length, 3);
      assert.deepEqual([top_logprobs[0]?.token, top_logprobs[0]?.logprob], [token, logprob]);
      assert.ok(top_logprobs.every((other) => other.logprob <= logprob && logprob <= 0));
    }
    const bytes = content.flatMap(({ bytes }) => bytes ?? []);
    assert.equal(new TextDecoder().decode(new Uint8Array(bytes)), choice?.message.content);
    assert.equal(content.at(-1)?.token, "<|im_end|>");

    const stream = await client.chat.completions.create({ ...asked, stream: true });
    const streamed = [];
    for await (const { choices: [part] } of stream) {
      const entries = part?.logprobs?.content ?? [];
      streamed.push(...entries);
      assert.equal(entries.map(({ bytes, token }) => bytes ? token : "").join(""), part?.delta.content ?? "");
    }
    assert.deepEqual(streamed, content);

    const { choices: [plain] } = await client.chat.completions.create({ ...chat, logprobs: true });
    assert.ok(plain?.logprobs?.content?.every((entry) => entry.top_logprobs.length === 0));
  }));

Deno.test("startServer() continues raw prompts: texts, tokens, lists, echo, log-probabilities", () =>
  withClient(async (client) => {
    const raw = { model: "pocket", temperature: 0, max_tokens: 6 } as const;
    const one = await client.completions.create({ ...raw, prompt: "The house of" });
    assert.match(one.id, /^cmpl-/);
    assert.equal(one.object, "text_completion");
    const many = await client.completions.create({ ...raw, prompt: ["The house of", "A man"], n: 2 });
    assert.deepEqual(many.choices.map(({ index }) => index), [0, 1, 2, 3]);
    assert.equal(many.choices[0]?.text, one.choices[0]?.text);
    assert.equal(many.choices[1]?.text, one.choices[0]?.text);
    assert.notEqual(many.choices[2]?.text, one.choices[0]?.text);

    const echoed = await client.completions.create({
      ...raw,
      prompt: "The house of",
      echo: true,
      logprobs: 2,
    });
    const [choice] = echoed.choices;
    assert.equal(choice?.text, `The house of${one.choices[0]?.text}`);
    const { tokens = [], token_logprobs = [], top_logprobs = [], text_offset = [] } = choice?.logprobs ?? {};
    assert.equal(tokens.length, echoed.usage?.total_tokens ?? 0);
    assert.equal(tokens.join(""), choice?.text);
    assert.ok(text_offset.every((offset, i) => choice?.text.startsWith(tokens[i] as string, offset)));
    assert.deepEqual([token_logprobs[0], top_logprobs[0]], [null, null]);
    assert.equal(Object.keys(top_logprobs.at(-1) ?? {}).length, 2);

    // What is told of the tokens of a prompt is what is told of them when they are drawn.
    const scored = await client.completions.create({
      ...raw,
      prompt: choice?.text as string,
      echo: true,
      logprobs: 2,
      max_tokens: 0,
    });
    assert.equal(scored.choices[0]?.text, choice?.text);
    for (const [i, logprob] of (scored.choices[0]?.logprobs?.token_logprobs ?? []).entries()) {
      if (i > 0) assert.ok(Math.abs(logprob - (token_logprobs[i] as number)) < 1e-3, `token ${i}`);
    }

    const ids = [40, 50, 60];
    const fromIds = await client.completions.create({ ...raw, prompt: ids, echo: true, logprobs: 0 });
    assert.equal(fromIds.choices[0]?.logprobs?.tokens?.length, 9);
    assert.equal(fromIds.usage?.prompt_tokens, 3);
    const lists = await client.completions.create({ ...raw, prompt: [ids, [70, 80]], echo: true });
    assert.equal(lists.choices[0]?.text, fromIds.choices[0]?.text);
    assert.equal(lists.choices.length, 2);

    const stream = await client.completions.create({
      ...raw,
      prompt: "The house of",
      echo: true,
      logprobs: 2,
      stream: true,
    });
    let text = "";
    const streamedTokens: string[] = [];
    for await (const { choices: [part] } of stream) {
      text += part?.text;
      streamedTokens.push(...part?.logprobs?.tokens ?? []);
    }
    assert.equal(text, choice?.text);
    assert.deepEqual(streamedTokens, tokens);
  }));

Deno.test("startServer() tells the official client what is wrong", () =>
  withClient(async (client) => {
    const wrong = (fields: object, check: (error: APIError) => void) =>
      assert.rejects(
        () => client.chat.completions.create({ ...chat, ...fields } as typeof chat),
        (error) => {
          assert.ok(error instanceof APIError, String(error));
          check(error);
          return true;
        },
      );
    await wrong({ model: "gpt-4o" }, (error) => {
      assert.ok(error instanceof NotFoundError);
      assert.deepEqual([error.code, error.param], ["model_not_found", "model"]);
    });
    await wrong({ messages: [{ role: "user", content: "a fox ".repeat(5000) }] }, (error) => {
      assert.ok(error instanceof BadRequestError);
      assert.equal(error.code, "context_length_exceeded");
    });
    for (
      const [fields, param] of [
        [{ temperature: -1 }, "temperature"],
        [{ top_p: 2 }, "top_p"],
        [{ n: 0 }, "n"],
        [{ max_tokens: 0 }, "max_tokens"],
        [{ max_completion_tokens: 3 }, "max_tokens"],
        [{ messages: "hello" }, "messages"],
        [{ messages: [{ role: "user" }] }, "messages.0.content"],
        [{ presence_penalty: 0.5 }, "presence_penalty"],
        [{ logit_bias: { 5: 1 } }, "logit_bias"],
        [{ tools: [{ type: "function", function: { name: "f" } }] }, "tools"],
        [{ response_format: { type: "json_object" } }, "response_format"],
        [{ top_logprobs: 2 }, "top_logprobs"],
        [{ stream_options: { include_usage: true } }, "stream_options"],
        [{ continue_final_message: true }, "continue_final_message"],
        [{ typical_p: 0.9 }, "typical_p"],
      ] as const
    ) {
      await wrong(fields, (error) => {
        assert.equal(error.status, 400, param);
        assert.equal(error.param, param);
        assert.match(error.requestID ?? "", /^req_/);
      });
    }
    await wrong(
      { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "x" } }] }] },
      (error) => assert.match(error.message, /only text can be read/),
    );
    // What changes nothing is let through.
    const harmless = {
      user: "u",
      metadata: { a: "b" },
      store: true,
      presence_penalty: 0,
      frequency_penalty: 0,
      logit_bias: {},
      response_format: { type: "text" },
      tools: [],
      tool_choice: "none",
      service_tier: "auto",
      seed: null,
      stop: null,
      top_k: -1,
    } as object;
    assert.ok((await client.chat.completions.create({ ...chat, ...harmless })).choices.length === 1);
  }));

Deno.test("startServer() answers only those who have the key, when there is one", () =>
  withClient(async (client, url) => {
    assert.equal((await client.models.list()).data.length, 1);
    const stranger = new OpenAI({ baseURL: url, apiKey: "a-wrong-key", maxRetries: 0 });
    await assert.rejects(
      () => stranger.chat.completions.create(chat),
      (error) => error instanceof AuthenticationError && error.code === "invalid_api_key",
    );
    const without = await fetch(`${url}/models`);
    assert.deepEqual([without.status, without.headers.get("www-authenticate")], [401, "Bearer"]);
    assert.doesNotMatch(await without.text(), /the-right-key/);
    const health = await fetch(url.replace("/v1", "/health"));
    assert.deepEqual([health.status, await health.json()], [200, { status: "ok", model: "pocket" }]);
    const metrics = await fetch(url.replace("/v1", "/metrics"));
    assert.equal(metrics.status, 401);
    await metrics.body?.cancel();
  }, { key: "the-right-key" }));
