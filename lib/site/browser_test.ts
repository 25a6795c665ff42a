import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { inFolder } from "../base/testing/in_folder.ts";
import { visibleParts } from "./client/visible.ts";
import { publish } from "./publish.ts";
import { CHROMIUM, startChromium } from "./testing/chromium.ts";
import { HOSTILE_OUTPUTS, writeLargeRun } from "./testing/large_run.ts";
import { checkPage } from "./testing/page_checks.ts";
import { makeResults } from "./testing/sample_results.ts";
import { startViewer } from "./view/start_viewer.ts";

const ignore = CHROMIUM === undefined;
const version = { commit: "abc", lock: "def" };
const DETAILS = "document.querySelector('#details h2') !== null";

Deno.test({
  name:
    "published pages are read from a disk without errors or loads, in both schemes, on a phone, by keyboard",
  ignore,
  fn: () =>
    inFolder(async (folder) => {
      const [results, to] = [join(folder, "results"), join(folder, "site")];
      await makeResults(results, {
        outputs: [
          {
            output_type: "display_data",
            metadata: {},
            data: { "text/html": HOSTILE_OUTPUTS.slice(0, 5).join("<hr>") },
          },
          { output_type: "stream", name: "stderr", text: HOSTILE_OUTPUTS.join("\n") },
        ],
      });
      await publish({ from: results, to, only: null, date: new Date(0), log: () => {} });
      const site = pathToFileURL(`${to}/`).href;
      await using browser = await startChromium();
      const tab = await browser.open();
      for (const page of ["index.html", "test_simulated_niah.html"]) await checkPage(tab, site + page, site);
      await checkPage(await browser.open(), `${site}rows/test_simulated_niah.html`, site, DETAILS);

      // A cell of the heatmap, reached with the Tab key, opens its rows.
      const keys = await browser.open();
      await keys.look({ width: 1440 });
      await keys.goto(`${site}test_simulated_niah.html`);
      for (
        let i = 0;
        i < 60 &&
        !await keys.evaluate(
          "document.activeElement?.getAttribute('aria-label')?.startsWith('400 tokens, depth 50%') ?? false",
        );
        i++
      ) {
        await keys.press("Tab");
      }
      await keys.press("Enter");
      await keys.until(
        `location.pathname.endsWith("/rows/test_simulated_niah.html") && ${DETAILS}`,
        "the rows of the cell",
      );
      assert.equal(await keys.evaluate("document.getElementById('count').textContent"), "2 of 12 rows");
      assert.match(await keys.evaluate("document.querySelector('#details mark').textContent"), /^needle: /);
    }),
});

Deno.test({
  name: "a run of 10,000 rows opens in less than two seconds, scrolls, and shows hostile rows as text",
  ignore,
  fn: () =>
    inFolder(async (results) => {
      await writeLargeRun(results, 10_000);
      await using viewer = startViewer({ results, port: 0, kinds: [], version });
      await using browser = await startChromium();
      const tab = await browser.open();
      await tab.look({ width: 1440 });
      await tab.goto(`${viewer.url}runs.html`);
      const began = performance.now();
      await tab.goto(`${viewer.url}rows/large_many.html`);
      await tab.until(DETAILS, "the first row");
      const took = performance.now() - began;
      assert.ok(took < 2000, `took ${Math.round(took)} ms`);
      assert.equal(
        await tab.evaluate("document.getElementById('count').textContent"),
        "10,000 of 10,000 rows",
      );
      assert.ok(
        await tab.evaluate<number>("document.querySelectorAll('.option').length") < 60,
        "only what is seen is drawn",
      );

      await tab.evaluate("document.getElementById('list').focus()");
      await tab.press("End");
      await tab.until(
        "document.querySelector('#details h2 code')?.textContent === 'row009999'",
        "the last row",
      );
      assert.ok(
        await tab.evaluate(
          "document.getElementById(document.getElementById('list').getAttribute('aria-activedescendant')) !== null",
        ),
      );
      await tab.press("ArrowUp");
      await tab.until(
        "document.querySelector('#details h2 code')?.textContent === 'row009998'",
        "the row above",
      );
      await tab.press("Home");
      for (let i = 0; i < HOSTILE_OUTPUTS.length; i++) {
        await tab.until(
          `document.querySelector('#details h2 code')?.textContent === 'row${String(i).padStart(6, "0")}'`,
          `row ${i}`,
        );
        const shown = await tab.evaluate<string>(
          "document.querySelector('pre[aria-label=Output]').textContent",
        );
        const signs = visibleParts((HOSTILE_OUTPUTS[i] ?? "").slice(0, 40)).map(({ text }) => text).join("");
        assert.ok(shown.startsWith(signs), `row ${i} shows ${shown.slice(0, 60)}`);
        assert.ok(shown.length < 20_000);
        await tab.press("ArrowDown");
      }
      assert.equal(await tab.evaluate("globalThis.hacked"), undefined);
      await tab.goto(`${viewer.url}rows/large_many.html#length=300&depth=3`);
      await tab.until(DETAILS, "a filtered row");
      assert.match(
        await tab.evaluate("document.getElementById('count').textContent"),
        /^14\d of 10,000 rows$/,
      );
      assert.equal(await tab.evaluate("document.querySelector('select[name=length]').value"), "300");
      await checkPage(await browser.open(), `${viewer.url}rows/large_many.html`, viewer.url, DETAILS);
      for (
        const page of [
          "index.html",
          "runs.html",
          "variants.html",
          "runs/large_many.html",
          "experiments/many.html",
        ]
      ) {
        await checkPage(await browser.open(), viewer.url + page, viewer.url);
      }
      assert.deepEqual(tab.problems, []);
    }),
});
