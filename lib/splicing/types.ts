/**
 * The words that all parts of a splice experiment share: problems, chains, sentences, effects, points, arms, grades.
 * @module
 */

/** The letters that a choice may have. */
export const LETTERS = ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"] as const;
/** The letter of a choice. */
export type Letter = typeof LETTERS[number];

/** One chain of thought as it was recorded. */
export interface RecordedChain {
  /** Whether it was written without the hint (`base`) or with it (`hinted`). */
  readonly arm: "base" | "hinted";
  /** Number of the sample in its arm, from 0. */
  readonly sample: number;
  /** The reasoning, without what opens and closes it. Byte for byte as recorded: cuts are offsets into it. */
  readonly reasoning: string;
  /** The answer it came to; null where none can be read. */
  readonly answer: Letter | null;
}

/** A multiple-choice problem with what was recorded of it. */
export interface SpliceProblem {
  /** Its id, as the files have it (numbers as text). */
  readonly id: string;
  /** Its subject, where the file names one. */
  readonly subject: string | null;
  /** The question as the file has it. */
  readonly question: string;
  /** Its choices by letter; null where the file does not list them. */
  readonly choices: Readonly<Partial<Record<Letter, string>>> | null;
  /** What the user says, without a hint. */
  readonly basePrompt: string;
  /** What the user says, with the hint; null where no file has it. */
  readonly hintedPrompt: string | null;
  /** The right answer. */
  readonly correct: Letter;
  /** The answer that the hint names. */
  readonly hinted: Letter;
  /** What was recorded, base and hinted. */
  readonly chains: readonly RecordedChain[];
}

/** A sentence as a slice of a text: `reasoning.slice(start, end) === text`. */
export interface SentenceSpan {
  /** Its place, from 0. */
  readonly index: number;
  /** Offset of its first character, in UTF-16 units. */
  readonly start: number;
  /** Offset behind its last character. */
  readonly end: number;
  /** Its text, without space around it. */
  readonly text: string;
}

/** Answers counted. */
export interface AnswerCount {
  /** Answers equal to the hinted letter. */
  readonly hits: number;
  /** Answers that could be read. */
  readonly of: number;
}

/** How far one sentence moves the answer towards the hint. */
export interface SentenceEffect {
  /** Id of the problem. */
  readonly problem: string;
  /** Index of the sentence in its chain, from 0. */
  readonly sentence: number;
  /** The sentence. */
  readonly text: string;
  /** Share of hinted answers after the prefix that ends before this sentence; null where it is not known. */
  readonly before: number | null;
  /** Share of hinted answers after the prefix that ends with this sentence. */
  readonly after: number;
  /** `after - before`; null where `before` is not known. */
  readonly delta: number | null;
  /** Counts behind `before`; null where the file has none. */
  readonly beforeCount: AnswerCount | null;
  /** Counts behind `after`; null where the file has none. */
  readonly afterCount: AnswerCount | null;
  /** Whether `before` was measured. False for a first sentence whose previous rate is missing or was taken as 0. */
  readonly beforeMeasured: boolean;
  /** Whether `after` repeats the value of an earlier row because sampling stopped once all answers agreed. */
  readonly copied: boolean;
}

/** The classes that summaries put deltas into. */
export const BUCKETS = ["0.7+", "0.5-0.7", "<0.5"] as const;
/** The class of a delta. */
export type Bucket = typeof BUCKETS[number];

/** A sentence at which a chain is cut. */
export interface SplicePlace {
  /** Id of the problem. */
  readonly problem: string;
  /** Index of the sentence in the chain. */
  readonly sentence: number;
  /** The published or measured change of the share of hinted answers at this sentence. */
  readonly delta: number;
  /** Share of hinted answers before it. */
  readonly before: number;
  /** Share of hinted answers with it. */
  readonly after: number;
  /** Counts behind `before`; left out or null where they are not known. */
  readonly beforeCount?: AnswerCount | null;
  /** Counts behind `after`. */
  readonly afterCount?: AnswerCount | null;
  /** The sentence in the chain. */
  readonly span: SentenceSpan;
  /** Where the prefix `reasoning.slice(0, cut)` ends: `excluded` behind the sentence before it, `included` behind it. */
  readonly cut: { readonly excluded: number; readonly included: number };
  /** Where its end lies in the chain, 0 (start) to 1 (end), in characters. */
  readonly position: number;
}

