/**
 * The figures of copied words.
 * @module
 */
import { InputError } from "../base/errors.ts";
import type { Estimate } from "../stats/mean.ts";
import { deltaAxis, scoreAxis } from "./copy_axes.ts";
import type { CopyGroup, CopyGroups, CopyMeasures } from "./copy_groups.ts";
import { foundWordPanel } from "./found_word_panel.ts";
import { type Figure, frame, type Panel } from "./frame.ts";
import {
  type IntervalAxis,
  intervalLegend,
  intervalPanel,
  type IntervalSeries,
  type Level,
  type SeriesStyle,
  type ValueAxis,
} from "./interval_panel.ts";
import type { Threshold } from "./length_panel.ts";
import { runCaptions, runTitle, type RunTitleOptions } from "./run_title.ts";
import { formatLength, formatPercent } from "./theme.ts";

/** What the figures say besides the measures. */
export interface RepeatedWordsFigureOptions extends RunTitleOptions {
  /** The pair, as in titles: `apple/apples`. */
  readonly pair: string;
  /** Trained window in tokens, where one is known. */
  readonly window?: number | null;
  /** Levels of the effective length. */
  readonly thresholds?: readonly Threshold[];
}

/** A measure as one or two series: over valid rows, and over all where that differs. */
interface Measured {
  readonly of: keyof CopyMeasures;
  readonly label: string;
}

const PANEL_HEIGHT = 340;
const WILSON = "Bars: 95% Wilson interval.";
const BOOTSTRAP = "Bars: 95% bootstrap interval; none where all rows are alike.";

/**
 * Five figures, by the names of their files: exact copies and scores by input length; and Levenshtein score, modified
 * word, its place and word count, each by input length and by the place of the modified word.
 *
 * @throws {InputError} when there are no rows.
 */
export async function repeatedWordsFigures(
  groups: CopyGroups,
  options: RepeatedWordsFigureOptions,
): Promise<Record<string, Figure>> {
  if (groups.lengths.length === 0) {
    throw new InputError("A figure needs at least one row, got none: run the experiment first.");
  }
  const draw = new Drawing(groups, options);
  const share: ValueAxis = { title: "Share of copies" };
  const score = scoreAxis(groups);
  const { thresholds = [] } = options;
  const exact = { of: "exact", label: "" } as const;
  const whole = { of: "levenshtein", label: "" } as const;
  return {
    token_count_performance: draw.figure("performance by input length", exact, [
      await draw.lengths(exact, { ...share, title: "Share copied exactly" }, {
        heading: "Exact copies",
        thresholds,
      }),
      draw.legend([exact], WILSON, thresholds),
      SPACE,
      await draw.lengths(whole, score, { heading: "Levenshtein score" }),
      draw.legend([whole], BOOTSTRAP),
    ]),
    levenshtein_score: draw.figure("Levenshtein score", whole, [
      await draw.scores("lengths", score),
      draw.scoresLegend(),
      SPACE,
      await draw.scores("tenths", score),
      draw.scoresLegend(),
    ], ["An output cut to the length of the text shows how well it began, however long it went on."]),
    modified_word_present: await draw.both("modified word present", "modifiedPresent", {
      ...share,
      title: "Share that hold the word",
    }, WILSON),
    position_accuracy: await draw.both(
      "modified word at its place",
      "positionAccuracy",
      {
        ...share,
        title: "Share at its place",
      },
      WILSON,
      [SPACE, ...await foundWordPanel(groups.found)],
    ),
    word_count_delta: await draw.both("word count", "wordCountDelta", deltaAxis(groups), BOOTSTRAP, [], [
      "Above 0% words are missing, below there are too many; -100% is twice the words of the text.",
    ]),
  };
}

const SPACE: Panel = { content: "", height: 16 };

class Drawing {
  readonly #groups: CopyGroups;
  readonly #options: RepeatedWordsFigureOptions;
  /** Whether all rows say another thing than valid ones. */
  readonly #differs: boolean;

  constructor(groups: CopyGroups, options: RepeatedWordsFigureOptions) {
    this.#groups = groups;
    this.#options = options;
    this.#differs = groups.tally.invalidShare > 0;
  }

