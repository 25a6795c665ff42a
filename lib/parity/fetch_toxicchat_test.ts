import assert from "node:assert/strict";
import { InputError } from "../base/errors.ts";
import { startHubServer } from "../engine/testing/hub_server.ts";
import { fetchToxicChat, TOXICCHAT_DATASET } from "./fetch_toxicchat.ts";
import { paritySampleCsv } from "./parity_sample.ts";
import { readToxicChat } from "./toxicchat.ts";

const THERE = {
  "data/0124/toxic-chat_annotation_test.csv": paritySampleCsv(),
  "data/0124/toxic-chat_annotation_train.csv": "conv_id,user_input,toxicity\n1,hello,0\n",
};

/** Downloads from a hub with these files into a folder of its own. */
async function fetched(
  files: Record<string, string>,
  use: (folder: string, again: () => Promise<void>, lines: string[], seen: () => number) => Promise<void>,
): Promise<void> {
  await using hub = startHubServer(TOXICCHAT_DATASET, files, { type: "datasets" });
  const folder = await Deno.makeTempDir();
  const lines: string[] = [];
  const options = {
    folder,
    clock: { now: () => Date.parse("2026-01-31T10:00:00Z"), sleep: () => Promise.resolve() },
    env: (name: string) => name === "HF_ENDPOINT" ? hub.url : undefined,
    log: (line: string) => void lines.push(line),
  };
  try {
    await use(folder, () => fetchToxicChat(options), lines, () => hub.seen.length);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("fetchToxicChat() downloads both halves once, and says what is in them", () =>
  fetched(THERE, async (folder, fetch, lines, seen) => {
    await fetch();
    assert.equal((await readToxicChat(`${folder}/toxicchat_test.csv`)).items.length, 160);
    assert.match(lines.join("\n"), /toxicchat_test\.csv is ready: 160 messages with a text, 60 toxic/);
    assert.match(lines.join("\n"), /toxicchat_train\.csv is ready: 1 messages with a text, 0 toxic/);
    const before = seen();
    await fetch();
    assert.equal(seen(), before, "nothing is asked for twice");
  }));

Deno.test("fetchToxicChat() says what to do when the data set is laid out in another way", () =>
  fetched({ "README.md": "moved" }, async (_, fetch) => {
    await assert.rejects(
      fetch(),
      (error) =>
        error instanceof InputError && /has no data\/0124.* any more\. .*--from URL/.test(error.message),
    );
  }));
