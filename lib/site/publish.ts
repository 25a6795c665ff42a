/**
 * Notebooks as a site.
 * @module
 */
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { loadVariants, snakeName } from "../backends/variants.ts";
import { secretsOf } from "../backends/redact.ts";
import { InputError, messageOf } from "../base/errors.ts";
import { readTextIfExists, unwritable } from "../base/files.ts";
import { sha256 } from "../base/hash.ts";
import { executeNotebook } from "../notebooks/execute_notebook.ts";
import {
  formatNotebook,
  hasTag,
  type Notebook,
  PARAMETERS_TAG,
  parseNotebook,
} from "../notebooks/notebook.ts";
import { declaredParameters } from "../notebooks/parameters.ts";
import type { ExperimentKind } from "../runs/experiment_kind.ts";
import { findRuns, type FoundRun } from "../runs/find_runs.ts";
import { chosenVariants } from "../runs/run_settings.ts";
import { clientScript } from "./client_script.ts";
import { CHUNK_ROWS, chunkScript, inspectorPage } from "./inspector_page.ts";
import { type Article, notebookArticle } from "./notebook_article.ts";
import { GENERATOR } from "./page.ts";
import { indexPage, notebookPage } from "./pages.ts";
import { type CodeVersion, codeVersion, dateLine, provenanceHtml, provenanceOf } from "./provenance.ts";
import { publishedNotebook, publishProblems } from "./published_notebook.ts";
import { promptBuilder } from "./rebuild_prompts.ts";
import { rowDetails } from "./row_details.ts";
import { findKinds } from "./run_kinds.ts";
import { openRunRows, type RunRows } from "./run_rows.ts";
import { runTitle } from "./run_title.ts";
import { createScrubber, environmentSecrets } from "./scrub.ts";

/** Options of {@linkcode publish}. */
export interface PublishOptions {
  /** A results folder whose executed notebooks are taken as they are; every notebook is executed anew when null. */
  readonly from: string | null;
  /** Where the site is written. It may hold an older site and nothing else. */
  readonly to: string;
  /** Names of notebooks (`niah`, `repeated-words`); all when null. */
  readonly only: readonly string[] | null;
  /** The folder of the notebooks; the repository's own when left out. */
  readonly notebooks?: string;
  /** The day of publishing. */
  readonly date: Date;
  /** Secrets to take out besides those of the environment. */
  readonly secrets?: readonly string[];
  /** Receives lines for people. */
  readonly log: (line: string) => void;
  /** Stops it; nothing is written then. */
  readonly signal?: AbortSignal;
}

/** What was written. */
export interface Published {
  /** The site's folder. */
  readonly to: string;
  /** Notebooks, by the name of their page. */
  readonly notebooks: readonly string[];
  /** Runs whose rows can be read. */
  readonly runs: readonly string[];
}

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Beyond this many prompt tokens of a run its prompts are not built for a site. */
const MOST_PROMPT_TOKENS = 20_000_000;

interface Executed {
  /** Name of its page. */
  readonly name: string;
  /** Name of the notebook it comes from. */
  readonly source: string;
  readonly notebook: Notebook;
}

/**
 * Executes the notebooks in test mode on the embedded model, or takes executed ones, and writes them as a site: an index,
 * a page and an .ipynb a notebook, and the rows behind their figures. Everything is made before anything is written, and
 * the old site stands until the new one is whole.
 *
 * @throws {InputError} when a notebook fails, lacks an output or is not there, or the folder cannot be written.
 */
