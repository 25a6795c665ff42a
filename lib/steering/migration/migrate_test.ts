import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createRandom } from "../../base/random.ts";
import { inFolder } from "../../base/testing/in_folder.ts";
import { JOURNAL, markJournal, readJournal } from "./journal.ts";
import { migrate, type MigrationSettings, planMigrate, rollBack } from "./migrate.ts";
import { moveFile } from "./move_file.ts";

const TASK = fileURLToPath(new URL("../../../tasks/migrate.ts", import.meta.url));
const OLD_CONFIG = '{"extraction_model": "a/b", "application_model": "a/b-it", "mine": 1}\n';

/** Files of an older experiment, by path; each holds its own path. */
function oldTree(count: number): string[] {
  const traits = ["sycophancy", "rm_hack/ulterior_motive", "formality/academic", "refusal"];
  return Array.from({ length: count }, (_, i) => {
    const trait = traits[i % 4] as string;
    const n = Math.floor(i / 20);
    return [
      `extraction/${trait}/responses/pos_${n}.json`,
      `extraction/${trait}/vectors/response__5/residual/probe/layer${n}.pt`,
      `steering/${trait}/response__5/responses/residual/L${n}_c1.json`,
      `inference/raw/residual/set_${i % 7}/${n}_${i % 4}.pt`,
      `inference/projections/${trait}/set/${n}.json`,
    ][i % 5] as string;
  }).concat(["notes.md", "steering/refusal/response__5/results.json"]);
}

async function writeTree(folder: string, files: readonly string[]): Promise<void> {
  for (const file of files) {
    await Deno.mkdir(dirname(join(folder, file)), { recursive: true });
    await Deno.writeTextFile(join(folder, file), file);
  }
}

async function listFiles(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const walk = async (path: string): Promise<void> => {
    for await (const entry of Deno.readDir(join(folder, path))) {
      const inside = path === "" ? entry.name : `${path}/${entry.name}`;
      if (entry.isDirectory) await walk(inside);
      else if (!entry.name.startsWith(".probebook")) {
        found.set(inside, await Deno.readTextFile(join(folder, inside)));
      }
    }
  };
  if (await Deno.stat(folder).then(() => true, () => false)) await walk("");
  return found;
}

async function withOld(
  files: readonly string[],
  use: (settings: MigrationSettings, folder: string) => Promise<void>,
  config: string | null = OLD_CONFIG,
): Promise<void> {
  await inFolder(async (folder) => {
    const from = join(folder, "older", "exp");
    await writeTree(from, files);
    if (config !== null) await Deno.writeTextFile(join(from, "config.json"), config);
    const settings = {
      from,
      to: join(folder, "results"),
      experiments: join(folder, "experiments"),
      modelVariant: null,
      position: "response[:]",
    };
    await use(settings, folder);
  });
}

/** Checks that every file is at its new place and nowhere else. */
async function checkMigrated(
  { from, to, experiments }: MigrationSettings,
  files: readonly string[],
): Promise<void> {
  const found = await listFiles(join(to, "exp"));
  assert.equal(found.get("config.before_migration.json"), OLD_CONFIG);
  found.delete("config.before_migration.json");
  assert.deepEqual([...found.values()].sort(), [...files].sort());
  for (const [path, content] of found) {
    const variant = content.startsWith("extraction/") ? "base" : "instruct";
    if (content !== "notes.md") assert.ok(path.split("/").includes(variant), path);
  }
  assert.equal(
    found.get("steering/refusal/instruct/response__5/steering/results.json"),
    "steering/refusal/response__5/results.json",
  );
  assert.deepEqual([...(await listFiles(from)).keys()], []);
  assert.deepEqual(JSON.parse(await Deno.readTextFile(join(experiments, "exp", "config.json"))), {
    defaults: { extraction: "base", application: "instruct" },
    model_variants: { base: { model: "a/b" }, instruct: { model: "a/b-it" } },
  });
}

/** Checks that everything is as it was. */
async function checkOld(
  { from, to, experiments }: MigrationSettings,
  files: readonly string[],
): Promise<void> {
  const found = await listFiles(from);
  assert.equal(found.get("config.json"), OLD_CONFIG);
  found.delete("config.json");
  assert.deepEqual([...found].sort(), files.map((file) => [file, file]).sort());
  assert.deepEqual([...await listFiles(to)], []);
  assert.deepEqual([...await listFiles(experiments)], []);
  assert.equal(await readJournal(from), null);
}

const FLAGS = (settings: MigrationSettings) => [
  ...["--from", settings.from, "--to", settings.to, "--experiments", settings.experiments],
];

/** Runs the task and kills it as soon as a file is there. @returns whether it was killed. */
async function runKilledAt(path: string, args: readonly string[]): Promise<boolean> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", TASK, ...args],
    stdout: "null",
    stderr: "null",
  }).spawn();
  let over = false;
  const ended = child.status.finally(() => over = true);
  while (!over && !await Deno.stat(path).then(() => true, () => false)) {
    await new Promise((go) => setTimeout(go, 1));
  }
  if (!over) child.kill("SIGKILL");
  return (await ended).signal === "SIGKILL";
}

