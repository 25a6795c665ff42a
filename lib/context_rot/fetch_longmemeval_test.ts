import assert from "node:assert/strict";
import { join } from "node:path";
import { stringify } from "csv-stringify/sync";
import { startFileServer } from "../base/testing/file_server.ts";
import { startHubServer } from "../engine/testing/hub_server.ts";
import { fetchEssays } from "./fetch_essays.ts";
import type { FetchOptions } from "../base/fetch_file.ts";
import { CLEANED_DATASET, fetchLongMemEval } from "./fetch_longmemeval.ts";
import { sha256 } from "../base/hash.ts";
import { openMemoryData } from "./longmemeval_data.ts";
import type { MemoryEntry } from "./longmemeval_file.ts";

const IDS = Array.from({ length: 30 }, (_, i) => `q${i}${i % 9 === 0 ? "_abs" : ""}`);
const textOf = (id: string, full: boolean) =>
  `Chats, "quoted",\r\nof ${id}: ${full ? "all of them. ".repeat(60) : "few"}`;

/** The published CSV: both conditions in one. */
const COMBINED = stringify([
  [
    "custom_id",
    "question",
    "answer",
    "focused_input",
    "focused_input_tokens",
    "full_input",
    "full_input_tokens",
  ],
  ...IDS.map((id) => [id, `What of ${id}?`, `the ${id}`, textOf(id, false), 12, textOf(id, true), 400]),
]);
const one = (condition: "focused" | "full") =>
  stringify([
    ["custom_id", "question", "answer", `${condition}_prompt`, "token_count"],
    ...IDS.map((id) => [id, `What of ${id}?`, `the ${id}`, textOf(id, condition === "full"), 12]),
  ]);
const TYPES = JSON.stringify(IDS.map((id) => ({ question_id: id, question_type: "multi-session" })));

interface Setup {
  readonly folder: string;
  readonly lines: string[];
  readonly options: (more: Partial<FetchOptions>) => FetchOptions;
}

