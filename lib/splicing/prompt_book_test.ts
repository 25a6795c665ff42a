import assert from "node:assert/strict";
import { openLocal } from "../backends/local.ts";
import { simulatedTokenizer } from "../backends/tokenizers.ts";
import { getVariant, type LocalVariant, parseVariants, type Variant } from "../backends/variants.ts";
import { sha256 } from "../base/hash.ts";
import { type OwnProblem, ownProblems } from "./own_problems.ts";
import { PromptBook } from "./prompt_book.ts";
import { chainOf, readSample } from "./read_sample.ts";

const [problem] = ownProblems(1, 3) as [OwnProblem];
const attempt = { status: "done" as const, output: "", reasoning: null, finish_reason: "stop" };

Deno.test("PromptBook puts a begun reasoning into the assistant's turn of the model's own template, token by token", async () => {
  const variant = await getVariant("pocket") as LocalVariant;
  await using backend = await openLocal(variant);
  const tokenizer = await backend.tokenizer();
  const book = new PromptBook(variant, tokenizer);
  const asked = book.begun(problem.basePrompt, "One and one. That makes two.");
  const [rendered] = [...book.rendered(new Set([asked.sha256]))];
  assert.equal(
    rendered?.text,
    `<|im_start|>user\n${problem.basePrompt}<|im_end|>\n<|im_start|>assistant\n<think>\nOne and one. That makes two.`,
  );
  assert.equal(rendered.token_ids?.length, asked.tokens);
  assert.equal(rendered.sha256, sha256(rendered.text));
  assert.equal(book.begun(problem.basePrompt, "One and one. That makes two."), asked, "made once");
  const forced = book.begun(problem.basePrompt, "One and one.", { forced: true });
  assert.ok(forced.prefix?.endsWith("<think>\nOne and one.\n</think>\n\nThe best answer is: ("));
});

Deno.test("PromptBook opens the analysis channel of Harmony, in process as on a raw endpoint", async () => {
  const pocket = await getVariant("pocket") as LocalVariant;
  const variant: LocalVariant = { ...pocket, format: "harmony" };
  await using backend = await openLocal(variant);
  const book = new PromptBook(variant, await backend.tokenizer());
  const asked = book.begun(problem.basePrompt, "One and one.");
  const [rendered] = [...book.rendered(new Set([asked.sha256]))];
  assert.ok(rendered?.text?.endsWith("<|start|>assistant<|channel|>analysis<|message|>One and one."));
  assert.equal(book.fresh(problem.basePrompt).prefix, undefined);
  const forced = book.begun(problem.basePrompt, "One and one.", { forced: true });
  const { text, usage } = await backend.continueFrom({
    messages: forced.messages,
    prefix: forced.prefix as string,
    maxTokens: 2,
  });
  assert.equal(usage.promptTokens, forced.tokens);
  const read = readSample({ problem, asked: forced }, { ...attempt, output: "B)" }, book.marks);
  assert.deepEqual([read.answer, read.pattern], ["B", "best_answer"]);
  assert.equal(typeof text, "string");
});

Deno.test("readSample() puts reasoning and answer together again, and reads no letter in a reasoning that was cut off", () => {
  const variant = parseVariants(
    JSON.stringify({
      variants: {
        m: {
          backend: "api",
          description: "d",
          model: "m",
          baseUrl: "http://x/v1",
          contextWindow: 9,
          format: "harmony",
        },
      },
    }),
    "m.json",
  ).get("m") as Variant;
  const harmony = new PromptBook(variant, simulatedTokenizer);
  const row = { problem, asked: harmony.begun("Q", "One.") };
  const apart = { ...attempt, reasoning: " Two.", output: "The best answer is: (C)" };
  assert.equal(readSample(row, apart, harmony.marks).answer, "C");
  assert.match(
    readSample(row, apart, harmony.marks).turn,
    /analysis<\|message\|>One\. Two\.<\|end\|>.*final<\|message\|>The best/,
  );
  assert.equal(readSample(row, { ...attempt, output: "The best answer is: (D)" }, harmony.marks).answer, "D");

  const think = new PromptBook({ ...variant, format: undefined } as Variant, simulatedTokenizer);
  const open = { problem, asked: think.begun("Q", "One.") };
  const cut = { ...attempt, output: " So the best answer is: (A)? Or", finish_reason: "length" };
  assert.deepEqual(
    [readSample(open, cut, think.marks).answer, readSample(open, cut, think.marks).grade],
    [null, "output_cap"],
  );
  const whole = { ...attempt, output: "\nIt is two.\n</think>\n\nThe best answer is: (A)" };
  const fresh = { problem, asked: think.begun("Q", ""), params: { arm: "hinted", sample_num: 4 } };
  assert.deepEqual(chainOf(fresh, whole, think.marks), {
    arm: "hinted",
    sample: 4,
    reasoning: "It is two.",
    answer: "A",
  });
  assert.equal(chainOf(fresh, { ...attempt, output: "" }, think.marks), null);
  assert.equal(readSample(open, { ...attempt, status: "error" }, think.marks).grade, "error");
});

Deno.test("PromptBook tells the text of raw prompts, and not what a chat server makes of one", () => {
  const api = { backend: "api", description: "d", model: "m", baseUrl: "http://x/v1", contextWindow: 9 };
  const raw = { ...api, protocol: "completions" };
  const variants = parseVariants(
    JSON.stringify({
      variants: {
        template: { ...raw, promptTemplate: "<U>{user}<A>" },
        harmony: { ...raw, format: "harmony" },
        chat: api,
      },
    }),
    "m.json",
  );
  const textOf = (name: string) => {
    const book = new PromptBook(variants.get(name) as Variant, simulatedTokenizer);
    const { sha256 } = book.begun("Why $& not?", "One.");
    return [...book.rendered(new Set([sha256]))][0]?.text;
  };
  assert.equal(textOf("template"), "<U>Why $& not?<A><think>\nOne.");
  assert.match(textOf("harmony") ?? "", /<\|start\|>assistant<\|channel\|>analysis<\|message\|>One\.$/);
  assert.equal(textOf("chat"), null);
});
