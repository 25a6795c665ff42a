/**
 * Counting letters: does a model still count the letters of a word when the word grows?
 * The example of docs/adding_an_experiment.md; in the library it would be `lib/letters/start_letters.ts`.
 * @module
 */
import { z } from "zod";
import { modelIdentity } from "../../lib/backends/model_identity.ts";
import { hashJson } from "../../lib/base/hash.ts";
import { createRandom } from "../../lib/base/random.ts";
import { gradeRows } from "../../lib/context_rot/grade_rows.ts";
import { accuracyByLength } from "../../lib/figures/niah_figures.ts";
import { formatAccuracy, tally } from "../../lib/figures/outcomes.ts";
import { isUngraded, type Row } from "../../lib/runs/experiment.ts";
import { type CreateOptions, defineKind, type PlannedExperiment } from "../../lib/runs/experiment_kind.ts";

const configSchema = z.strictObject({ test: z.boolean().default(false), seed: z.int().default(0) });

function createLetters(config: z.output<typeof configSchema>, options: CreateOptions): PlannedExperiment {
  const { variant, tokenizer } = options;
  const messages = ({ params: { word, letter } }: Pick<Row, "params">) => [{
    role: "user" as const,
    content: `How many times does the letter ${letter} stand in ${word}? Answer with a number alone.`,
  }];
  const words = config.test ? 3 : 25;
  const rows = [4, 8, 16, 32].flatMap((letters) =>
    Array.from({ length: words }, (_, nth): Row => {
      const random = createRandom(`letters/${config.seed}/${letters}/${nth}`);
      const word = Array.from({ length: letters }, () => random.pick([..."aeiou"])).join("");
      const letter = random.pick([...word]);
      const params = { letters, word, letter, answer: word.split(letter).length - 1 };
      const recipe = {
        experiment: "letters",
        prompt: 1,
        temperature: 0,
        model: modelIdentity(variant),
        ...params,
      };
      const tokens = tokenizer.countMessages(messages({ params }));
      return { id: hashJson([recipe, nth]), params, recipe, tokens, maxTokens: 16, skip: null };
    })
  );
  return {
    name: "letters",
    sampling: { temperature: 0 },
    rows,
    notes: [`${words} words of each length`],
    fullSize: 100,
    judging: null,
    prompt: (row) => ({
      messages: messages(row),
      tokens: row.tokens,
      oracle: { answer: String(row.params["answer"]), length: Number(row.params["letters"]) },
    }),
    grade: (done) =>
      gradeRows(done, {
        variant,
        tokenizer,
        length: (row) => row.tokens,
        verdict({ row, attempt }) {
          const number = /\d+/.exec(attempt.output)?.[0];
          const correct = number !== undefined && Number(number) === row.params["answer"];
          return { correct, judge: "match", output: String(correct) };
        },
      }),
    async report(graded) {
      const outcomes = graded.map((entry) => ({
        length: Number(entry.row.params["letters"]),
        skip: entry.row.skip,
        validity: entry.grade?.validity ?? null,
        correct: entry.grade?.correct ?? null,
        ungraded: isUngraded(entry),
      }));
      const simulated = variant.backend === "simulated";
      const about = { title: "Counting letters", variant: variant.name, simulated, unit: "letters" };
      return {
        summary: `Counting letters, ${variant.name}: ${formatAccuracy(tally(outcomes).raw)} of all rows sent`,
        statistics: {},
        figures: { accuracy: await accuracyByLength(outcomes, about) },
      };
    },
  };
}

/** Counting letters, for tasks, notebooks and workflows. */
export const lettersKind = defineKind({
  name: "letters",
  title: "Counting letters",
  short: "letters",
  config: configSchema,
  experiments: (config) => [{
    name: "letters",
    title: "Counting letters",
    create: (options) => Promise.resolve(createLetters(config, options)),
  }],
});
