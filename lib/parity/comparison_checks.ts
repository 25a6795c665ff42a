/**
 * Whether both backends of a comparison are ready, found out without loading a model or asking one anything.
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import type { Check } from "../backends/doctor.ts";
import { redact, secretsOf } from "../backends/redact.ts";
import {
  type ApiVariant,
  type Environment,
  loadVariants,
  type LocalVariant,
  missingEnvironment,
  modelsPath,
  type Variant,
} from "../backends/variants.ts";
import { InputError, messageOf } from "../base/errors.ts";
import { chooseBackends, servedBy } from "./choose_backends.ts";
import { dataPath } from "./compare_config.ts";
import { loadPolicy, POLICIES } from "./policies.ts";
import { readToxicChat } from "./toxicchat.ts";

/** Options of {@linkcode comparisonChecks}. */
export interface ComparisonChecksOptions {
  /** A model, or two variants separated by a comma: what `--model` and `--variants` take. */
  readonly compare: string;
  /** A models.json; the one in use when left out. */
  readonly models?: string;
  /** Where keys and addresses are read from. */
  readonly env?: Environment;
  /** Most milliseconds a server may take to list its models. */
  readonly timeoutMs?: number;
}

const GROUP = "compare-backends";

/** Checks policies, data and both backends. Keys are never shown. */
export async function comparisonChecks(options: ComparisonChecksOptions): Promise<Check[]> {
  const { compare, models = modelsPath(), env = Deno.env, timeoutMs = 10_000 } = options;
  const checks = [
    await check(
      "policies",
      async () => (await Promise.all(POLICIES.map(loadPolicy))).map(({ name }) => name).join(", "),
    ),
    await check("data", async () => {
      const { name, items } = await readToxicChat(dataPath({ data: null, test: false }));
      return `${name}, ${items.length} messages, ${
        items.filter(({ toxicity }) => toxicity === 1).length
      } toxic`;
    }),
  ];
  let known: ReadonlyMap<string, Variant>;
  let chosen: readonly Variant[];
  try {
    known = await loadVariants(models);
    chosen = chooseBackends({ backends: null, variants: null }, compare, known);
  } catch (error) {
    return [
      ...checks,
      gap("backends", messageOf(error), "name a model that is reached in two ways, or two variants"),
    ];
  }
  const secrets = secretsOf(chosen.values(), env);
  for (const variant of chosen) {
    const found = await readiness(variant, known, env, timeoutMs);
    checks.push({ ...found, detail: redact(found.detail, secrets) });
  }
  return checks;
}

async function readiness(
  variant: Variant,
  known: ReadonlyMap<string, Variant>,
  env: Environment,
  timeoutMs: number,
): Promise<Check> {
  const { name } = variant;
  const served = servedBy(name, known);
  if (served !== null) {
    const found = await folderCheck(served, name);
    return found.status === "ok" ? ok(name, `${found.detail}; our own server is started for the run`) : found;
  }
  if (variant.backend === "simulated") return ok(name, `simulated: ${variant.mode}`);
  if (variant.backend === "local") return await folderCheck(variant, name);
  const missing = missingEnvironment(variant, env);
  if (missing.length > 0) {
    return gap(
      name,
      `${missing.join(" and ")} not set`,
      "set it in the environment or in .env (see .env.example)",
    );
  }
  return await serverCheck(variant, env, timeoutMs);
}

/** Whether the files of a checkpoint are there; nothing is loaded. */
async function folderCheck({ folder, model }: LocalVariant, name: string): Promise<Check> {
  if (folder === null) return ok(name, `${model} of the Hugging Face hub, downloaded when it is first used`);
  const there = await Array.fromAsync(Deno.readDir(folder), (entry) => entry.name).catch(() => null);
  if (there === null) {
    return gap(name, `there is no folder ${folder}`, "put a checkpoint there, or correct models.json");
  }
  const onnx = await Deno.stat(join(folder, "onnx")).then(() => true, () => false);
  const lacks = ["config.json", "tokenizer.json"].filter((file) => !there.includes(file));
  if (!onnx && !there.some((file) => file.endsWith(".safetensors"))) lacks.push("*.safetensors");
  return lacks.length === 0
    ? ok(name, "in this process, checkpoint in place (not loaded)")
    : gap(name, `${folder} lacks ${lacks.join(", ")}`, "put the whole checkpoint there");
}

const modelsSchema = z.looseObject({ data: z.array(z.looseObject({ id: z.string() })) });

/** Whether a server lists the model; no model is asked. */
async function serverCheck(variant: ApiVariant, env: Environment, timeoutMs: number): Promise<Check> {
  const { name, model, headers } = variant;
  const base = (variant.baseUrlEnv && env.get(variant.baseUrlEnv)) || variant.baseUrl || "";
  const key = variant.apiKeyEnv ? env.get(variant.apiKeyEnv) : undefined;
  const remedy = "is the server running, the address right, the key valid?";
  try {
    const response = await fetch(`${base.replace(/\/+$/, "")}/models`, {
      headers: { ...headers, ...(key ? { authorization: `Bearer ${key}` } : {}) },
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await response.text();
    if (response.status === 404) return ok(name, "answers, and lists no models");
    if (!response.ok) return gap(name, `answers ${response.status} when it is asked for its models`, remedy);
    const parsed = modelsSchema.safeParse(parseJson(text));
    if (!parsed.success) return ok(name, "answers, its list of models is of another form");
    const ids = parsed.data.data.map(({ id }) => id);
    return ids.includes(model)
      ? ok(name, `answers, lists ${model} among ${ids.length} model${ids.length === 1 ? "" : "s"}`)
      : gap(name, `answers, but does not list ${model}`, `it lists ${ids.slice(0, 8).join(", ") || "none"}`);
  } catch (error) {
    return gap(name, `does not answer: ${messageOf(error)}`, remedy);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function check(name: string, look: () => Promise<string>): Promise<Check> {
  try {
    return ok(name, await look());
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return gap(name, error.message, "restore the file, or give another with --policy or --data");
  }
}

const ok = (name: string, detail: string): Check => ({
  group: GROUP,
  name,
  status: "ok",
  detail,
  remedy: "",
});
const gap = (name: string, detail: string, remedy: string): Check => ({
  group: GROUP,
  name,
  status: "gap",
  detail,
  remedy,
});
