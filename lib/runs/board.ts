/**
 * The one progress board, for terminals and notebooks: pure functions of a snapshot.
 * @module
 */
import type { RunSnapshot } from "./run_snapshot.ts";
import { costText } from "./token_dashboard.ts";

const whole = (n: number) => Math.round(n).toLocaleString("en-US");

/** `1 h 02 min`, `3 min 20 s`, `4 s`. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const two = (n: number) => String(n).padStart(2, "0");
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} min`;
}

/** Hostile text on one line: control and direction characters become spaces, and it is cut at `most` characters. */
export function oneLine(text: string, most: number): string {
  const clean = text.toWellFormed().replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ");
  const characters = [...clean.replace(/\s+/g, " ").trim().slice(0, most * 2 + 2)];
  return characters.length <= most ? characters.join("") : characters.slice(0, most - 1).join("") + "…";
}

/** Text that is safe inside HTML and its attributes. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** The lines under the bar: a label and what to say, in order. */
function facts(s: RunSnapshot): [label: string, text: string][] {
  const lines: [string, string][] = [];
  const rows = [`${whole(s.done)} of ${whole(s.total - s.skipped)} done`];
  if (s.resumed > 0) rows.push(`${whole(s.resumed)} from before`);
  if (s.errors > 0) rows.push(`${whole(s.errors)} error${s.errors === 1 ? "" : "s"}`);
  if (s.skipped > 0) rows.push(`${whole(s.skipped)} skipped`);
  const judging = s.step === "evaluation" && s.concurrency.most > 0;
  lines.push([judging ? "judge" : "rows", rows.join(", ")]);
  const time = [durationText(s.elapsedMs)];
  if (s.rowsPerMinute !== null) {
    time.push(`${s.rowsPerMinute.toFixed(s.rowsPerMinute < 10 ? 1 : 0)} rows/min`);
  }
  if (s.etaMs !== null && s.pending > 0) time.push(`${durationText(s.etaMs)} to go`);
  lines.push(["time", time.join(", ")]);
  const cached = s.cachedTokens > 0 ? ` (${whole(s.cachedTokens)} cached)` : "";
  lines.push(["tokens", `${whole(s.inputTokens)} in${cached}, ${whole(s.outputTokens)} out`]);
  lines.push(["cost", costText(s)]);
  if (s.concurrency.most > 0) {
    lines.push(["in flight", `${s.concurrency.now} of at most ${s.concurrency.most}`]);
  }
  if (s.accuracy && s.accuracy.n > 0) {
    const { correct, n } = s.accuracy;
    lines.push(["right so far", `${correct} of ${n} (${((100 * correct) / n).toFixed(0)}%), before audit`]);
  }
  if (s.last) {
    lines.push(["last", `${oneLine(s.last.output, 80) || "(empty)"}  [${durationText(s.last.latencyMs)}]`]);
  }
  if (s.message !== null) lines.push(["stopped", oneLine(s.message, 400)]);
  return lines;
}

const positionText = ({ position }: RunSnapshot) =>
  position === undefined ? "" : ` (${position.index} of ${position.count})`;

function share(s: RunSnapshot): number {
  const sendable = s.total - s.skipped;
  return sendable === 0 ? 1 : s.done / sendable;
}

/** The board for a terminal: a bar and a few lines, without a final line break. */
export function boardText(s: RunSnapshot, options: { readonly width?: number } = {}): string {
  const width = options.width ?? 40;
  const filled = Math.floor(share(s) * width);
  const bar = "█".repeat(filled) + "░".repeat(width - filled);
  const head = `${s.experiment} ${s.variant} ${s.step}${positionText(s)}`;
  return [
    `${head}  ${bar} ${Math.floor(share(s) * 100)}%`,
    ...facts(s).map(([label, text]) => `  ${label.padEnd(12)} ${text}`),
  ].join("\n");
}

/** The board for a notebook: self-contained HTML in which every text is escaped. */
export function boardHtml(s: RunSnapshot): string {
  const percent = Math.floor(share(s) * 100);
  const rows = facts(s).map(([label, text]) =>
    `<tr><th style="text-align:left;font-weight:normal;opacity:.65;padding:0 1em 0 0">${
      escapeHtml(label)
    }</th>` +
    `<td style="text-align:left">${escapeHtml(text)}</td></tr>`
  );
  return `<div style="font:13px/1.5 system-ui,sans-serif;max-width:44em">` +
    `<div><b>${escapeHtml(`${s.experiment} ${s.variant}`)}</b> ${
      escapeHtml(s.step + positionText(s))
    } ${percent}%</div>` +
    `<div role="progressbar" aria-valuemin="0" aria-valuemax="100" aria-valuenow="${percent}" ` +
    `aria-label="${escapeHtml(`${s.name} ${s.step}`)}" ` +
    `style="height:8px;border-radius:4px;background:#8884;overflow:hidden;margin:4px 0">` +
    `<div style="height:100%;width:${percent}%;background:#2a7de1"></div></div>` +
    `<table style="border-collapse:collapse">${rows.join("")}</table></div>`;
}

/** The board as `live(run, runBoard)` takes it. */
export const runBoard = {
  text: (snapshot: RunSnapshot): string => boardText(snapshot),
  html: boardHtml,
};