Deno.test("migrate() of 10,000 files loses and overwrites nothing, killed at several moments, on the way and back", async () => {
  const files = [...new Set(oldTree(10_000))];
  assert.ok(files.length >= 9_900, `${files.length}`);
  await withOld(files, async (settings) => {
    const { moves, configs, stay } = await planMigrate(settings);
    assert.deepEqual([moves.length, configs.length, stay], [files.length, 1, 0]);
    assert.equal(new Set(moves.map(({ to }) => to)).size, files.length);
    let kills = 0;
    for (const share of [0.1, 0.5, 0.8]) {
      const last = moves[Math.floor(share * moves.length)]!;
      if (await runKilledAt(last.to, FLAGS(settings))) kills++;
    }
    assert.ok(kills >= 2, `${kills} kills`);
    // Between the kills every file is at one of its places, or at both as the same file.
    const everywhere = await Promise.all([settings.from, join(settings.to, "exp")].map(listFiles));
    const texts = everywhere.flatMap((found) => [...found.values()]).filter((text) => !text.startsWith("{"));
    assert.equal(new Set(texts).size, files.length);
    const { moved, before, missing } = await migrate(settings);
    assert.deepEqual([moved + before, missing], [files.length, []]);
    assert.ok(before > 0);
    await checkMigrated(settings, files);
    assert.equal((await migrate(settings)).moved, 0);
    const middle = moves[Math.floor(moves.length / 2)]!;
    await runKilledAt(middle.from, ["--from", settings.from, "--roll-back"]);
    await rollBack(settings.from).catch(async (error) => {
      // The task may have come to its end before it was killed.
      if (await readJournal(settings.from) !== null) throw error;
    });
    await checkOld(settings, files);
  });
});

Deno.test("rollBack() undoes a migration that was killed midway", async () => {
  const files = oldTree(400);
  const unique = [...new Set(files)];
  await withOld(unique, async (settings) => {
    const stop = new AbortController();
    const half = migrate(settings, {
      signal: stop.signal,
      onProgress: (done) => done === 100 && stop.abort(new Error("stopped here")),
    });
    await assert.rejects(half, /stopped here/);
    assert.ok((await listFiles(join(settings.to, "exp"))).size >= 100);
    await rollBack(settings.from);
    await checkOld(settings, unique);
  });
});

Deno.test("migrate() moves nothing and says so when a file would be overwritten", async () => {
  await withOld(["extraction/t/responses/a.json", "extraction/t/vectors/b"], async (settings) => {
    const taken = join(settings.to, "exp/extraction/t/base/responses/a.json");
    await Deno.mkdir(dirname(taken), { recursive: true });
    await Deno.writeTextFile(taken, "mine");
    await assert.rejects(migrate(settings), /InputError: Nothing was moved.*\n.*a\.json exists/);
    assert.equal(await Deno.readTextFile(taken), "mine");
    assert.equal((await listFiles(settings.from)).size, 3);
    assert.equal(await readJournal(settings.from), null);
  });
});

Deno.test("migrate() refuses two files that would become one", async () => {
  const files = ["steering/t/response__5/results.json", "steering/t/response__5/steering/results.json"];
  await withOld(files, async (settings) => {
    await assert.rejects(migrate(settings), /InputError: .*would both become/s);
    assert.equal((await listFiles(settings.from)).size, 3);
  });
});

Deno.test("migrate() stops before a file that was put in its way while it was stopped", async () => {
  const files = [...new Set(oldTree(60))];
  await withOld(files, async (settings) => {
    const { moves } = await planMigrate(settings);
    const stop = new AbortController();
    stop.abort(new Error("stopped here"));
    await assert.rejects(migrate(settings, { signal: stop.signal }), /stopped here/);
    const last = moves.at(-1)!;
    await Deno.mkdir(dirname(last.to), { recursive: true });
    await Deno.writeTextFile(last.to, "somebody else's");
    await assert.rejects(migrate(settings), /InputError: .*is another file/);
    assert.equal(await Deno.readTextFile(last.to), "somebody else's");
    assert.equal(await Deno.readTextFile(last.from), files.find((file) => last.from.endsWith(file)));
    await Deno.remove(last.to);
    await migrate(settings);
    await checkMigrated(settings, files);
  });
});

Deno.test("migrate() works in place, and brings config.json into today's form where it lies", async () => {
  await withOld(["extraction/t/responses/a", "extraction/t/base/vectors/b"], async (settings, folder) => {
    const inPlace = { ...settings, to: join(folder, "older"), experiments: join(folder, "older") };
    await migrate(inPlace);
    const found = await listFiles(settings.from);
    assert.deepEqual([...found.keys()].sort(), [
      "config.before_migration.json",
      "config.json",
      "extraction/t/base/responses/a",
      "extraction/t/base/vectors/b",
    ]);
    assert.ok("model_variants" in JSON.parse(found.get("config.json") ?? ""));
    assert.equal((await migrate(inPlace)).moved, 0);
    await rollBack(settings.from);
    const back = await listFiles(settings.from);
    assert.deepEqual([...back.keys()].sort(), [
      "config.json",
      "extraction/t/base/vectors/b",
      "extraction/t/responses/a",
    ]);
    assert.equal(back.get("config.json"), OLD_CONFIG);
  });
});

