/**
 * What the embedded model can do at NIAH, measured for its card.
 * @module
 */
import { clusterWilson } from "../stats/cluster_wilson.ts";
import { type Interval, type Share } from "../stats/wilson.ts";
import { finishedResults } from "../runs/sequence.ts";
import { startNiah } from "./start_niah.ts";

/** One setting of the card: a row of its table. */
export interface CardRow {
  /** Haystack, needle and distractors, for people. */
  readonly setting: string;
  /** By input length in tokens, shortest first. */
  readonly lengths: readonly { readonly length: number; readonly share: Share }[];
}

/** Options of {@linkcode measureNiahCard}. */
export interface NiahCardOptions {
  /** The variant to measure. */
  readonly model: string;
  /** A folder for the runs' files. */
  readonly results: string;
  /** Another folder of texts the model has not seen, measured besides the generated prose. */
  readonly haystack?: string | null;
  /** Rows per length and setting are five depths times this. */
  readonly trials?: number;
  /** Says how far it is. */
  readonly log?: (line: string) => void;
}

/** Lengths of the card, in tokens: four in the trained window and four beyond. */
const LENGTHS = [256, 512, 768, 1024, 1536, 2048, 3072, 4032];
const DEPTHS = [0, 25, 50, 75, 100];
const BEGIN = "<!-- niah: begin -->";
const END = "<!-- niah: end -->";

/**
 * Measures every setting of the card. Needles vary from trial to trial except in the first setting, which is the pair
 * that ships. The seed is one that no training text was made with.
 */
export async function measureNiahCard(options: NiahCardOptions): Promise<CardRow[]> {
  const { model, results, haystack = null, trials = 8, log = () => {} } = options;
  const settings = [
    {
      setting: "generated prose, the needle that ships",
      haystack: "generated",
      needle: "low-overlap",
      varyNeedle: false,
    },
    { setting: "generated prose, low-overlap needles", haystack: "generated", needle: "low-overlap" },
    { setting: "generated prose, high-overlap needles", haystack: "generated", needle: "high-overlap" },
    {
      setting: "generated prose, low-overlap needles, 4 distractors",
      haystack: "generated",
      needle: "low-overlap",
      distractors: 4,
    },
    { setting: "generated prose, two-hop needles", haystack: "generated", needle: "two-hop" },
    ...(haystack === null
      ? []
      : [{ setting: "essays it has never seen, low-overlap needles", haystack, needle: "low-overlap" }]),
  ];
  const rows: CardRow[] = [];
  for (const [index, { setting, ...chosen }] of settings.entries()) {
    log(`${setting}...`);
    const run = await startNiah({
      varyNeedle: true,
      ...chosen,
      model,
      trials,
      seed: 2026,
      lengths: LENGTHS,
      depths: DEPTHS,
      results: `${results}/${index}`,
    }, { log: () => {} });
    const [finished] = finishedResults(await run.done);
    const byLength = Map.groupBy(
      finished?.rows ?? [],
      ({ row }) => row.params["approximate_input_length"] as number,
    );
    rows.push({
      setting,
      lengths: [...byLength].sort(([a], [b]) => a - b).map(([length, graded]) => ({
        length,
        // Depths of a trial share needle and haystack: they are not independent rows.
        share: clusterWilson(
          graded.map(({ row, grade }) => ({
            correct: grade?.correct === true,
            cluster: String(row.params["trial"]),
          })),
        ),
      })),
    });
  }
  return rows;
}

/** The card's table, between its markers. */
export function niahCardTable(rows: readonly CardRow[]): string {
  const lengths = rows[0]?.lengths.map(({ length }) => length) ?? [];
  const cell = ({ correct, n, low, high }: Share) =>
    `${correct}/${n} (${(low * 100).toFixed(0)}-${(high * 100).toFixed(0)}%)`;
  return [
    BEGIN,
    `| setting | ${lengths.join(" | ")} |`,
    `|---|${lengths.map(() => "---|").join("")}`,
    ...rows.map(({ setting, lengths }) =>
      `| ${setting} | ${lengths.map(({ share }) => cell(share)).join(" | ")} |`
    ),
    END,
  ].join("\n");
}

/** A card with its table replaced. @throws {Error} when the card has no place for it. */
export function withNiahTable(card: string, table: string): string {
  const [begin, end] = [card.indexOf(BEGIN), card.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`The card has no ${BEGIN} and ${END}.`);
  return card.slice(0, begin) + table + card.slice(end + END.length);
}

/**
 * Where a card does not hold: settings and lengths whose share, measured again, lies outside the interval the card
 * gives. Empty when it holds.
 */
export function niahCardProblems(card: string, rows: readonly CardRow[]): string[] {
  const stated = readTable(card);
  return rows.flatMap(({ setting, lengths }) =>
    lengths.flatMap(({ length, share }) => {
      const interval = stated.get(`${setting}/${length}`);
      if (interval === undefined) return [`${setting} at ${length} tokens is not on the card`];
      const now = share.estimate ?? 0;
      // The card rounds to whole percent.
      if (now >= interval.low - 0.005 && now <= interval.high + 0.005) return [];
      return [`${setting} at ${length} tokens: ${share.correct}/${share.n} now, outside the card's interval`];
    })
  );
}

function readTable(card: string): Map<string, Interval> {
  const lines = card.slice(card.indexOf(BEGIN), card.indexOf(END)).split("\n").filter((line) =>
    line.startsWith("|")
  );
  const cells = (line: string) => line.split("|").slice(1, -1).map((cell) => cell.trim());
  const lengths = cells(lines[0] ?? "").slice(1);
  const stated = new Map<string, Interval>();
  for (const line of lines.slice(2)) {
    const [setting, ...shares] = cells(line);
    shares.forEach((share, i) => {
      const match = /\((\d+)-(\d+)%\)/.exec(share);
      if (match) {
        stated.set(`${setting}/${lengths[i]}`, { low: Number(match[1]) / 100, high: Number(match[2]) / 100 });
      }
    });
  }
  return stated;
}
