/**
 * What a page rests on: code, lock file, variants, rows, money.
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import { readTextIfExists } from "../base/files.ts";
import { sha256 } from "../base/hash.ts";
import { type FoundRun, readRunConfig } from "../runs/find_runs.ts";
import { costText } from "../runs/token_dashboard.ts";
import { escapeText } from "./clean_markup.ts";

/** The code that pages are made with. */
export interface CodeVersion {
  /** The commit's hash, with a word when files differ from it; or why it is not known. */
  readonly commit: string;
  /** First digits of the SHA-256 of deno.lock: the versions of all packages. */
  readonly lock: string;
}

/** What a page about runs says below. */
export interface Provenance extends CodeVersion {
  /** What was set, as JSON. */
  readonly parameters: string;
  /** The variants with their models. */
  readonly variants: readonly string[];
  /** Rows answered, of how many. */
  readonly rows: string;
  /** What they cost. */
  readonly cost: string;
  /** The seeds of the runs. */
  readonly seed: string;
}

/** Looks up commit and lock file below a folder. */
export async function codeVersion(root: string): Promise<CodeVersion> {
  const lock = await readTextIfExists(join(root, "deno.lock"));
  const head = await git(root, "rev-parse", "--short=12", "HEAD");
  const changed = head === null ? "" : await git(root, "status", "--porcelain", "--untracked-files=no") ?? "";
  return {
    commit: head === null ? "unknown: not a git clone" : changed === "" ? head : `${head}, with changes`,
    lock: lock === undefined ? "none" : sha256(lock).slice(0, 12),
  };
}

async function git(root: string, ...args: string[]): Promise<string | null> {
  try {
    const { success, stdout } = await new Deno.Command("git", {
      args,
      cwd: root,
      stdin: "null",
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout).trim() : null;
  } catch {
    return null;
  }
}

const summarySchema = z.object({ totals: z.object({ cost_usd: z.number(), unpriced_calls: z.number() }) });

/** What runs rest on, read from their files. */
export async function provenanceOf(
  runs: readonly FoundRun[],
  counts: readonly { readonly done: number; readonly total: number }[],
  parameters: Readonly<Record<string, unknown>>,
  version: CodeVersion,
): Promise<Provenance> {
  let costUsd = 0, unpricedCalls = 0;
  const seeds = new Set<string>();
  for (const run of runs) {
    const summary = summarySchema.safeParse(await readJson(run.files.tokenSummary)).data?.totals;
    costUsd += summary?.cost_usd ?? 0;
    unpricedCalls += summary?.unpriced_calls ?? 0;
    const seed = (await readRunConfig(run.files))?.["seed"];
    if (seed !== undefined) seeds.add(String(seed));
  }
  const sum = (key: "done" | "total") => counts.reduce((all, count) => all + count[key], 0);
  const number = (n: number) => n.toLocaleString("en-US");
  const shown = Object.fromEntries(Object.entries(parameters).filter(([name]) => name !== "results"));
  return {
    ...version,
    parameters: JSON.stringify(shown),
    variants: [
      ...new Set(
        runs.map(({ variant, model }) =>
          model === null || model === variant ? variant : `${variant} (${model})`
        ),
      ),
    ],
    rows: runs.length === 0
      ? "none of its own"
      : `${number(sum("done"))} answered of ${number(sum("total"))} in ${number(runs.length)} run${
        runs.length === 1 ? "" : "s"
      }`,
    cost: runs.length === 0 ? "none" : costText({ costUsd, unpricedCalls }),
    seed: [...seeds].join(", ") || "none",
  };
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readTextIfExists(path) ?? "null");
  } catch {
    return null;
  }
}

/** The footer of a page. The date stands on a line of its own, the only one that differs from one publishing to the next. */
export function provenanceHtml(provenance: Provenance, date: Date | null): string {
  const facts: [string, string][] = [
    ["commit", provenance.commit],
    ["deno.lock", provenance.lock],
    ["parameters", provenance.parameters],
    ["variants", provenance.variants.join(", ") || "none"],
    ["rows", provenance.rows],
    ["cost", provenance.cost],
    ["seed", provenance.seed],
  ];
  return `<h2>What this rests on</h2>
<dl class="facts">${
    facts.map(([label, value]) => `<dt>${label}</dt><dd>${escapeText(value)}</dd>`).join("\n")
  }</dl>
${date === null ? "" : dateLine(date)}`;
}

/** The line with the date, alone on its line. */
export function dateLine(date: Date): string {
  return `<p class="date">Published ${date.toISOString().slice(0, 16).replace("T", " ")} UTC</p>`;
}
