import assert from "node:assert/strict";
import { join } from "node:path";
import type { Clock } from "./clock.ts";
import { digestOf, downloadFile, type DownloadOptions, type RemoteFile } from "./download.ts";
import { InputError } from "./errors.ts";
import { sha256 } from "./hash.ts";
import { type FileServer, startFileServer } from "./testing/file_server.ts";

const CONTENT = Uint8Array.from({ length: 20_000 }, (_, i) => (i * 7 + i / 251) & 255);

interface Setup {
  readonly server: FileServer;
  readonly path: string;
  readonly waits: number[];
  /** Downloads `file` to `path`. */
  readonly get: (file?: Partial<RemoteFile>, options?: Partial<DownloadOptions>) => Promise<void>;
}

async function withServer(
  options: { readonly tags?: boolean; readonly lengths?: boolean },
  use: (setup: Setup) => Promise<void>,
): Promise<void> {
  await using server = startFileServer({ file: CONTENT }, options);
  const folder = await Deno.makeTempDir();
  const path = join(folder, "new", "file");
  const waits: number[] = [];
  const clock: Clock = { now: () => 0, sleep: (ms) => Promise.resolve(void waits.push(ms)) };
  try {
    await use({
      server,
      path,
      waits,
      get: (file = {}, more = {}) =>
        downloadFile({ url: `${server.url}/file`, name: "the file", ...file }, path, {
          clock,
          signal: undefined,
          server: "the server",
          advice: "Do without it.",
          partial: ".part",
          refuse: (status, name) => new InputError(`no ${name}: ${status}`),
          ...more,
        }),
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const KNOWN = { size: CONTENT.length, digest: { kind: "sha256", hex: sha256(CONTENT) } } as const;
const isWhole = async (path: string) => {
  assert.deepEqual(await Deno.readFile(path), CONTENT);
  const beside = [...Deno.readDirSync(join(path, ".."))].map(({ name }) => name);
  assert.deepEqual(beside, ["file"], "nothing is left beside it");
};

for (const tags of [true, false]) {
  for (const lengths of [true, false]) {
    Deno.test(`downloadFile() of unknown content, ${tags ? "tags" : "no tags"}, ${lengths ? "lengths" : "no lengths"}, survives a cut connection`, async () => {
      await withServer({ tags, lengths }, async ({ server, path, get }) => {
        // Without a length only the end of the connection tells that a file is whole, so it is not cut here.
        server.faults.set("file", [{ status: 500 }, ...(lengths ? [{ resetAfter: 5000 }] : [])]);
        await get();
        await isWhole(path);
        const resumed = tags && lengths ? ["bytes=5000-"] : lengths ? [null] : [];
        assert.deepEqual(server.seen.map(({ range }) => range), [null, null, ...resumed]);
      });
    });
  }
}

Deno.test("downloadFile() goes on from a partial file of another process, and begins anew when the file has changed", async () => {
  await withServer({ tags: true }, async ({ server, path, get }) => {
    const stopped = new AbortController();
    const stop = { signal: stopped.signal, onProgress: () => stopped.abort(new Error("enough")) };
    server.faults.set("file", [{ resetAfter: 8000 }]);
    await assert.rejects(get({}, stop), /enough/);
    const { size } = await Deno.stat(`${path}.part`);
    assert.ok(size > 0 && size <= 8000, `${size}`);
    await get();
    await isWhole(path);
    assert.equal(server.seen.at(-1)?.range, `bytes=${size}-`);

    await Deno.rename(path, `${path}.part`);
    await Deno.truncate(`${path}.part`, 9000);
    await Deno.writeTextFile(`${path}.part.tag`, '"of another file"');
    await get();
    await isWhole(path);
    assert.equal(server.seen.at(-1)?.range, "bytes=9000-", "asked for, and answered with the whole file");
  });
});

Deno.test("downloadFile() takes a partial file that is whole for whole", async () => {
  await withServer({ tags: true }, async ({ server, path, get }) => {
    const part = async (content: Uint8Array) => {
      await Deno.mkdir(join(path, ".."), { recursive: true });
      await Deno.writeFile(`${path}.part`, content);
    };
    await part(CONTENT);
    await get(KNOWN);
    await isWhole(path);
    assert.equal(server.seen.length, 0);
    // Nobody knows the size: the server says that there is no more.
    await part(CONTENT);
    await Deno.writeTextFile(`${path}.part.tag`, await etag(server));
    await get();
    assert.equal(server.seen.at(-1)?.range, "bytes=20000-");
    await isWhole(path);
  });
});

async function etag(server: FileServer): Promise<string> {
  const response = await fetch(`${server.url}/file`);
  await response.body?.cancel();
  return response.headers.get("etag") ?? "";
}

Deno.test("downloadFile() refuses a wrong digest after two tries and keeps nothing of it", async () => {
  await withServer({}, async ({ server, path, get }) => {
    const changed = CONTENT.with(100, (CONTENT[100] as number) ^ 1);
    server.files.set("file", changed);
    await assert.rejects(get(KNOWN, { changed: "ask for another." }), (error) => {
      assert.ok(error instanceof InputError);
      assert.match(
        error.message,
        /arrived twice with the digest .* instead of .*Nothing of it was kept; ask for/,
      );
      return true;
    });
    assert.equal(server.seen.length, 2);
    assert.equal((await Deno.stat(`${path}.part`)).size, 0);
    await assert.rejects(Deno.stat(path));
    server.files.set("file", new Uint8Array(CONTENT.length + 1));
    await assert.rejects(get(KNOWN), /longer than the 20000 bytes/);
  });
});

Deno.test("downloadFile() tries failures again, longer each time, and gives up with the advice", async () => {
  await withServer({}, async ({ server, waits, get, path }) => {
    server.faults.set("file", Array(6).fill({ status: 503 }));
    await assert.rejects(
      get(KNOWN),
      /InputError: Cannot download the file: the server answers 503, 6 times in a row.*Do without it\./,
    );
    assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000]);
    await assert.rejects(get({ url: "http://127.0.0.1:1/file" }), /no connection.*6 times.*Do without it\./);
    server.faults.set("file", [{ status: 404 }]);
    await assert.rejects(get(), /InputError: no the file: 404/);
    await get(KNOWN);
    await isWhole(path);
  });
});

Deno.test({
  name: "downloadFile() says so when the disk is full",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await withServer({}, async ({ path, get }) => {
      await Deno.mkdir(join(path, ".."), { recursive: true });
      await Deno.symlink("/dev/full", `${path}.part`);
      await assert.rejects(
        get(KNOWN),
        /InputError: No space left on the disk while writing .*file: free some/,
      );
    });
  },
});

Deno.test("digestOf() gives SHA-256 and git object ids", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, "hello\n");
  assert.equal((await digestOf(path, "git")).hex, "ce013625030ba8dba906f756967f9e9ca394464a");
  assert.equal((await digestOf(path, "sha256")).hex, sha256("hello\n"));
  await Deno.remove(path);
});