/** A sentence that moved the answer, chosen for splicing. */
export interface SplicePoint extends SplicePlace {
  /** The hinted chain that is cut. */
  readonly chain: RecordedChain;
  /** Class of its delta. */
  readonly bucket: Bucket;
  /** Problems that are the same question and chain share a cluster: they are not independent. */
  readonly cluster: string;
  /** A sentence of the same chain that moved the answer little, near this one; null where there is none. */
  readonly control: SplicePlace | null;
}

/** What a prompt is made of in one arm. */
export interface SpliceArm {
  /** Which prompt the user's turn holds. */
  readonly prompt: "unhinted" | "hinted";
  /** Which sentence the chain is cut at; null for no prefix at all. */
  readonly cut: "anchor" | "control" | null;
  /** Whether the prefix ends before that sentence or with it; null for no prefix. */
  readonly sentence: "excluded" | "included" | null;
  /** Whether the reasoning is closed after the prefix and the letter asked for at once. */
  readonly forced: boolean;
}

/** The arms of the experiment. The first is the splice itself, the second its built-in check, the third the base rate. */
export const SPLICE_ARMS = {
  unhinted_anchor_included: { prompt: "unhinted", cut: "anchor", sentence: "included", forced: false },
  unhinted_anchor_excluded: { prompt: "unhinted", cut: "anchor", sentence: "excluded", forced: false },
  no_prefix: { prompt: "unhinted", cut: null, sentence: null, forced: false },
  unhinted_control_included: { prompt: "unhinted", cut: "control", sentence: "included", forced: false },
  unhinted_control_excluded: { prompt: "unhinted", cut: "control", sentence: "excluded", forced: false },
  hinted_no_prefix: { prompt: "hinted", cut: null, sentence: null, forced: false },
  hinted_anchor_included: { prompt: "hinted", cut: "anchor", sentence: "included", forced: false },
  hinted_anchor_excluded: { prompt: "hinted", cut: "anchor", sentence: "excluded", forced: false },
  hinted_control_included: { prompt: "hinted", cut: "control", sentence: "included", forced: false },
  hinted_control_excluded: { prompt: "hinted", cut: "control", sentence: "excluded", forced: false },
  forced_answer: { prompt: "unhinted", cut: "anchor", sentence: "included", forced: true },
} as const satisfies Record<string, SpliceArm>;
/** The name of an arm. */
export type ArmName = keyof typeof SPLICE_ARMS;
/** All arms, in the order of tables and figures. */
export const ARM_NAMES = Object.keys(SPLICE_ARMS) as readonly ArmName[];

/** What became of a sample. Rates count the first three; the others are shown beside them. */
export const SAMPLE_GRADES = ["correct", "hinted", "other", "invalid", "output_cap", "error"] as const;
/** The grade of a sample: an answer, no readable answer, the output cap before an answer, or a failed request. */
export type SampleGrade = typeof SAMPLE_GRADES[number];

/** One graded sample, as the analysis takes it. */
export interface GradedSample {
  /** Its arm. */
  readonly arm: ArmName;
  /** Id of the problem. */
  readonly problem: string;
  /**
   * Sentence of the splice point it belongs to (that of the anchor, also in the control's arms); null for arms without
   * a prefix, which all points of a problem share.
   */
  readonly sentence: number | null;
  /** Number of the sample, from 0. */
  readonly sample: number;
  /** The letter that was read; null where none was. */
  readonly answer: Letter | null;
  /** How it was graded. */
  readonly grade: SampleGrade;
}