  /** A measure by input length over the same by place. */
  async both(
    what: string,
    of: keyof CopyMeasures,
    y: ValueAxis,
    bars: string,
    more: readonly Panel[] = [],
    notes: readonly string[] = [],
  ): Promise<Figure> {
    const measured = { of, label: "" };
    const panels = [
      await this.lengths(measured, y, { heading: BY_LENGTH }),
      SPACE,
      await this.tenths([this.#series("tenths", measured)].flat(), y),
      this.legend([measured], bars),
      ...more,
    ];
    return this.figure(what, measured, panels, notes);
  }

  lengths(
    measured: Measured,
    y: ValueAxis,
    options: { readonly heading: string; readonly thresholds?: readonly Threshold[] },
  ): Promise<Panel> {
    const series = this.#series("lengths", measured);
    return intervalPanel({
      series,
      counts: series,
      x: this.#lengthAxis(),
      y,
      levels: options.thresholds ?? zeroOf(y),
      heading: options.heading,
      height: PANEL_HEIGHT,
    });
  }

  tenths(series: readonly IntervalSeries[], y: ValueAxis): Promise<Panel> {
    return intervalPanel({
      series,
      x: {
        scale: "columns",
        places: this.#groups.tenths.map(({ place }) => place),
        title: "Place of the modified word in the text",
        format: (tenth) => `${tenth * 10}-${tenth * 10 + 10}%`,
      },
      y,
      levels: zeroOf(y),
      counts: series.filter(({ style }) => style !== "other"),
      heading: BY_PLACE,
      height: PANEL_HEIGHT,
    });
  }

  /** Whole outputs, over valid rows and over all, and cut ones. */
  scores(by: "lengths" | "tenths", y: ValueAxis): Promise<Panel> {
    const series = this.#scoreSeries(by);
    return by === "tenths" ? this.tenths(series, y) : intervalPanel({
      series,
      x: this.#lengthAxis(),
      y,
      counts: series.filter(({ style }) => style !== "other"),
      heading: BY_LENGTH,
      height: PANEL_HEIGHT,
    });
  }

  scoresLegend(): Panel {
    return intervalLegend(shown(this.#scoreSeries("lengths")).toReversed(), [], BOOTSTRAP);
  }

  legend(measured: readonly Measured[], bars: string, thresholds: readonly Threshold[] = []): Panel {
    const levels = thresholds.map(({ label, value }) => ({
      label: `${label} (${formatPercent(value)})`,
      value,
    }));
    const series = measured.flatMap((one) => this.#series("lengths", one));
    return intervalLegend(shown(series).toReversed(), levels, bars);
  }

  figure(what: string, { of }: Measured, panels: readonly Panel[], notes: readonly string[] = []): Figure {
    const { tally } = this.#groups;
    const options = { ...this.#options, notes: [...notes, ...this.#options.notes ?? []] };
    const title = runTitle(`Repeated words ${this.#options.pair}: ${what}`, tally, options);
    return frame(title, runCaptions(tally, options), panels, this.#alt(what, of));
  }

  #lengthAxis(): IntervalAxis {
    const { window = null } = this.#options;
    const words = new Map(this.#groups.lengths.map(({ place, words }) => [place, words ?? 0]));
    const second = { title: "words", format: (place: number) => formatLength(words.get(place) ?? 0) };
    return { scale: "log", places: [...words.keys()], title: "Input length (tokens)", second, window };
  }

  #series(by: "lengths" | "tenths", { of }: Measured): IntervalSeries[] {
    const sent = of === "exact" ? "all rows sent" : "all rows answered";
    const all = seriesOf(this.#groups[by], (group) => group.all[of], sent, this.#differs ? "raw" : "valid");
    return this.#differs
      ? [all, seriesOf(this.#groups[by], (group) => group.valid[of], "valid rows", "valid")]
      : [all];
  }

  #scoreSeries(by: "lengths" | "tenths"): IntervalSeries[] {
    const cut = seriesOf(
      this.#groups[by],
      (group) => group.all.levenshteinCut,
      `${this.#differs ? "all rows answered, " : ""}output cut to the text's length`,
      "other",
    );
    const named = {
      raw: "all rows answered, whole output",
      valid: this.#differs ? "valid rows, whole output" : "whole output",
    };
    return [
      cut,
      ...this.#series(by, { of: "levenshtein", label: "" }).map((series) => ({
        ...series,
        label: named[series.style === "raw" ? "raw" : "valid"],
      })),
    ];
  }

  #alt(what: string, of: keyof CopyMeasures): string {
    const { lengths, tenths, whole } = this.#groups;
    const say = (estimate: Estimate) =>
      estimate.estimate === null ? "none" : formatMeasure(of, estimate.estimate);
    const list = (groups: readonly CopyGroup[], name: (group: CopyGroup) => string) =>
      groups.map((group) => `${name(group)} ${say(group.valid[of])} (${group.valid[of].n} rows)`).join(", ");
    return `Line charts of ${this.#options.variant} copying ${this.#options.pair}, ${what}: ${
      say(whole.valid[of])
    } over ${whole.valid[of].n} valid rows. By input length in tokens: ${
      list(lengths, ({ place }) => formatLength(place))
    }. By place of the modified word: ${list(tenths, ({ place }) => `${place * 10}-${place * 10 + 10}%`)}.`;
  }
}

/** The series that have a point; all of them where none has. */
function shown(series: readonly IntervalSeries[]): readonly IntervalSeries[] {
  const some = series.filter(({ points }) => points.length > 0);
  return some.length > 0 ? some : series;
}

/** The line at zero of an axis that goes below it. */
function zeroOf({ domain }: ValueAxis): Level[] {
  return domain !== undefined && domain[0] < 0 ? [{ value: 0 }] : [];
}

const BY_LENGTH = "By input length";
const BY_PLACE = "By place of the modified word, all lengths together";
function formatMeasure(of: keyof CopyMeasures, value: number): string {
  return of === "levenshtein" || of === "levenshteinCut" ? value.toFixed(3) : formatPercent(value);
}

function seriesOf(
  groups: readonly CopyGroup[],
  pick: (group: CopyGroup) => Estimate,
  label: string,
  style: SeriesStyle,
): IntervalSeries {
  const points = groups.flatMap((group) => {
    const { estimate, low, high, n } = pick(group);
    return estimate === null ? [] : [{ x: group.place, y: estimate, low, high, n }];
  });
  return { label, style, points };
}