async function inFolder(use: (setup: Setup) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const lines: string[] = [];
  const clock = { now: () => Date.parse("2026-01-31T10:00:00Z"), sleep: () => Promise.resolve() };
  try {
    await use({
      folder,
      lines,
      options: (more) => ({ folder, clock, env: () => undefined, log: (line) => lines.push(line), ...more }),
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
const FILES = ["focused", "full"].map((name) => `cleaned_longmemeval_s_${name}.csv`);

Deno.test("fetchLongMemEval() makes both files of the one that the hub has, resumed and checked, once", async () => {
  await using hub = startHubServer(CLEANED_DATASET, {
    "README.md": "x",
    "longmemeval_s_cleaned.csv": COMBINED,
  }, {
    type: "datasets",
  });
  await inFolder(async ({ folder, lines, options }) => {
    hub.faults.set("longmemeval_s_cleaned.csv", [{ resetAfter: 9000 }, { status: 502 }, {
      ignoreRange: true,
    }]);
    const given = options({ env: (name) => name === "HF_ENDPOINT" ? hub.url : undefined });
    await fetchLongMemEval(given);
    assert.deepEqual(
      names(folder),
      [...FILES, "downloads.lock.json"],
      "and no types: that data set is not there",
    );
    assert.match(lines.join("\n"), /types of the questions were not fetched/);
    assert.match(lines.at(-1) ?? "", /30 questions under both conditions, without their types/);
    const [focused, full] = FILES.map((name) => join(folder, name)) as [string, string];
    const data = await openMemoryData({ focused, full, types: null, sample: false });
    for (const { id, entries } of data.items) {
      assert.equal(await data.text("focused", entries.focused), textOf(id, false));
      assert.equal(await data.text("full", entries.full as MemoryEntry), textOf(id, true));
    }
    const before = hub.seen.filter(({ server }) => server === "cdn").length;
    await fetchLongMemEval(given);
    assert.equal(
      hub.seen.filter(({ server }) => server === "cdn").length,
      before,
      "nothing is downloaded twice",
    );
    assert.match(lines.join("\n"), /focused\.csv is there and whole/);

    await Deno.writeTextFile(join(folder, FILES[1] as string), "changed");
    await assert.rejects(
      fetchLongMemEval(given),
      /InputError: .*full\.csv is not the file that was downloaded on 2026.*Move it away/,
    );
    await Deno.remove(join(folder, FILES[1] as string));
    hub.files.set("longmemeval_s_cleaned.csv", new TextEncoder().encode(COMBINED + "more,a,b,c,1,d,2\n"));
    await assert.rejects(
      fetchLongMemEval(given),
      /InputError: .*has changed where it is published since it was recorded on 2026.*remove its entry from/,
    );
  });
});

Deno.test("fetchLongMemEval() takes the files of a web folder, records them, and wants the same ones later", async () => {
  await using server = startFileServer({
    "data/cleaned_longmemeval_s_focused.csv": one("focused"),
    "data/cleaned_longmemeval_s_full.csv": one("full"),
    "data/longmemeval_oracle.json": TYPES,
  }, { tags: true });
  await inFolder(async ({ folder, lines, options }) => {
    const given = options({ from: `${server.url}/data/` });
    server.faults.set("data/cleaned_longmemeval_s_full.csv", [{ resetAfter: 7000 }, { status: 500 }]);
    await fetchLongMemEval(given);
    assert.deepEqual(names(folder), [...FILES, "downloads.lock.json", "longmemeval_oracle.json"]);
    assert.match(lines.join("\n"), /recorded now, since nobody publishes it/);
    assert.match(lines.at(-1) ?? "", /30 questions under both conditions and their types/);
    assert.deepEqual(server.seen.slice(1, 4).map(({ range }) => range), [null, "bytes=7000-", "bytes=7000-"]);
    for (const name of FILES) await Deno.remove(join(folder, name));
    await fetchLongMemEval(given);
    assert.match(lines.join("\n"), /as recorded/);
    await Deno.remove(join(folder, FILES[0] as string));
    server.files.set(
      "data/cleaned_longmemeval_s_focused.csv",
      new TextEncoder().encode(one("focused").replace("few", "fow")),
    );
    await assert.rejects(
      fetchLongMemEval(given),
      /InputError: .*arrived twice with the digest.*if the publisher has replaced it, remove its entry from .*downloads\.lock\.json/,
    );
    assert.deepEqual(names(folder).includes(FILES[0] as string), false, "nothing wrong was kept");
  });
});

Deno.test("fetchLongMemEval() says what is wrong and what to do", async () => {
  await using server = startFileServer({ "cleaned_longmemeval_s_focused.csv": one("focused") });
  await inFolder(async ({ folder, options }) => {
    await assert.rejects(
      fetchLongMemEval(options({ from: server.url })),
      /InputError: http.* refuses cleaned_longmemeval_s_full\.csv \(404\): it is not there: check the address/,
    );
    const offline = options({ env: (name) => name === "HF_ENDPOINT" ? "http://127.0.0.1:1" : undefined });
    await assert.rejects(
      fetchLongMemEval(offline),
      /InputError: Cannot ask http:\/\/127\.0\.0\.1:1 .*--from URL.*--data sample/,
    );
    await assert.rejects(
      fetchLongMemEval(options({ from: "http://127.0.0.1:1" })),
      /InputError: Cannot download .*no connection.*--from URL/,
    );
    await Deno.writeTextFile(join(folder, "downloads.lock.json"), "{");
    await assert.rejects(fetchLongMemEval(offline), /InputError: .*downloads\.lock\.json is damaged/);
  });
});

Deno.test("fetchLongMemEval() keeps files that somebody has put there", async () => {
  await inFolder(async ({ folder, lines, options }) => {
    for (const condition of ["focused", "full"] as const) {
      await Deno.writeTextFile(join(folder, `cleaned_longmemeval_s_${condition}.csv`), one(condition));
    }
    await Deno.writeTextFile(join(folder, "longmemeval_oracle.json"), TYPES);
    await fetchLongMemEval(options({ from: "http://127.0.0.1:1" }));
    assert.match(lines[0] ?? "", /kept as it is/);
    assert.match(lines.at(-1) ?? "", /30 questions/);
  });
});

Deno.test("fetchEssays() fetches what is missing and refuses what is not the essay", async () => {
  const essays = { "a.txt": "An essay.", "b.txt": "Another one." };
  const files = Object.entries(essays).map(([name, text]) => ({
    name,
    size: text.length,
    sha256: sha256(text),
  }));
  await using server = startFileServer(essays);
  await inFolder(async ({ folder, lines, options }) => {
    const given = options({ from: server.url });
    await fetchEssays(given, files);
    assert.deepEqual(names(join(folder, "PaulGrahamEssays")), ["a.txt", "b.txt"]);
    await Deno.remove(join(folder, "PaulGrahamEssays", "b.txt"));
    await fetchEssays(given, files);
    assert.match(lines.at(-1) ?? "", /2 essays are in PaulGrahamEssays, 1 of them from before/);
    await Deno.remove(join(folder, "PaulGrahamEssays", "b.txt"));
    server.files.set("b.txt", new TextEncoder().encode("Another two."));
    await assert.rejects(fetchEssays(given, files), /InputError: .*b\.txt arrived twice with the digest/);
    await Deno.writeTextFile(join(folder, "PaulGrahamEssays", "a.txt"), "Mine.");
    await assert.rejects(
      fetchEssays(given, files),
      /InputError: .*a\.txt is not the file that is published.*Move it/,
    );
  });
});