export async function publish(options: PublishOptions): Promise<Published> {
  const { to, log } = options;
  await refuseForeign(to);
  const fresh = options.from === null ? await Deno.makeTempDir({ prefix: "probebook-publish-" }) : null;
  const results = resolve(options.from ?? fresh as string);
  const staging = `${resolve(to)}.${Deno.pid}.new`;
  try {
    const executed = fresh === null ? await takeExecuted(results, options) : await executeAll(fresh, options);
    const variants = await loadVariants().catch(() => new Map());
    const scrub = createScrubber({
      secrets: [...secretsOf(variants.values()), ...environmentSecrets(), ...options.secrets ?? []],
      folders: { [results]: "results", [resolve(ROOT)]: "." },
    });
    const site = await openSite(
      results,
      executed,
      await findKinds({ onProblem: log }),
      await codeVersion(ROOT),
      scrub,
      options,
    );
    try {
      for await (const [path, text] of site.files()) {
        options.signal?.throwIfAborted();
        await Deno.mkdir(dirname(join(staging, path)), { recursive: true });
        await Deno.writeTextFile(join(staging, path), text);
      }
    } catch (error) {
      throw unwritable(to, error, "--to");
    }
    await swap(staging, resolve(to));
    return { to, notebooks: executed.map(({ name }) => name), runs: site.runs };
  } finally {
    await Deno.remove(staging, { recursive: true }).catch(() => {});
    if (fresh !== null) await Deno.remove(fresh, { recursive: true }).catch(() => {});
  }
}

async function executeAll(results: string, options: PublishOptions): Promise<Executed[]> {
  const folder = options.notebooks ?? join(ROOT, "notebooks");
  const found = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).filter((name) =>
    name.endsWith(".ipynb")
  ).sort();
  const executed: Executed[] = [];
  for (const source of chosen(found.map((name) => basename(name, ".ipynb")), options.only)) {
    const path = join(folder, `${source}.ipynb`);
    const written = parseNotebook(await Deno.readTextFile(path), path);
    const cell = written.cells.find((candidate) => hasTag(candidate, PARAMETERS_TAG));
    const declared = declaredParameters(cell?.source ?? "");
    const parameters = Object.fromEntries(
      Object.entries({ test: true, results }).filter(([name]) => declared.has(name)),
    );
    const began = performance.now();
    options.log(`Executing ${source}.ipynb...`);
    const { outcome, notebook } = await executeNotebook({
      path,
      parameters,
      ...(options.signal && { signal: options.signal }),
    });
    options.signal?.throwIfAborted();
    if (outcome.status === "failed") {
      throw new InputError(
        `${source}.ipynb cell ${outcome.cell.number} (${outcome.cell.firstLine}) failed: ${
          outcome.inputError ?? outcome.traceback
        }. Nothing was published.`,
      );
    }
    if (outcome.status !== "done") {
      throw new InputError(
        `${source}.ipynb did not come to its end (${outcome.status}). Nothing was published.`,
      );
    }
    refuseProblems(`${source}.ipynb`, notebook);
    options.log(`Executed ${source}.ipynb in ${Math.round((performance.now() - began) / 1000)} s`);
    executed.push({ name: source, source, notebook });
  }
  return executed;
}

const papermillSchema = z.looseObject({
  parameters: z.record(z.string(), z.unknown()).default({}),
  input_path: z.string().optional(),
});

function papermill(notebook: Notebook): z.output<typeof papermillSchema> {
  return papermillSchema.safeParse(notebook.metadata["papermill"]).data ?? { parameters: {} };
}

async function takeExecuted(results: string, options: PublishOptions): Promise<Executed[]> {
  let names: string[];
  try {
    names = (await Array.fromAsync(Deno.readDir(results))).map(({ name }) => name).filter((name) =>
      name.endsWith(".ipynb")
    ).sort();
  } catch (error) {
    throw new InputError(`Cannot read ${results} (${messageOf(error)}): give a results folder with --from.`, {
      cause: error,
    });
  }
  if (names.length === 0) {
    throw new InputError(
      `${results} holds no executed notebook: run one first (deno task niah --test), or leave out --from.`,
    );
  }
  const found = await Promise.all(names.map(async (file) => {
    const notebook = parseNotebook(await Deno.readTextFile(join(results, file)), file);
    const name = basename(file, ".ipynb");
    return { name, source: basename(papermill(notebook).input_path ?? name, ".ipynb"), notebook };
  }));
  const wanted = new Set(chosen([...new Set(found.map(({ source }) => source))], options.only));
  const taken = found.filter(({ source }) => wanted.has(source));
  for (const { name, notebook } of taken) refuseProblems(`${name}.ipynb`, notebook);
  return taken;
}

