/**
 * The results folder as pages: runs under way and finished, their rows, notebooks, variants.
 * @module
 */
import { basename, join } from "node:path";
import { type Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { loadVariants, missingEnvironment, type Variant } from "../../backends/variants.ts";
import { isLoopbackHost } from "../../base/loopback.ts";
import { messageOf } from "../../base/errors.ts";
import { readTextIfExists } from "../../base/files.ts";
import { parseNotebook } from "../../notebooks/notebook.ts";
import { boardText } from "../../runs/board.ts";
import type { ExperimentKind } from "../../runs/experiment_kind.ts";
import { findRuns, type FoundRun, readRunConfig } from "../../runs/find_runs.ts";
import { costText } from "../../runs/token_dashboard.ts";
import { escapeText } from "../clean_markup.ts";
import { clientScript } from "../client_script.ts";
import { CHUNK_ROWS, chunkScript, inspectorPage } from "../inspector_page.ts";
import { figureHtml, notebookArticle } from "../notebook_article.ts";
import { page } from "../page.ts";
import { entryList, type IndexEntry, notebookPage } from "../pages.ts";
import { type CodeVersion, provenanceHtml, provenanceOf } from "../provenance.ts";
import { type PromptBuilder, promptBuilder } from "../rebuild_prompts.ts";
import { rowDetails } from "../row_details.ts";
import { openRunRows, type RunRows } from "../run_rows.ts";
import { runTitle } from "../run_title.ts";
import { createRunWatcher, type RunState } from "./run_state.ts";

/** Options of {@linkcode createViewer}. */
export interface ViewerOptions {
  /** The results folder. */
  readonly results: string;
  /** The kinds of experiment, by which prompts are built again. */
  readonly kinds: readonly ExperimentKind[];
  /** The code that draws. */
  readonly version: CodeVersion;
  /** The variants there are; those of models.json when left out. */
  readonly variants?: () => Promise<ReadonlyMap<string, Variant>>;
  /** Milliseconds between two looks at runs under way; 1,000 when left out. */
  readonly everyMs?: number;
}

/** A handler of requests. */
export interface Viewer {
  /** Answers one. */
  fetch(request: Request): Response | Promise<Response>;
}

const HEADERS = {
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'self'; connect-src 'self'; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cache-control": "no-store",
} as const;

const NAV =
  '<a href="/index.html">Results</a> <a href="/runs.html">Runs</a> <a href="/variants.html">Variants</a>';

/**
 * The viewer as a handler of requests. It answers to names of this machine only, to reading alone, and takes every name
 * in an address for that of a run or notebook that was found in the folder: no path is made of it.
 */
export function createViewer(options: ViewerOptions): Viewer {
  const store = new Store(options);
  const app = new Hono();
  app.use(async (context, next) => {
    const refused = refusal(context);
    if (refused !== null) context.res = context.text(refused, 403);
    else if (!["GET", "HEAD"].includes(context.req.method)) {
      context.res = context.text("Only reading is possible here.", 405);
    } else await next();
    for (const [name, value] of Object.entries(HEADERS)) context.res.headers.set(name, value);
  });
  app.onError((error, context) => context.text(`This page cannot be made: ${messageOf(error)}`, 500));
  app.notFound((context) =>
    context.html(
      viewPage(
        "Not found",
        '<h1>Not found</h1><p>There is no such page. <a href="/index.html">To the results</a></p>',
      ),
      404,
    )
  );
  app.get("/", (context) => context.redirect("/index.html"));
  app.get("/index.html", async (context) => context.html(await indexHtml(store)));
  app.get("/runs.html", async (context) => context.html(await runsHtml(store)));
  app.get("/variants.html", async (context) => context.html(await variantsHtml(store)));
  app.get("/live.js", async (context) => script(context, await clientScript("live.js")));
  app.get("/events", (context) => events(context, store, options.everyMs ?? 1000));
  app.get("/rows/inspector.js", async (context) => script(context, await clientScript("inspector.js")));
  app.get("/rows/:run/:chunk{[0-9]+\\.js}", async (context) => {
    const run = await store.run(context.req.param("run"));
    if (run === null) return context.notFound();
    const chunk = parseInt(context.req.param("chunk"));
    const rows = run.rows().slice(chunk * CHUNK_ROWS, (chunk + 1) * CHUNK_ROWS);
    return script(context, chunkScript(chunk, await rowDetails(rows, run, await store.prompts(run))));
  });
  app.get("/rows/:run/:id/:what{(prompt|output)\\.txt}", async (context) => {
    const run = await store.run(context.req.param("run"));
    const row = run?.rows().find(({ id }) => id === context.req.param("id"));
    if (run === null || row === undefined) return context.notFound();
    return context.text(
      context.req.param("what") === "output.txt"
        ? (await run.attempt(row.id))?.output ?? row.preview
        : promptText(await (await store.prompts(run)).build(row.id)),
    );
  });
  app.get("/rows/:page{.+\\.html}", async (context) => {
    const run = await store.run(basename(context.req.param("page"), ".html"));
    return run === null ? context.notFound() : context.html(rowsHtml(run, await store.simulated(run.run)));
  });
  app.get("/runs/:page{.+\\.html}", async (context) => {
    const run = await store.run(basename(context.req.param("page"), ".html"));
    return run === null ? context.notFound() : context.html(await runHtml(run, store, options.version));
  });
  app.get("/experiments/:page{.+\\.html}", async (context) => {
    const name = basename(context.req.param("page"), ".html");
    const runs = (await store.runs()).filter(({ run }) => run.experiment === name);
    return runs.length === 0 ? context.notFound() : context.html(await experimentHtml(name, runs, store));
  });
  app.get("/notebooks/:page{.+\\.(html|ipynb)}", async (context) => {
    const [, name = "", ending] = /^(.+)\.(html|ipynb)$/.exec(context.req.param("page")) ?? [];
    if (!(await store.notebooks()).includes(name)) return context.notFound();
    const json = await Deno.readTextFile(join(options.results, `${name}.ipynb`));
    if (ending === "ipynb") return context.body(json, 200, { "content-type": "application/x-ipynb+json" });
    return context.html(await notebookHtml(name, json, store));
  });
  return { fetch: (request) => app.fetch(request) };
}

/** Why a request is refused, or null: other names of this machine (DNS rebinding), pages of other sites. */
function refusal(context: Context): string | null {
  if (!isLoopbackHost(context.req.header("host"))) {
    return "This viewer answers to localhost, 127.0.0.1 and [::1] only.";
  }
  const origin = context.req.header("origin");
  const own = new URL(context.req.url).host;
  if (origin !== undefined && URL.parse(origin)?.host !== own) {
    return "Pages of other sites may not read this viewer.";
  }
  const site = context.req.header("sec-fetch-site");
  const followed = context.req.header("sec-fetch-mode") === "navigate" &&
    context.req.header("sec-fetch-dest") === "document";
  return site === "cross-site" && !followed ? "Pages of other sites may not read this viewer." : null;
}

function script(context: Context, code: string): Response {
  return context.body(code, 200, { "content-type": "text/javascript; charset=utf-8" });
}

/** What has been read of the folder. */
class Store {
  readonly #results: string;
  readonly #open = new Map<string, Promise<RunRows>>();
  readonly #prompts = new Map<string, { readonly stamp: string; readonly builder: Promise<PromptBuilder> }>();
  readonly #watcher = createRunWatcher();
  readonly #options: ViewerOptions;

  constructor(options: ViewerOptions) {
    this.#options = options;
    this.#results = options.results;
  }

  /** The names of executed notebooks. */
  async notebooks(): Promise<string[]> {
    return (await Array.fromAsync(Deno.readDir(this.#results))).map(({ name }) => name)
      .filter((name) => name.endsWith(".ipynb") && !name.startsWith(".")).map((name) =>
        basename(name, ".ipynb")
      ).sort();
  }

  async text(name: string): Promise<string> {
    return await Deno.readTextFile(join(this.#results, name));
  }

  async runs(): Promise<RunRows[]> {
    const found = await findRuns(this.#results);
    for (const name of this.#open.keys()) {
      if (!found.some((run) => run.name === name)) this.#open.delete(name);
    }
    return await Promise.all(found.map((run) => this.#opened(run)));
  }

  async run(name: string): Promise<RunRows | null> {
    const found = (await findRuns(this.#results)).find((run) => run.name === name);
    if (found === undefined) return null;
    const run = await this.#opened(found);
    await run.refresh();
    return run;
  }

  async #opened(found: FoundRun): Promise<RunRows> {
    const known = await this.#open.get(found.name)?.catch(() => undefined);
    const same = known !== undefined && JSON.stringify(known.run) === JSON.stringify(found);
    if (same) return known;
    const opening = openRunRows(found);
    this.#open.set(found.name, opening);
    return await opening;
  }

  state(run: RunRows): Promise<RunState> {
    return this.#watcher.state(run);
  }

  async prompts(rows: RunRows): Promise<PromptBuilder> {
    const { run } = rows;
    const stamp = `${
      (await Deno.stat(run.files.plan).catch(() => null))?.mtime?.getTime()
    } ${rows.rows().length}`;
    const known = this.#prompts.get(run.name);
    if (known?.stamp === stamp) return await known.builder;
    const builder = promptBuilder(run, this.#options.kinds, (id) => rows.attempt(id));
    this.#prompts.set(run.name, { stamp, builder });
    return await builder;
  }

  variants(): Promise<ReadonlyMap<string, Variant>> {
    return this.#options.variants?.() ?? loadVariants();
  }

  async simulated(run: FoundRun): Promise<string | null> {
    const variant = (await this.variants().catch(() => null))?.get(run.variant);
    return variant?.backend === "simulated" ? "SIMULATED answers: they say nothing about any model." : null;
  }

  /** SVG files that belong to no run, with the text beside them. */
  async figures(runs: readonly RunRows[]): Promise<string[]> {
    const own = new Set(runs.flatMap(({ run }) => run.files.figures).map((path) => basename(path)));
    return (await Array.fromAsync(Deno.readDir(this.#results))).map(({ name }) => name)
      .filter((name) => name.endsWith(".svg") && !own.has(name)).sort();
  }
}

function viewPage(
  title: string,
  body: string,
  more: { readonly footer?: string; readonly live?: boolean } = {},
): string {
  return page({
    title,
    root: "/",
    nav: NAV,
    body,
    footer: more.footer ?? "",
    ...(more.live ? { scripts: ["/live.js"], connect: true } : {}),
  });
}

const path = (folder: string, name: string) => `/${folder}/${encodeURIComponent(name)}.html`;

const boardHtml = (run: RunRows, state: RunState) =>
  `<pre data-live="${escapeText(run.run.name)}" role="region" aria-label="Progress of ${
    escapeText(run.run.name)
  }" tabindex="0">${escapeText(boardText(state.snapshot))}</pre>`;

function stateLine({ snapshot, holder }: RunState): string {
  const { done, total, skipped, errors, step } = snapshot;
  const rows = `${done.toLocaleString("en-US")} of ${(total - skipped).toLocaleString("en-US")} rows`;
  const failed = errors > 0 ? `, ${errors.toLocaleString("en-US")} ended in an error` : "";
  return `${holder === null ? step : `under way (${step})`}: ${rows}${failed}, cost ${costText(snapshot)}`;
}

async function withStates(
  store: Store,
  runs: readonly RunRows[],
): Promise<{ run: RunRows; state: RunState }[]> {
  return await Promise.all(runs.map(async (run) => ({ run, state: await store.state(run) })));
}

async function indexHtml(store: Store): Promise<string> {
  const runs = await withStates(store, await store.runs());
  const going = runs.filter(({ state }) => state.holder !== null);
  const entries: IndexEntry[] = [];
  for (const name of await store.notebooks()) {
    try {
      const article = notebookArticle(parseNotebook(await store.text(`${name}.ipynb`), name), name);
      const { title, question, finding } = article;
      entries.push({
        href: path("notebooks", name),
        title,
        question,
        finding,
        figure: article.figures[0]?.html ?? null,
        state: `<p class="faint">${escapeText(name)}</p>`,
      });
    } catch (error) {
      entries.push({
        href: path("notebooks", name),
        title: name,
        question: null,
        finding: messageOf(error),
        figure: null,
      });
    }
  }
  const experiments = Map.groupBy(runs, ({ run }) => run.run.experiment);
  const list = [...experiments].map(([name, own]) =>
    `<li><a href="${path("experiments", name)}">${
      escapeText(name)
    }</a> <span class="faint">${own.length} run${own.length === 1 ? "" : "s"}</span></li>`
  );
  const figures = await store.figures(runs.map(({ run }) => run));
  const further: string[] = [];
  for (const [i, name] of figures.entries()) {
    further.push(
      `<h3>${escapeText(basename(name, ".svg").replaceAll("_", " "))}</h3>${
        figureHtml(await store.text(name), name, `g${i}-`)
      }`,
    );
  }
  return viewPage(
    "Results",
    `<h1>Results</h1>` +
      (going.length === 0
        ? ""
        : `<h2>Under way</h2>${
          going.map(({ run, state }) =>
            `<h3><a href="${path("runs", run.run.name)}">${escapeText(runTitle(run.run))}</a></h3>${
              boardHtml(run, state)
            }`
          ).join("")
        }`) +
      (list.length === 0
        ? "<p>There are no runs here yet. Start one: <code>deno task niah --test</code></p>"
        : `<h2>Experiments</h2><ul>${list.join("")}</ul>`) +
      (entries.length === 0 ? "" : `<h2>Notebooks</h2>${entryList(entries)}`) +
      (further.length === 0 ? "" : `<h2>Comparisons and other figures</h2>${further.join("")}`),
    { live: true },
  );
}

async function runsHtml(store: Store): Promise<string> {
  const rows = (await withStates(store, await store.runs())).map(({ run, state }) =>
    `<tr><td><a href="${path("runs", run.run.name)}">${escapeText(run.run.name)}</a></td><td>${
      escapeText(run.run.experiment)
    }</td>` +
    `<td>${escapeText(run.run.variant)}</td><td>${escapeText(stateLine(state))}</td><td><a href="${
      path("rows", run.run.name)
    }">rows</a></td></tr>`
  );
  const table =
    `<div class="scroll" tabindex="0" role="region" aria-label="Runs"><table><thead><tr><th scope="col">run</th><th scope="col">experiment</th>` +
    `<th scope="col">variant</th><th scope="col">state</th><th scope="col">rows</th></tr></thead><tbody>${
      rows.join("")
    }</tbody></table></div>`;
  return viewPage("Runs", `<h1>Runs</h1>${rows.length === 0 ? "<p>There are none yet.</p>" : table}`, {
    live: true,
  });
}

async function variantsHtml(store: Store): Promise<string> {
  const runs = await store.runs();
  let variants: readonly Variant[];
  try {
    variants = [...(await store.variants()).values()];
  } catch (error) {
    return viewPage("Variants", `<h1>Variants</h1><p class="warning">${escapeText(messageOf(error))}</p>`);
  }
  const rows = variants.map((variant) => {
    const own = runs.filter(({ run }) => run.variant === variant.name);
    const missing = missingEnvironment(variant);
    const model = "model" in variant ? String(variant.model) : "";
    return `<tr><td><code>${escapeText(variant.name)}</code></td><td>${variant.backend}</td><td>${
      escapeText(model)
    }</td>` +
      `<td>${variant.contextWindow.toLocaleString("en-US")}</td><td>${escapeText(variant.description)}` +
      (missing.length === 0 ? "" : ` <span class="warning">needs ${escapeText(missing.join(", "))}</span>`) +
      `</td><td>${
        own.map(({ run }) =>
          `<a href="${path("runs", run.name)}">${escapeText(run.experiment)}</a>${
            run.mode === "test" ? " (test)" : ""
          }`
        ).join("<br>")
      }</td></tr>`;
  });
  const head = ["variant", "backend", "model", "window", "what it is", "runs here"].map((name) =>
    `<th scope="col">${name}</th>`
  ).join("");
  return viewPage(
    "Variants",
    `<h1>Variants</h1><p>The entries of <code>models/models.json</code>. <code>deno task doctor</code> asks whether they answer.</p>` +
      `<div class="scroll" tabindex="0" role="region" aria-label="Variants"><table><thead><tr>${head}</tr></thead><tbody>${
        rows.join("")
      }</tbody></table></div>`,
  );
}

async function figuresOf(run: RunRows, prefix = "f"): Promise<string[]> {
  const report = JSON.parse(
    await readTextIfExists(run.run.files.reportJson).catch(() => undefined) ?? "{}",
  ) as { figures?: Record<string, unknown> };
  const words = Object.values(report.figures ?? {});
  const href = path("rows", run.run.name);
  return await Promise.all(
    run.run.files.figures.map(async (file, i) =>
      figureHtml(
        await Deno.readTextFile(file),
        words.length === run.run.files.figures.length ? String(words[i]) : basename(file),
        `${prefix}${i}-`,
        {
          rowsOf: () => ({
            href,
            label: `The ${run.rows().length.toLocaleString("en-US")} rows behind this figure`,
          }),
        },
      )
    ),
  );
}

async function runHtml(run: RunRows, store: Store, version: CodeVersion): Promise<string> {
  const state = await store.state(run);
  const { files, name } = run.run;
  const [report, warning, config, figures] = await Promise.all([
    readTextIfExists(files.reportText),
    store.simulated(run.run),
    readRunConfig(files),
    figuresOf(run),
  ]);
  const counts = [{ done: state.snapshot.done, total: state.snapshot.total }];
  const provenance = await provenanceOf([run.run], counts, config ?? {}, version);
  return viewPage(
    runTitle(run.run),
    `<h1>${escapeText(runTitle(run.run))}</h1>` +
      (warning === null ? "" : `<p class="warning">${escapeText(warning)}</p>`) +
      (state.holder === null ? `<p>${escapeText(stateLine(state))}</p>` : boardHtml(run, state)) +
      `<p><a href="${path("rows", name)}">Every row</a></p>` +
      (report === undefined
        ? ""
        : `<h2>Report</h2><pre tabindex="0" role="region" aria-label="Report">${escapeText(report)}</pre>`) +
      (figures.length === 0 ? "" : `<h2>Figures</h2>${figures.join("")}`),
    { live: true, footer: provenanceHtml(provenance, null) },
  );
}

async function experimentHtml(name: string, runs: readonly RunRows[], store: Store): Promise<string> {
  const parts: string[] = [];
  for (const [i, { run, state }] of (await withStates(store, runs)).entries()) {
    const warning = await store.simulated(run.run);
    parts.push(
      `<section><h2><a href="${path("runs", run.run.name)}">${escapeText(runTitle(run.run))}</a></h2><p>${
        escapeText(stateLine(state))
      }</p>` +
        (warning === null ? "" : `<p class="warning">${escapeText(warning)}</p>`) +
        (await figuresOf(run, `r${i}-`)).join("") + "</section>",
    );
  }
  return viewPage(name, `<h1>${escapeText(name)}</h1>${parts.join("")}`, { live: true });
}

async function notebookHtml(name: string, json: string, store: Store): Promise<string> {
  const runs = await store.runs();
  const figures = new Map<string, FoundRun>();
  for (const { run } of runs) {
    for (const file of run.files.figures) figures.set(await Deno.readTextFile(file), run);
  }
  const article = notebookArticle(parseNotebook(json, `${name}.ipynb`), name, {
    rowsOf(svg) {
      const run = figures.get(svg);
      return run === undefined
        ? null
        : { href: path("rows", run.name), label: "The rows behind this figure" };
    },
  });
  return notebookPage(article, {
    ipynb: `/notebooks/${encodeURIComponent(name)}.ipynb`,
    runs: [],
    footer: "",
    root: "/",
  });
}

function rowsHtml(run: RunRows, warning: string | null): string {
  const { name } = run.run;
  return inspectorPage(run.rows(), {
    name,
    title: runTitle(run.run),
    warning,
    whole: `/rows/${encodeURIComponent(name)}/`,
    nav: `${NAV} <a href="${path("runs", name)}">This run</a>`,
  });
}

function promptText(prompt: Awaited<ReturnType<PromptBuilder["build"]>>): string {
  if ("problem" in prompt) return prompt.problem;
  const messages = prompt.messages.map(({ role, content }) => `${role}:\n${content}`).join("\n\n");
  return prompt.prefix === undefined ? messages : `${messages}\n\nassistant (begun):\n${prompt.prefix}`;
}

/** Boards of runs under way, as they change; `changed` when a run has begun or ended. */
function events(context: Context, store: Store, everyMs: number): Response {
  return streamSSE(context, async (stream) => {
    let sent = "", known: string | null = null;
    while (!stream.aborted) {
      const runs = await withStates(store, await store.runs()).catch(() => []);
      const going = runs.filter(({ state }) => state.holder !== null);
      const boards = JSON.stringify(
        Object.fromEntries(going.map(({ run, state }) => [run.run.name, boardText(state.snapshot)])),
      );
      const standing = runs.map(({ run, state }) =>
        `${run.run.name} ${
          state.holder === null ? state.snapshot.step : "going"
        } ${run.run.files.figures.length}`
      ).join("\n");
      if (boards !== sent) await stream.writeSSE({ event: "boards", data: boards });
      if (known !== null && standing !== known) await stream.writeSSE({ event: "changed", data: "{}" });
      if (boards === sent && standing === known) await stream.write(": still here\n\n"); // learns that the reader has gone
      sent = boards;
      known = standing;
      await stream.sleep(everyMs);
    }
  });
}
