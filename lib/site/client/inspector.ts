/**
 * The inspector of rows, in the browser. Whatever a model, a judge or a file said is set as text, never as markup.
 * Its types are stripped when pages are written; it imports nothing but its neighbours.
 * @module
 */
import { visibleParts } from "./visible.ts";

type Part = { text: string; mark?: string } | { cut: number };
interface Details {
  id: string;
  prompt: { messages: { role: string; parts: Part[] }[]; prefix: Part[] | null } | { problem: string };
  same: boolean | null;
  output: Part[] | null;
  reasoning: Part[] | null;
  error: string | null;
  grade: {
    validity: string;
    correct: string;
    judge: string;
    judgeOutput: string;
    extra: Record<string, string>;
  } | null;
  facts: [string, string][];
}
type IndexRow = [
  id: string,
  status: string,
  validity: string,
  preview: string,
  ...params: (string | number | boolean | null)[],
];
interface Index {
  chunk: number;
  base: string;
  whole: string | null;
  columns: string[];
  rows: IndexRow[];
}

const ROW_HEIGHT = 64;
const FIXED = 4;
/** A column with more values than this is searched as text, not chosen from a list. */
const MOST_CHOICES = 60;

const byId = (id: string) => document.getElementById(id) as HTMLElement;
const index = JSON.parse(byId("index").textContent ?? "") as Index;
const list = byId("list");
const details = byId("details");
const count = byId("count");
const filters = byId("filters");

const chosen = new Map<string, string>();
let shown: number[] = [];
let active = -1;
let wanted = "";

const waiting = new Map<number, PromiseWithResolvers<Details[]>>();
(globalThis as unknown as { probebookRows: (chunk: number, rows: Details[]) => void }).probebookRows = (
  chunk,
  rows,
) => waiting.get(chunk)?.resolve(rows);

function element(
  name: string,
  properties: Record<string, string> = {},
  ...inside: (Node | string)[]
): HTMLElement {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "class") made.className = value;
    else made.setAttribute(key, value);
  }
  made.append(...inside);
  return made;
}

function visible(text: string): Node[] {
  return visibleParts(text).map(({ text, sign }) =>
    sign === undefined ? document.createTextNode(text) : element("span", { class: "ctl", title: sign }, text)
  );
}

function loadChunk(chunk: number): Promise<Details[]> {
  const known = waiting.get(chunk);
  if (known !== undefined) return known.promise;
  const loading = Promise.withResolvers<Details[]>();
  waiting.set(chunk, loading);
  const script = document.createElement("script");
  script.src = `${index.base}${chunk}.js`;
  script.onerror = () => {
    waiting.delete(chunk);
    loading.reject(new Error(`The file ${index.base}${chunk}.js cannot be loaded.`));
  };
  document.head.append(script);
  return loading.promise;
}

function valueOf(row: IndexRow, column: string): string {
  if (column === "id") return row[0];
  if (column === "status") return row[1];
  if (column === "validity") return row[2];
  return String(row[FIXED + index.columns.indexOf(column)] ?? "");
}

function applyFilters(): void {
  const tests = [...chosen].filter(([, value]) => value !== "");
  const text = tests.find(([column]) => column === "text")?.[1].toLowerCase();
  const exact = tests.filter(([column]) => column !== "text");
  shown = [];
  index.rows.forEach((row, i) => {
    if (exact.some(([column, value]) => valueOf(row, column) !== value)) return;
    if (text !== undefined && !row.some((cell) => String(cell).toLowerCase().includes(text))) return;
    shown.push(i);
  });
  count.textContent = `${shown.length.toLocaleString("en-US")} of ${
    index.rows.length.toLocaleString("en-US")
  } rows`;
  const spacer = list.firstElementChild as HTMLElement;
  spacer.style.height = `${shown.length * ROW_HEIGHT}px`;
  active = shown.findIndex((i) => index.rows[i]?.[0] === wanted);
  list.scrollTop = Math.max(0, active * ROW_HEIGHT - ROW_HEIGHT);
  drawList();
}

function what(row: IndexRow): string {
  return telling.map((column) => `${column.replaceAll("_", " ")} ${valueOf(row, column) || "-"}`).join(", ");
}

/** Columns that tell rows apart; where all are the same, all of them. */
const differing = index.columns.filter((_, i) =>
  index.rows.some((row) => row[FIXED + i] !== index.rows[0]?.[FIXED + i])
);
const telling = (differing.length > 0 ? differing : index.columns).slice(0, 6);