function refuseProblems(name: string, notebook: Notebook): void {
  const problems = publishProblems(notebook);
  if (problems.length === 0) return;
  throw new InputError(
    `${name} cannot be published: ${problems.join("; ")}. Run it again to its end. Nothing was published.`,
  );
}

function chosen(found: readonly string[], only: readonly string[] | null): string[] {
  if (only === null) return [...found];
  const wanted = only.map((name) => snakeName(name.trim())).filter((name) => name !== "");
  const unknown = wanted.filter((name) => !found.includes(name));
  if (unknown.length > 0 || wanted.length === 0) {
    throw new InputError(
      `There is no notebook ${unknown.join(", ") || "named"}: --only takes ${found.join(", ")}.`,
    );
  }
  return found.filter((name) => wanted.includes(name));
}

/** The folder may be overwritten when it is empty or holds a site of ours. @throws {InputError} */
async function refuseForeign(to: string): Promise<void> {
  let names: string[];
  try {
    names = (await Array.fromAsync(Deno.readDir(to))).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw unwritable(to, error, "--to");
  }
  const index = await readTextIfExists(join(to, "index.html"));
  if (names.length === 0 || index?.includes(`<meta name="generator" content="${GENERATOR}">`)) return;
  throw new InputError(
    `${to} holds files that are not a site of ours, and publishing replaces the folder: choose another with --to.`,
  );
}

async function swap(staging: string, to: string): Promise<void> {
  const old = `${to}.${Deno.pid}.old`;
  try {
    const had = await Deno.rename(to, old).then(() => true, (error) => {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    });
    await Deno.rename(staging, to);
    if (had) await Deno.remove(old, { recursive: true });
  } catch (error) {
    throw unwritable(to, error, "--to");
  }
}

interface Site {
  readonly runs: readonly string[];
  files(): AsyncGenerator<[path: string, text: string]>;
}

async function openSite(
  results: string,
  executed: readonly Executed[],
  kinds: readonly ExperimentKind[],
  version: CodeVersion,
  scrub: (text: string) => string,
  options: PublishOptions,
): Promise<Site> {
  const runs = (await findRuns(results, { onProblem: options.log })).filter(({ shard }) => shard === null);
  const byFigure = new Map<string, FoundRun>();
  for (const run of runs) {
    for (const path of run.files.figures) byFigure.set(sha256(await Deno.readTextFile(path)), run);
  }
  const open = new Map<string, RunRows>();
  for (const run of runs) open.set(run.name, await openRunRows(run));

  const pages = await Promise.all(executed.map(async ({ name, source, notebook }) => {
    const linked = new Set<FoundRun>(await runsOf(notebook, source, runs, kinds));
    const article = notebookArticle(scrubbed(notebook, scrub), name, {
      rowsOf(svg) {
        const run = byFigure.get(sha256(svg));
        if (run === undefined) return null;
        linked.add(run);
        return {
          href: `rows/${encodeURIComponent(run.name)}.html`,
          label: `The ${open.get(run.name)?.rows().length.toLocaleString("en-US")} rows behind this figure`,
        };
      },
    });
    const hidden = [...linked].filter(({ files }) => files.figures.length > 0);
    if (article.figures.length === 0 && hidden.length > 0) {
      throw new InputError(
        `${name}.ipynb shows no figure, but ${
          hidden.map((run) => run.name).join(", ")
        } drew some: run it again to its end. Nothing was published.`,
      );
    }
    return { name, notebook, article, runs: [...linked].sort((a, b) => a.name < b.name ? -1 : 1) };
  }));
  const shown = runs.filter((run) => pages.some((page) => page.runs.includes(run)));
  return {
    runs: shown.map(({ name }) => name),
    async *files() {
      yield [
        "index.html",
        indexPage(
          pages.map(({ name, article }) => entryOf(name, article)),
          versionFooter(version, options.date),
        ),
      ];
      for (const { name, notebook, article, runs } of pages) {
        const rows = runs.map((run) => open.get(run.name) as RunRows);
        const provenance = await provenanceOf(
          runs,
          rows.map(countsOf),
          scrubbedParameters(notebook, scrub),
          version,
        );
        const lasting = publishedNotebook(notebook, scrub);
        lasting.metadata["probebook"] = provenance;
        yield [`${name}.ipynb`, formatNotebook(lasting)];
        yield [
          `${name}.html`,
          notebookPage(article, {
            ipynb: `${encodeURIComponent(name)}.ipynb`,
            runs: runs.map((run) => ({
              href: `rows/${encodeURIComponent(run.name)}.html`,
              label: runTitle(run),
            })),
            footer: provenanceHtml(provenance, options.date),
          }),
        ];
      }
      if (shown.length > 0) yield ["rows/inspector.js", await clientScript("inspector.js")];
      for (const run of shown) {
        yield* inspectorFiles(open.get(run.name) as RunRows, kinds, scrub, dateLine(options.date));
      }
    },
  };
}

