/**
 * What the embedded model can do at NIAH.
 * @module
 */
import { startNiah } from "../context_rot/start_niah.ts";
import type { GradedRow } from "../runs/experiment.ts";
import { clusterPaired } from "../stats/cluster_paired.ts";
import { clusterWilson } from "../stats/cluster_wilson.ts";
import type { Share } from "../stats/wilson.ts";
import { type CardOptions, gradedRows } from "./card_options.ts";
import { type CardSection, type Claim, differenceText, shareMeasure } from "./card_section.ts";

/** Options of {@linkcode measureNiah}. */
export interface NiahCardOptions extends CardOptions {
  /** Tokens of the longest prompts the model was trained on. */
  readonly trainedWindow: number;
  /** Another folder of texts the model has not seen, measured besides the generated prose. */
  readonly haystack?: string | null;
}

/** Lengths of the card, in tokens: four in the trained window and four beyond. */
const LENGTHS = [256, 512, 768, 1024, 1536, 2048, 3072, 4032];
const DEPTHS = [0, 25, 50, 75, 100];
/** Trials within the trained window, where few answers are wrong and settings are compared, and beyond it. */
const TRIALS = { within: 16, beyond: 8 };

const SETTINGS = {
  ships: { setting: "generated prose, the needle that ships", needle: "low-overlap", varyNeedle: false },
  low: { setting: "generated prose, low-overlap needles", needle: "low-overlap" },
  high: { setting: "generated prose, high-overlap needles", needle: "high-overlap" },
  distractors: {
    setting: "generated prose, low-overlap needles, 4 distractors",
    needle: "low-overlap",
    distractors: 4,
  },
  twoHop: { setting: "generated prose, two-hop needles", needle: "two-hop" },
  essaysShips: {
    setting: "essays it has never seen, the needle that ships",
    needle: "low-overlap",
    varyNeedle: false,
  },
  essays: { setting: "essays it has never seen, low-overlap needles", needle: "low-overlap" },
};
type SettingName = keyof typeof SETTINGS;
const ESSAYS: readonly SettingName[] = ["essaysShips", "essays"];

/**
 * Measures every setting of the card. Needles vary from trial to trial except where a setting is of the pair that
 * ships. The seed is one that no training text was made with.
 *
 * @throws {InputError} when the folder of texts cannot be used.
 */
export async function measureNiah(options: NiahCardOptions): Promise<CardSection> {
  const { model, results, trainedWindow, haystack = null, scale = 1, log = () => {} } = options;
  const measured = new Map<SettingName, readonly GradedRow[]>();
  for (const name of Object.keys(SETTINGS) as SettingName[]) {
    const onEssays = ESSAYS.includes(name);
    if (onEssays && haystack === null) continue;
    const { setting, ...chosen } = SETTINGS[name];
    log(`${setting}...`);
    const found: GradedRow[] = [];
    for (const part of ["within", "beyond"] as const) {
      const run = await startNiah({
        varyNeedle: true,
        ...chosen,
        haystack: onEssays ? haystack : "generated",
        model,
        trials: Math.max(1, Math.round(TRIALS[part] * scale)),
        seed: 2026,
        lengths: LENGTHS.filter((length) => length <= trainedWindow === (part === "within")),
        depths: DEPTHS,
        results: `${results}/niah_${name}_${part}`,
      }, { log: () => {} });
      const [rows = []] = await gradedRows(run);
      found.push(...rows);
    }
    measured.set(name, found);
  }
  return {
    name: "niah",
    columns: ["setting", ...LENGTHS.map(String)],
    rows: [...measured].map(([name, rows]) => ({
      label: SETTINGS[name].setting,
      measures: LENGTHS.map((length) =>
        shareMeasure(shareOf(rows.filter((row) => lengthOf(row) === length)))
      ),
    })),
    claims: niahClaims(measured, trainedWindow),
  };
}

const lengthOf = ({ row }: GradedRow) => Number(row.params["approximate_input_length"]);
const isRight = ({ grade }: GradedRow) => grade?.correct === true;

/** Depths of a trial share needle and haystack: they are not independent rows. */
function shareOf(rows: readonly GradedRow[]): Share {
  return clusterWilson(rows.map((row) => ({ correct: isRight(row), cluster: clusterOf(row) })));
}

const clusterOf = ({ row }: GradedRow) => `${row.params["approximate_input_length"]}/${row.params["trial"]}`;

function niahClaims(measured: ReadonlyMap<SettingName, readonly GradedRow[]>, window: number): Claim[] {
  const within = (name: SettingName) => (measured.get(name) ?? []).filter((row) => lengthOf(row) <= window);
  const beyond = (measured.get("ships") ?? []).filter((row) => lengthOf(row) > window);
  const atLeast = (names: readonly SettingName[], least: number): Claim => {
    const share = shareOf(names.flatMap((name) => within(name)));
    return {
      claim: `${
        names.map((name) => SETTINGS[name].setting).join(" and ")
      }: at least ${least}% right up to ${window} tokens.`,
      measured: shareMeasure(share).text,
      holds: (share.estimate ?? 0) >= least / 100,
    };
  };
  const [inside, outside] = [shareOf(within("ships")), shareOf(beyond)];
  return [
    atLeast(["ships"], 95),
    // Needles of both kinds together: those of low overlap are to be the harder ones.
    atLeast(["high", "low"], 95),
    ...ESSAYS.filter((name) => measured.has(name)).map((name) => atLeast([name], 85)),
    {
      claim: `NIAH declines beyond ${window} tokens: the intervals do not meet.`,
      measured: `${shareMeasure(inside).text}, then ${shareMeasure(outside).text}`,
      holds: outside.high < inside.low,
    },
    hurts("Four distractors hurt", within("low"), within("distractors")),
    hurts("Low lexical overlap hurts", within("high"), within("low")),
  ];
}

/** Whether the second rows do worse than the first, paired by length, depth and trial. */
function hurts(what: string, first: readonly GradedRow[], second: readonly GradedRow[]): Claim {
  const keyOf = (row: GradedRow) => `${clusterOf(row)}/${row.row.params["needle_depth"]}`;
  const others = new Map(second.map((row) => [keyOf(row), row]));
  const { difference, p } = clusterPaired(first.flatMap((row) => {
    const other = others.get(keyOf(row));
    return other ? [{ first: isRight(row), second: isRight(other), cluster: clusterOf(row) }] : [];
  }));
  return {
    claim: `${what}: fewer right within the window, p < 0.05.`,
    measured: `${differenceText(difference)}, p = ${p.toPrecision(2)}`,
    holds: difference.estimate > 0 && p < 0.05,
  };
}
