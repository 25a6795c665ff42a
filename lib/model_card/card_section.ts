/**
 * A model card that is measured: tables of shares with intervals, and what they are to show.
 * @module
 */
import type { Difference } from "../stats/difference.ts";
import type { Interval, Share } from "../stats/wilson.ts";

/** A number of a card with its interval. */
export interface Measure extends Interval {
  /** What was measured: a share, 0..1, or a difference of shares, -1..1. */
  readonly estimate: number;
  /** As the card says it, the interval in brackets and percent: `39/40 (87-100%)`. */
  readonly text: string;
}

/** Something the model is to show. */
export interface Claim {
  /** In one sentence, with what counts as shown. */
  readonly claim: string;
  /** The numbers that decide. */
  readonly measured: string;
  /** Whether it was shown. */
  readonly holds: boolean;
}

/** One experiment's part of a card. */
export interface CardSection {
  /** Name of its place in the card, kebab-case. */
  readonly name: string;
  /** Headings of the table: what its rows are, then one for each measure. */
  readonly columns: readonly string[];
  /** The table. */
  readonly rows: readonly { readonly label: string; readonly measures: readonly Measure[] }[];
  /** What it is to show. */
  readonly claims: readonly Claim[];
}

const percent = (share: number) => (share * 100).toFixed(0);

/** A share as a measure. */
export function shareMeasure({ correct, n, estimate, low, high }: Share): Measure {
  return { estimate: estimate ?? 0, low, high, text: `${correct}/${n} (${percent(low)}-${percent(high)}%)` };
}

/** A difference of shares for people: `+30 points (7 to 50)`. */
export function differenceText({ estimate, low, high }: Difference): string {
  return `${estimate < 0 ? "" : "+"}${percent(estimate)} points (${percent(low)} to ${percent(high)})`;
}

const begin = (name: string) => `<!-- ${name}: begin -->`;
const end = (name: string) => `<!-- ${name}: end -->`;

/** A card with the tables of sections replaced, each in its place. @throws {Error} when a place is missing. */
export function withSections(card: string, sections: readonly CardSection[]): string {
  return sections.reduce((text, section) => {
    const { name, claims } = section;
    const [from, to] = [text.indexOf(begin(name)), text.indexOf(end(name))];
    if (from < 0 || to < from) throw new Error(`The card has no ${begin(name)} and ${end(name)}.`);
    const tables = [sectionTable(section), ...claims.length === 0 ? [] : [claimsTable(claims)]];
    return `${text.slice(0, from)}${begin(name)}\n${tables.join("\n\n")}\n${text.slice(to)}`;
  }, card);
}

/** A section for people: its table, and whether each claim holds. */
export function sectionText(section: CardSection): string {
  const claims = section.claims.map(({ claim, measured, holds }) =>
    `${holds ? "yes" : "NO "} ${claim} ${measured}`
  );
  return [sectionTable(section), ...claims].join("\n");
}

/** A section's table. */
export function sectionTable({ columns, rows }: CardSection): string {
  return table(columns, rows.map(({ label, measures }) => [label, ...measures.map(({ text }) => text)]));
}

function claimsTable(claims: readonly Claim[]): string {
  return table(
    ["what it is to show", "measured", "shown"],
    claims.map(({ claim, measured, holds }) => [claim, measured, holds ? "yes" : "no"]),
  );
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(columns), `|${"---|".repeat(columns.length)}`, ...rows.map(line)].join("\n");
}

/**
 * Where a card does not hold: measures that lie outside the interval on the card, and claims that it says are shown and
 * are not. Empty when it holds.
 */
export function cardProblems(card: string, sections: readonly CardSection[]): string[] {
  return sections.flatMap((section) => {
    const [measures = [], claims = []] = readTables(card, section.name);
    return [
      ...measureProblems(measures, section),
      ...section.claims.flatMap(({ claim, measured, holds }) => {
        const stated = claims.find(([text]) => text === claim)?.at(-1);
        if (stated === undefined) return [`the card does not say whether this is shown: ${claim}`];
        return stated === "yes" && !holds ? [`no longer shown: ${claim} Measured now: ${measured}`] : [];
      }),
    ];
  });
}

function measureProblems(stated: readonly (readonly string[])[], section: CardSection): string[] {
  const [head = [], , ...lines] = stated;
  return section.rows.flatMap(({ label, measures }) => {
    const line = lines.find(([first]) => first === label);
    return measures.flatMap(({ estimate, text }, i) => {
      const column = section.columns[i + 1] as string;
      const interval = intervalOf(line?.[head.indexOf(column)] ?? "");
      if (interval === null) return [`${label}, ${column}: not on the card`];
      // The card rounds to whole percent.
      if (estimate >= interval.low - 0.005 && estimate <= interval.high + 0.005) return [];
      return [`${label}, ${column}: ${text} now, outside the card's interval`];
    });
  });
}

function intervalOf(cell: string): Interval | null {
  const match = /\((-?\d+)(?:-| to )(-?\d+)%?\)/.exec(cell);
  return match ? { low: Number(match[1]) / 100, high: Number(match[2]) / 100 } : null;
}

/** The tables in a section's place, as cells. */
function readTables(card: string, name: string): string[][][] {
  const text = card.slice(card.indexOf(begin(name)), card.indexOf(end(name)));
  const tables: string[][][] = [];
  let before = "";
  for (const line of text.split("\n")) {
    if (line.startsWith("|")) {
      if (!before.startsWith("|")) tables.push([]);
      tables.at(-1)?.push(line.split("|").slice(1, -1).map((cell) => cell.trim()));
    }
    before = line;
  }
  return tables;
}