async function* inspectorFiles(
  run: RunRows,
  kinds: readonly ExperimentKind[],
  scrub: (text: string) => string,
  footer: string,
): AsyncGenerator<[path: string, text: string]> {
  const { name } = run.run;
  const rows = run.rows();
  const tokens = rows.reduce((sum, row) => sum + (row.tokens ?? 0), 0);
  const prompts = tokens > MOST_PROMPT_TOKENS
    ? {
      build: () =>
        Promise.resolve({
          problem:
            "The prompts of this run are too many for a site. With its own flags, --show ROW_ID prints one.",
        }),
    }
    : await promptBuilder(run.run, kinds, run.attempt);
  yield [
    `rows/${name}.html`,
    inspectorPage(rows, {
      name,
      title: runTitle(run.run),
      warning: await simulatedWarning(run.run),
      footer,
      scrub,
    }),
  ];
  for (let at = 0; at < rows.length; at += CHUNK_ROWS) {
    const details = await rowDetails(rows.slice(at, at + CHUNK_ROWS), run, prompts, { scrub });
    yield [`rows/${name}/${at / CHUNK_ROWS}.js`, chunkScript(at / CHUNK_ROWS, details)];
  }
}

/** Said of rows that no model answered. */
export async function simulatedWarning(run: FoundRun): Promise<string | null> {
  const variant = (await loadVariants().catch(() => null))?.get(run.variant);
  return variant?.backend === "simulated"
    ? "SIMULATED answers: they show that the instruments work, and say nothing about any model."
    : null;
}

/** The runs that a notebook's own kind of experiment makes with its parameters. */
async function runsOf(
  notebook: Notebook,
  source: string,
  runs: readonly FoundRun[],
  kinds: readonly ExperimentKind[],
): Promise<FoundRun[]> {
  const kind = kinds.find(({ name }) => snakeName(name) === source);
  if (kind === undefined) return [];
  try {
    const parsed = kind.parse(papermill(notebook).parameters);
    const { variants } = await chosenVariants(parsed.settings, parsed.choose);
    const names = new Set(parsed.experiments.map(({ name }) => name));
    return runs.filter((run) =>
      names.has(run.experiment) && (run.mode === "test") === parsed.test &&
      variants.some(({ name }) => name === run.variant)
    );
  } catch {
    return []; // the settings are of another version: its figures still lead to their rows
  }
}

const countsOf = (run: RunRows) => {
  const rows = run.rows();
  return { done: rows.filter(({ status }) => status === "done").length, total: rows.length };
};

function entryOf(name: string, article: Article) {
  const { title, question, finding, figures } = article;
  return {
    href: `${encodeURIComponent(name)}.html`,
    title,
    question,
    finding,
    figure: figures[0]?.html ?? null,
  };
}

function versionFooter(version: CodeVersion, date: Date): string {
  return `<p>Commit ${version.commit}, deno.lock ${version.lock}. Made with Probebook.</p>\n${
    dateLine(date)
  }`;
}

const scrubbed = (notebook: Notebook, scrub: (text: string) => string) => publishedNotebook(notebook, scrub);

function scrubbedParameters(notebook: Notebook, scrub: (text: string) => string): Record<string, unknown> {
  return JSON.parse(scrub(JSON.stringify(papermill(notebook).parameters)));
}