Deno.test("migrate() takes a folder of experiments, goes on with what came later, and undoes both", async () => {
  await withOld(["extraction/t/responses/a"], async (settings, folder) => {
    const all = { ...settings, from: dirname(settings.from) };
    await writeTree(join(folder, "older", "two"), ["inference/raw/s/1.pt"]);
    await Deno.writeTextFile(join(folder, "older", "two", "config.json"), '{"model": "m"}');
    await migrate(all);
    assert.ok((await listFiles(settings.to)).has("exp/extraction/t/base/responses/a"));
    assert.ok((await listFiles(settings.to)).has("two/inference/base/raw/s/1.pt"));
    await writeTree(settings.from, ["extraction/later/responses/b"]);
    assert.equal((await migrate(all)).moved, 1);
    assert.ok((await listFiles(settings.to)).has("exp/extraction/later/base/responses/b"));
    await rollBack(all.from);
    assert.deepEqual([...(await listFiles(all.from)).keys()].sort(), [
      "exp/config.json",
      "exp/extraction/later/responses/b",
      "exp/extraction/t/responses/a",
      "two/config.json",
      "two/inference/raw/s/1.pt",
    ]);
  });
});

Deno.test("migrate() asks for the variant when nothing says it, and takes it when it is given", async () => {
  await withOld(["extraction/t/responses/a"], async (settings) => {
    await assert.rejects(migrate(settings), /InputError: .*--model-variant/);
    await migrate({ ...settings, modelVariant: "pocket" });
    assert.ok((await listFiles(settings.to)).has("exp/extraction/t/pocket/responses/a"));
  }, null);
});

Deno.test("migrate() refuses other flags while a migration is not finished, and a folder without experiments", async () => {
  await withOld(["extraction/t/responses/a"], async (settings, folder) => {
    const stop = new AbortController();
    stop.abort(new Error("stopped here"));
    await assert.rejects(migrate(settings, { signal: stop.signal }), /stopped here/);
    await assert.rejects(migrate({ ...settings, modelVariant: "instruct" }), /InputError: Another migration/);
    await markJournal(settings.from, "rolling back");
    await assert.rejects(migrate(settings), /InputError: .*being undone/);
    await rollBack(settings.from);
    await checkOld(settings, ["extraction/t/responses/a"]);
    await assert.rejects(rollBack(settings.from), /InputError: No migration/);
    await assert.rejects(migrate({ ...settings, from: join(folder, "absent") }), { name: "InputError" });
    await Deno.mkdir(join(folder, "empty"));
    await assert.rejects(
      migrate({ ...settings, from: join(folder, "empty") }),
      /InputError: .*is no experiment/,
    );
  });
});

Deno.test("readJournal() refuses a damaged journal and forgives a mark that was cut off", async () => {
  await withOld(["extraction/t/responses/a"], async (settings) => {
    await migrate(settings);
    const path = join(settings.from, JOURNAL);
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.replace(/\{"state":"done"\}\n$/, '{"sta'));
    assert.equal((await readJournal(settings.from))?.state, "moving");
    await migrate(settings);
    assert.equal((await readJournal(settings.from))?.state, "done");
    await Deno.writeTextFile(path, text.replace("probebook-migration/1", "else"));
    await assert.rejects(readJournal(settings.from), /InputError: .*damaged/);
  });
});

Deno.test("moveFile() copies where a file cannot have two names, and finishes what was killed between its steps", async () => {
  const random = createRandom(2);
  const cannotLink = () => Promise.reject(new Error("Invalid cross-device link (os error 18)"));
  await inFolder(async (folder) => {
    const [from, to] = [join(folder, "a"), join(folder, "deep", "b")];
    const bytes = Uint8Array.from({ length: 700_001 }, () => random.int(256));
    for (const link of [Deno.link, cannotLink]) {
      await Deno.writeFile(from, bytes, { mode: 0o640 });
      const killed = () => {
        throw new Error("killed");
      };
      await assert.rejects(moveFile(from, to, { link, between: killed }), /killed/);
      assert.deepEqual(await Deno.readFile(from), bytes);
      assert.equal(await moveFile(from, to, { link }), "moved");
      assert.deepEqual(await Deno.readFile(to), bytes);
      assert.equal((await Deno.stat(to)).mode! & 0o777, 0o640);
      assert.equal(await moveFile(from, to, { link }), "there already");
      await Deno.writeFile(from, bytes.with(700_000, 0).with(699_999, 1));
      await assert.rejects(moveFile(from, to, { link }), /InputError: .*another file/);
      assert.deepEqual(await Deno.readFile(to), bytes);
      await Deno.remove(to);
      await Deno.writeFile(`${to}.migrating`, new Uint8Array(5)); // of a copy that was killed
      assert.equal(await moveFile(from, to, { link }), "moved");
      await Deno.remove(to);
      await Deno.remove(`${to}.migrating`).catch(() => {});
    }
    assert.equal(await moveFile(from, to), "missing");
  });
});