function drawList(): void {
  const first = Math.max(0, Math.floor(list.scrollTop / ROW_HEIGHT) - 4);
  const last = Math.min(shown.length, Math.ceil((list.scrollTop + list.clientHeight) / ROW_HEIGHT) + 4);
  const options: HTMLElement[] = [];
  for (let at = first; at < last; at++) {
    const row = index.rows[shown[at] as number] as IndexRow;
    const [id, status, validity, preview] = row;
    const verdict = validity === "" ? status : validity.replaceAll("_", " ");
    const tone = validity === "correct" ? "right" : validity === "" ? "faint" : "wrong";
    const option = element(
      "div",
      {
        class: "option",
        role: "option",
        id: `row-${at}`,
        "aria-selected": String(at === active),
        "aria-posinset": String(at + 1),
        "aria-setsize": String(shown.length),
        "data-at": String(at),
      },
      element(
        "span",
        { class: `what ${tone}` },
        `${validity === "correct" ? "✓" : validity === "" ? "…" : "✗"} ${verdict} · ${id}`,
      ),
      element("span", {}, ...visible(what(row))),
      element("span", { class: "said" }, ...visible(preview.replace(/\s+/g, " "))),
    );
    option.style.top = `${at * ROW_HEIGHT}px`;
    options.push(option);
  }
  const spacer = list.firstElementChild as HTMLElement;
  spacer.replaceChildren(...options);
  if (active >= first && active < last) list.setAttribute("aria-activedescendant", `row-${active}`);
  else list.removeAttribute("aria-activedescendant");
}

function choose(at: number): void {
  if (at < 0 || at >= shown.length) return;
  active = at;
  const top = at * ROW_HEIGHT;
  if (top < list.scrollTop) list.scrollTop = top;
  else if (top + ROW_HEIGHT > list.scrollTop + list.clientHeight) {
    list.scrollTop = top + ROW_HEIGHT - list.clientHeight;
  }
  drawList();
  void open(shown[at] as number);
}

function partNodes(parts: Part[]): Node[] {
  return parts.map((part) => {
    if ("cut" in part) {
      return element(
        "span",
        { class: "cut" },
        `${part.cut.toLocaleString("en-US")} characters are left out here`,
      );
    }
    if (part.mark === undefined) return element("span", {}, ...visible(part.text));
    return element("mark", {}, element("small", {}, `${part.mark}: `), ...visible(part.text));
  });
}

function textBlock(label: string, parts: Part[] | null, ...more: Node[]): Node[] {
  if (parts === null) return [];
  const text = parts.length === 0 ? [element("span", { class: "faint" }, "(empty)")] : partNodes(parts);
  return [
    element("h3", {}, label),
    element("pre", { tabindex: "0", role: "region", "aria-label": label }, ...text, ...more),
  ];
}

function factList(facts: [string, string][]): HTMLElement {
  return element(
    "dl",
    { class: "facts" },
    ...facts.flatMap((
      [label, value],
    ) => [element("dt", {}, label.replaceAll("_", " ")), element("dd", {}, ...visible(value))]),
  );
}

function wholeLink(id: string, what: string): Node[] {
  if (index.whole === null) return [];
  return [
    element(
      "p",
      { class: "noprint" },
      element(
        "a",
        { href: `${index.whole}${encodeURIComponent(id)}/${what}.txt` },
        `The whole ${what} as text`,
      ),
    ),
  ];
}

function render(row: Details): void {
  const { grade, prompt } = row;
  const nodes: Node[] = [element("h2", {}, "Row ", element("code", {}, row.id))];
  if (grade !== null) {
    const right = grade.correct === "" ? "" : grade.correct === "true" ? ", right" : ", not right";
    nodes.push(
      element(
        "p",
        { class: grade.validity === "correct" ? "right" : "wrong" },
        element("strong", {}, grade.validity.replaceAll("_", " ")),
        right,
      ),
    );
  }
  if (row.error !== null) {
    nodes.push(
      element("h3", {}, "Error"),
      element(
        "pre",
        { class: "error", tabindex: "0", role: "region", "aria-label": "Error" },
        ...visible(row.error),
      ),
    );
  }
  nodes.push(...textBlock("Reasoning", row.reasoning), ...textBlock("Output", row.output));
  if (row.output !== null) nodes.push(...wholeLink(row.id, "output"));
  if (grade !== null) {
    const reply = grade.judgeOutput === "" ? [] : [["said", grade.judgeOutput] as [string, string]];
    nodes.push(
      element("h3", {}, "Grade"),
      factList([["graded by", grade.judge], ...reply, ...Object.entries(grade.extra)]),
    );
  }
  nodes.push(element("h3", {}, "Prompt"));
  if ("problem" in prompt) nodes.push(element("p", { class: "faint" }, prompt.problem));
  else {
    if (row.same === true) {
      nodes.push(
        element(
          "p",
          { class: "faint" },
          "Built again from the recipe; its hash is the one of what was sent.",
        ),
      );
    }
    if (row.same === false) {
      nodes.push(
        element(
          "p",
          { class: "warning" },
          "Built again from the recipe, but its hash is not the one of what was sent: template, data or code have changed since.",
        ),
      );
    }
    for (const { role, parts } of prompt.messages) nodes.push(...textBlock(`Message of ${role}`, parts));
    if (prompt.prefix !== null) {
      nodes.push(
        ...textBlock(
          "Begun answer",
          prompt.prefix,
          element("mark", {}, element("small", {}, "the model goes on here")),
        ),
      );
    }
    nodes.push(...wholeLink(row.id, "prompt"));
  }
  nodes.push(element("h3", {}, "Facts"), factList(row.facts));
  details.replaceChildren(...nodes);
}

