/**
 * What several judges and labels add to a run's report, for people and programs.
 * @module
 */
import type { Json } from "../base/hash.ts";
import type { CohenKappa } from "../stats/cohen_kappa.ts";
import type { Share } from "../stats/wilson.ts";
import type { Report } from "./experiment.ts";
import type { AccuracyRange, JudgeReport, PartRange } from "./judge_report.ts";

/** A report with what several judges and labels add to it; the same when they add nothing. */
export function withJudges(
  report: Report,
  judges: JudgeReport,
  files: { readonly disagreements: string },
): Report {
  const lines = judgeLines(judges, files);
  if (lines.length === 0) return report;
  const { statistics } = report;
  const fields = typeof statistics === "object" && statistics !== null && !Array.isArray(statistics)
    ? statistics as { readonly [key: string]: Json }
    : { report: statistics };
  return {
    ...report,
    summary: [report.summary.trimEnd(), ...lines].join("\n"),
    statistics: { ...fields, judges: JSON.parse(JSON.stringify(judges)) as Json },
  };
}

const percent = (value: number | null) => value === null ? "-" : `${(value * 100).toFixed(1)}%`;
const shareText = ({ correct, n, estimate, low, high }: Share) =>
  n === 0
    ? "no rows"
    : `${correct}/${n} = ${percent(estimate)} (95% interval ${percent(low)} to ${percent(high)})`;

/** A judge report as lines for people; none when there is one judge and no label. */
export function judgeLines(report: JudgeReport, files: { readonly disagreements: string }): string[] {
  const lines = report.pairs.flatMap((pair) => {
    const [first, second] = pair.judges;
    const head = `Judges ${first} and ${second}`;
    if (pair.kappa.n === 0) return [`${head}: no row was judged by both`];
    const [[both, firstOnly], [secondOnly, neither]] = pair.table;
    const unreadable = pair.unreadable === 0
      ? ""
      : `; ${pair.unreadable} more without a verdict that can be read`;
    return [
      `${head}: agree on ${shareText(pair.kappa.agreement)} of the rows both judged; ${
        kappaText(pair.kappa)
      }`,
      `  both true ${both}, ${first} only ${firstOnly}, ${second} only ${secondOnly}, both false ${neither}${unreadable}`,
      `  called true: ${first} ${percent(pair.prevalence[0].estimate)}, ${second} ${
        percent(pair.prevalence[1].estimate)
      }`,
    ];
  });
  if (report.open > 0) {
    lines.push(
      `${count(report.open, "disagreement")} without a label: ${
        report.judges[0]
      } decides. If all went either way: ` +
        rangeText(report.range),
      ...Object.entries(report.parts).map(([part, own]) => `  ${part}: ${rangeText(own)}`),
      `  Fill in the label column (true or false) of ${files.disagreements} and start the same command again`,
    );
  }
  if (report.labelled > 0) {
    lines.push(
      `${
        count(report.labelled, "row")
      } labelled by a person (judge: relabel), ${report.changed} of them changed`,
    );
  }
  return lines;
}

const count = (n: number, noun: string) => `${n} ${noun}${n === 1 ? "" : "s"}`;
const range = ({ low, high }: AccuracyRange) =>
  `${low.correct}/${low.n} = ${percent(low.estimate)} to ${high.correct}/${high.n} = ${
    percent(high.estimate)
  }`;

const rangeText = ({ raw, valid }: PartRange) =>
  `right ${range(raw)} of all rows sent, ${range(valid)} of valid rows`;

function kappaText({ kappa, low, high }: CohenKappa): string {
  if (kappa === null) return "no kappa: all rows have the same verdict";
  const interval = low === null || high === null
    ? "no interval: the rows show no variation"
    : `95% interval ${low.toFixed(3)} to ${high.toFixed(3)}`;
  return `Cohen's kappa ${kappa.toFixed(3)} (${interval})`;
}
