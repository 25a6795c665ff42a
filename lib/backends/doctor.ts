/**
 * Looks whether everything is in place, and says what to do about each gap.
 * @module
 */
import { statfsSync } from "node:fs";
import { join } from "node:path";
import { type Clock, systemClock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { openBackend, type OpenOptions } from "./open_backend.ts";
import { redact, secretsOf } from "./redact.ts";
import {
  type ApiVariant,
  type Environment,
  loadVariants,
  missingEnvironment,
  type Variant,
} from "./variants.ts";

/** What was found about one thing. */
export interface Check {
  /** Heading it stands under: `versions`, `addons`, `keys`, `variants`, `data`, `disk`. */
  readonly group: string;
  /** What was looked at. */
  readonly name: string;
  /** `fail` is a gap in what is needed by everything; `gap` one in something optional. */
  readonly status: "ok" | "gap" | "fail";
  /** What was found, for people. Holds no secret. */
  readonly detail: string;
  /** What to do; empty when nothing is to be done. */
  readonly remedy: string;
}

/** Options of {@linkcode runDoctor}; what is left out is the machine's own. */
export interface DoctorOptions {
  /** The repository's folder: data, results and deno.json are looked for there. */
  readonly root: string;
  /** A models.json. */
  readonly models?: string;
  /** Where keys are looked for. */
  readonly env?: Environment;
  /** Times the answers. */
  readonly clock?: Clock;
  /** Most milliseconds a variant may take to answer one token. */
  readonly timeoutMs?: number;
  /** Stops the questions to variants. */
  readonly signal?: AbortSignal;
  /** Imports a package; replaced in tests. */
  readonly load?: (specifier: string) => Promise<unknown>;
}

/** Packages with native parts, and what needs them. */
const ADDONS: readonly { readonly name: string; readonly use: string; readonly needed: boolean }[] = [
  { name: "onnxruntime-node", use: "in-process models", needed: true },
  { name: "@resvg/resvg-js", use: "PNG figures", needed: true },
  { name: "zeromq", use: "headless notebooks", needed: true },
  { name: "nodejs-polars", use: "parquet files", needed: false },
];

const DATA: readonly { readonly path: string; readonly use: string; readonly remedy: string }[] = [
  {
    path: "data/PaulGrahamEssays",
    use: "the usual NIAH haystack",
    remedy: "nothing needed: the generator that ships is used; put .txt or .md essays there to use them",
  },
  {
    path: "data/cleaned_longmemeval_s_focused.csv",
    use: "LongMemEval, focused",
    remedy: "needed for the longmemeval experiment only: put the file there",
  },
  {
    path: "data/cleaned_longmemeval_s_full.csv",
    use: "LongMemEval, full",
    remedy: "needed for the longmemeval experiment only: put the file there",
  },
];

const GIB = 2 ** 30;

/**
 * Checks versions, addons, keys (whether they are set, never their values), variants (those whose environment is
 * whole are asked for one token), data, disk space and the results folder.
 */
export async function runDoctor(options: DoctorOptions): Promise<Check[]> {
  const env = options.env ?? Deno.env;
  return [
    ...await versions(options),
    ...await addons(options.load ?? ((specifier) => import(specifier))),
    ...await variantChecks(options, env),
    ...await data(options.root),
    disk(options.root),
    await results(options.root),
  ];
}

/** Whether anything that everything needs is missing: an addon, the embedded model, the results folder. */
export function isBroken(checks: readonly Check[]): boolean {
  return checks.some((check) => check.status === "fail");
}

/** The checks as lines for people: a mark, what was found, and under a gap what to do. */
export function formatChecks(checks: readonly Check[]): string {
  const marks = { ok: "✓", gap: "–", fail: "✗" };
  const lines: string[] = [];
  let group = "";
  for (const check of checks) {
    if (check.group !== group) lines.push(...(group ? [""] : []), `${group = check.group}:`);
    lines.push(`  ${marks[check.status]} ${check.name}: ${check.detail}`);
    if (check.remedy) lines.push(`      ${check.remedy}`);
  }
  return lines.join("\n");
}

function ok(group: string, name: string, detail: string): Check {
  return { group, name, status: "ok", detail, remedy: "" };
}

async function versions({ root }: DoctorOptions): Promise<Check[]> {
  const { deno, v8, typescript } = Deno.version;
  const checks = [
    ok("versions", "deno", deno),
    ok("versions", "v8", v8),
    ok("versions", "typescript", typescript),
    ok("versions", "system", `${Deno.build.os} ${Deno.build.arch}, ${navigator.hardwareConcurrency} cores`),
  ];
  const text = await Deno.readTextFile(join(root, "deno.json")).catch(() => "{}");
  const imports = (JSON.parse(text) as { imports?: Record<string, string> }).imports ?? {};
  for (const [name, specifier] of Object.entries(imports)) {
    checks.push(ok("packages", name, specifier.slice(specifier.lastIndexOf("@") + 1)));
  }
  return checks;
}

function addons(load: (specifier: string) => Promise<unknown>): Promise<Check[]> {
  return Promise.all(ADDONS.map(async ({ name, use, needed }): Promise<Check> => {
    try {
      await load(name);
      return ok("addons", name, `loads (${use})`);
    } catch (error) {
      return {
        group: "addons",
        name,
        status: needed ? "fail" : "gap",
        detail: `does not load (${use}): ${messageOf(error).split("\n")[0]}`,
        remedy: "run `deno install --frozen` with the network on; the addon may not exist for this system",
      };
    }
  }));
}

async function variantChecks(options: DoctorOptions, env: Environment): Promise<Check[]> {
  let variants: ReadonlyMap<string, Variant>;
  try {
    variants = await loadVariants(...(options.models === undefined ? [] : [options.models]));
  } catch (error) {
    const detail = messageOf(error);
    return [{ group: "variants", name: "models.json", status: "fail", detail, remedy: "correct the file" }];
  }
  const apis = [...variants.values()].filter((v): v is ApiVariant => v.backend === "api");
  const names = new Set(
    apis.flatMap((v) => [v.baseUrlEnv, v.apiKeyEnv].filter((name) => name !== undefined)),
  );
  const keys = [...names].map((name) => keyCheck(name, apis, env));
  const secrets = secretsOf(variants.values(), env);
  const answers: Check[] = [];
  for (const variant of variants.values()) answers.push(await askOnce(variant, options, env, secrets));
  return [...keys, ...answers];
}

/** Whether an environment variable is set; its value is never shown. */
function keyCheck(name: string, apis: readonly ApiVariant[], env: Environment): Check {
  if (env.get(name)) return ok("keys", name, "set");
  const users = apis.filter((v) => v.baseUrlEnv === name || v.apiKeyEnv === name);
  const fallback = users.find((v) => v.baseUrlEnv === name)?.baseUrl;
  if (fallback !== undefined) return ok("keys", name, `not set: ${fallback} is used`);
  const remedy = `needed by ${users.map((v) => v.name).join(", ")}: set it in the environment or in .env`;
  return { group: "keys", name, status: "gap", detail: "not set", remedy };
}

/** Asks a variant for one token, unless its environment is not whole. */
async function askOnce(
  variant: Variant,
  options: DoctorOptions,
  env: Environment,
  secrets: readonly string[],
): Promise<Check> {
  const { name } = variant;
  const missing = missingEnvironment(variant, env);
  if (missing.length > 0) {
    const detail = `not asked: ${missing.join(" and ")} not set`;
    return { group: "variants", name, status: "gap", detail, remedy: "" };
  }
  const timeoutMs = options.timeoutMs ?? 10_000;
  const clock = options.clock ?? systemClock;
  const open: OpenOptions = { env, timeoutMs, clock, ...(options.signal ? { signal: options.signal } : {}) };
  try {
    const started = clock.now();
    await using backend = await openBackend(variant, open);
    const request = { messages: [{ role: "user" as const, content: "Say yes." }], maxTokens: 1 };
    const signal = AbortSignal.any([
      AbortSignal.timeout(timeoutMs),
      ...(options.signal ? [options.signal] : []),
    ]);
    // The kind of failure that mode `err` simulates says nothing about this machine.
    if (variant.backend === "simulated") return ok("variants", name, `simulated: ${variant.mode}`);
    const answer = await backend.generate(request, { signal });
    return ok(
      "variants",
      name,
      `answers as ${answer.model ?? "an unnamed model"} in ${clock.now() - started} ms`,
    );
  } catch (error) {
    const isEmbedded = name === "pocket";
    return {
      group: "variants",
      name,
      status: isEmbedded ? "fail" : "gap",
      detail: `does not answer: ${redact(messageOf(error), secrets)}`,
      remedy: isEmbedded
        ? "restore the folder models/pocket from the repository"
        : variant.backend === "local"
        ? "only needed if you want to use it"
        : "is the server running, the address right, the key valid?",
    };
  }
}

function data(root: string): Promise<Check[]> {
  return Promise.all(DATA.map(async ({ path, use, remedy }): Promise<Check> => {
    const full = join(root, path);
    const info = await Deno.stat(full).catch(() => null);
    const count = info?.isDirectory ? [...Deno.readDirSync(full)].length : null;
    return info && count !== 0
      ? ok("data", path, count === null ? `present (${use})` : `${count} files (${use})`)
      : { group: "data", name: path, status: "gap", detail: `not there (${use})`, remedy };
  }));
}

function disk(root: string): Check {
  const { bavail, bsize } = statfsSync(root);
  const free = bavail * bsize / GIB;
  const detail = `${free.toFixed(1)} GiB free`;
  return free >= 1 ? ok("disk", "space", detail) : {
    group: "disk",
    name: "space",
    status: "gap",
    detail,
    remedy: "free some: a long run writes prompts and answers",
  };
}

async function results(root: string): Promise<Check> {
  const folder = join(root, "results");
  const probe = join(folder, `.doctor-${crypto.randomUUID()}`);
  try {
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(probe, "");
    await Deno.remove(probe);
    return ok("disk", "results", "can be written");
  } catch (error) {
    return {
      group: "disk",
      name: "results",
      status: "fail",
      detail: `cannot be written: ${messageOf(error)}`,
      remedy: "make the folder writable, or choose another with --results",
    };
  }
}