async function open(at: number): Promise<void> {
  const id = (index.rows[at] as IndexRow)[0];
  wanted = id;
  writeHash();
  try {
    const rows = await loadChunk(Math.floor(at / index.chunk));
    if (wanted !== id) return;
    const row = rows.find((candidate) => candidate.id === id);
    if (row === undefined) throw new Error("The row is not in its file: load the page again.");
    render(row);
  } catch (error) {
    details.replaceChildren(element("p", { class: "warning" }, String((error as Error).message)));
  }
}

function writeHash(): void {
  const hash = new URLSearchParams([...chosen].filter(([, value]) => value !== ""));
  if (wanted !== "") hash.set("row", wanted);
  history.replaceState(null, "", `#${hash}`);
}

function readHash(): void {
  const hash = new URLSearchParams(location.hash.slice(1));
  chosen.clear();
  for (const control of filters.querySelectorAll<HTMLSelectElement | HTMLInputElement>("select,input")) {
    const value = hash.get(control.name) ?? "";
    if (
      control instanceof HTMLSelectElement && value !== "" &&
      ![...control.options].some((option) => option.value === value)
    ) {
      control.add(new Option(value, value));
    }
    control.value = value;
    chosen.set(control.name, value);
  }
  for (const [column, value] of hash) {
    if (column === "row" || chosen.has(column) || !index.columns.includes(column)) continue;
    chosen.set(column, value); // a column without a control of its own
  }
  wanted = hash.get("row") ?? "";
  applyFilters();
  if (active >= 0) choose(active);
  else if (shown.length > 0) choose(0);
  else details.replaceChildren(element("p", { class: "faint" }, "No row fits these filters."));
}

function makeFilters(): void {
  const columns = ["validity", "status", ...index.columns];
  for (const column of columns) {
    const values = new Set<string>();
    for (const row of index.rows) {
      values.add(valueOf(row, column));
      if (values.size > MOST_CHOICES) break;
    }
    if (values.size < 2 || values.size > MOST_CHOICES) continue;
    const sorted = [...values].filter((value) => value !== "").sort((a, b) =>
      Number(a) - Number(b) || (a < b ? -1 : 1)
    );
    const select = element("select", { name: column }) as HTMLSelectElement;
    select.add(new Option("all", ""));
    for (const value of sorted) {
      select.add(new Option(value.length > 60 ? `${value.slice(0, 60)}…` : value, value));
    }
    filters.append(element("label", {}, column.replaceAll("_", " "), select));
  }
  const search = element("input", { type: "search", name: "text", autocomplete: "off" });
  filters.append(element("label", {}, "search", search));
  const clear = element("button", { type: "button" }, "Show all");
  filters.append(clear);
  clear.addEventListener("click", () => {
    location.hash = "";
    readHash();
  });
  filters.addEventListener("input", (event) => {
    const control = event.target as HTMLSelectElement;
    chosen.set(control.name, control.value);
    applyFilters();
    writeHash();
    if (active < 0 && shown.length > 0 && control instanceof HTMLSelectElement) choose(0);
  });
}

list.addEventListener("scroll", drawList, { passive: true });
addEventListener("resize", drawList);
addEventListener("hashchange", readHash);
list.addEventListener("click", (event) => {
  const option = (event.target as Element).closest<HTMLElement>(".option");
  if (option !== null) choose(Number(option.dataset["at"]));
});
list.addEventListener("keydown", (event) => {
  const pageSize = Math.max(1, Math.floor(list.clientHeight / ROW_HEIGHT) - 1);
  const moves: Record<string, number> = {
    ArrowDown: active + 1,
    ArrowUp: active - 1,
    PageDown: Math.min(shown.length - 1, active + pageSize),
    PageUp: Math.max(0, active - pageSize),
    Home: 0,
    End: shown.length - 1,
  };
  const to = moves[event.key];
  if (event.key === "Enter") details.focus();
  else if (to !== undefined) choose(to);
  else return;
  event.preventDefault();
});

makeFilters();
readHash();
