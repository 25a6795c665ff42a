/**
 * What every page must bear, asked of it in the browser.
 * @module
 */
import assert from "node:assert/strict";
import type { Tab } from "./chromium.ts";

/** Texts whose contrast with what stands behind them is below 4.5, or 3 for large ones; figures are left to their own tests. */
const CONTRAST = `(() => {
  const parse = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18] : [255, 255, 255];
  };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement;
    if (node.data.trim() === "" || element.closest("svg,script,style,noscript,option") || element.getClientRects().length === 0) continue;
    const [a, b] = [luminance(parse(getComputedStyle(element).color)), luminance(behind(element))].sort((x, y) => x - y);
    const ratio = (b + 0.05) / (a + 0.05);
    const { fontSize, fontWeight } = getComputedStyle(element);
    const large = parseFloat(fontSize) >= 24 || (parseFloat(fontSize) >= 18.66 && Number(fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) poor.push(node.data.trim().slice(0, 40) + " " + ratio.toFixed(2));
  }
  return poor;
})()`;

/** Whatever can be used must be reached by keyboard and have a name; what scrolls must be reached too. */
const UNREACHED = `(() => {
  const bad = [];
  const named = (e) => (e.getAttribute("aria-label") ?? e.textContent ?? "").trim() !== "" || e.labels?.length > 0;
  for (const e of document.querySelectorAll("a[href],button,select,input,summary,[tabindex]")) {
    if (e.tabIndex < 0 && e.id !== "details") bad.push("not reached: " + e.outerHTML.slice(0, 80));
    if (!named(e)) bad.push("no name: " + e.outerHTML.slice(0, 80));
  }
  for (const e of document.querySelectorAll("body *")) {
    if (e.closest("svg")) continue;
    const { overflowX, overflowY } = getComputedStyle(e);
    const scrolls = (/auto|scroll/.test(overflowY) && e.scrollHeight > e.clientHeight + 1) || (/auto|scroll/.test(overflowX) && e.scrollWidth > e.clientWidth + 1);
    if (scrolls && e.tabIndex < 0 && !e.matches("select,textarea,input")) bad.push("scrolls without focus: " + e.outerHTML.slice(0, 80));
  }
  for (const e of document.querySelectorAll("img")) if (!e.alt) bad.push("no alt: " + e.outerHTML.slice(0, 60));
  for (const e of document.querySelectorAll(".figure > .scroll > svg")) {
    if (!e.querySelector("title") || !e.querySelector("desc")) bad.push("figure without words");
  }
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  if (new Set(ids).size !== ids.length) bad.push("ids are given twice");
  return bad;
})()`;

/** Opens a page at both widths and in both schemes and checks it: contrast, width, keyboard, names, errors, loads. */
export async function checkPage(
  tab: Tab,
  url: string,
  origin: string,
  ready = "document.readyState === 'complete'",
): Promise<void> {
  for (const width of [375, 1440]) {
    for (const dark of [false, true]) {
      const where = `${url} at ${width}${dark ? ", dark" : ""}`;
      await tab.look({ width, dark });
      await tab.goto(url);
      await tab.until(ready, `the content of ${where}`);
      assert.deepEqual(await tab.evaluate(CONTRAST), [], `contrast of ${where}`);
      assert.deepEqual(await tab.evaluate(UNREACHED), [], `keyboard on ${where}`);
      assert.ok(
        await tab.evaluate<number>("document.documentElement.scrollWidth") <= width,
        `${where} scrolls sideways`,
      );
      assert.equal(await tab.evaluate("globalThis.hacked"), undefined, `${where} ran what it was given`);
    }
  }
  assert.deepEqual(tab.problems, [], `errors of ${url}`);
  const foreign = tab.requests.filter((request) =>
    !request.startsWith(origin) && !request.startsWith("data:")
  );
  assert.deepEqual(foreign, [], `${url} asks elsewhere`);
}
