/**
 * A spliced turn as the tokens that were read and written.
 * @module
 */
import type { Tokenizer } from "../backends/backend.ts";
import type { TokenKind, ViewToken } from "../figures/splice_view.ts";

/** A prompt whose turn is begun, and what was written behind it. */
export interface SplicedTurn {
  /** Token ids of the prompt as the model read it, the begun turn included. */
  readonly promptIds: readonly number[];
  /** Characters from the start of the recorded chain to the end of the prompt; 0 without a prefix. */
  readonly chainLength: number;
  /** Characters from the start of the spliced sentence to the end of the prompt; 0 without it. */
  readonly sentenceLength: number;
  /** What the model wrote. */
  readonly continuation: string;
}

/**
 * The tokens of a turn by what they belong to. A token belongs to where its last character stands. The continuation is
 * cut into tokens again from its text.
 */
export function viewTokens(turn: SplicedTurn, tokenizer: Pick<Tokenizer, "encode" | "decode">): ViewToken[] {
  const { promptIds, chainLength, sentenceLength, continuation } = turn;
  const prompt = pieces(promptIds, tokenizer);
  const length = prompt.reduce((sum, text) => sum + text.length, 0);
  let at = 0;
  const kindAt = (end: number): TokenKind =>
    end > length - sentenceLength ? "sentence" : end > length - chainLength ? "prefix" : "prompt";
  return [
    ...prompt.map((text): ViewToken => {
      at += text.length;
      return { text, kind: kindAt(at) };
    }),
    ...pieces(tokenizer.encode(continuation), tokenizer).map((text): ViewToken => ({
      text,
      kind: "continuation",
    })),
  ];
}

/** Most tokens of one character. */
const LONGEST_CHARACTER = 4;

/** The text of each token: what decoding it adds. A token that ends inside a character adds nothing; the next one adds it. */
function pieces(ids: readonly number[], tokenizer: Pick<Tokenizer, "decode">): string[] {
  const texts: string[] = [];
  let open: number[] = [];
  for (const id of ids) {
    open.push(id);
    const text = tokenizer.decode(open);
    if (text.endsWith("\uFFFD") && open.length < LONGEST_CHARACTER) {
      texts.push("");
      continue;
    }
    texts.push(text);
    open = [];
  }
  if (open.length > 0) texts[texts.length - 1] = tokenizer.decode(open);
  return texts;
}
