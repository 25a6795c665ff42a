/**
 * The two variants that are compared.
 * @module
 */
import { modelIdentity } from "../backends/model_identity.ts";
import {
  type ApiVariant,
  deploymentOf,
  type LocalVariant,
  pickVariant,
  type Variant,
} from "../backends/variants.ts";
import { InputError } from "../base/errors.ts";
import { hashJson } from "../base/hash.ts";
import type { CompareConfig } from "./compare_config.ts";

const SERVED = "-served";

/**
 * The in-process variant that a variant such as `pocket-served` serves, or null: our own server is started for it.
 * A variant of that name in models.json is what it says there.
 */
export function servedBy(name: string, known: ReadonlyMap<string, Variant>): LocalVariant | null {
  if (known.has(name) || !name.endsWith(SERVED)) return null;
  const variant = known.get(name.slice(0, -SERVED.length));
  return variant?.backend === "local" ? variant : null;
}

/** An in-process variant behind our own server, at an address (one that nobody answers, until it is started). */
export function servedVariant(variant: LocalVariant, baseUrl = "http://127.0.0.1:9/v1"): ApiVariant {
  const { trainedWindow } = variant;
  return {
    name: variant.name + SERVED,
    description: `${variant.name} through our own server`,
    contextWindow: variant.contextWindow,
    ...(trainedWindow === undefined ? {} : { trainedWindow }),
    maxOutputTokens: variant.maxOutputTokens,
    limits: { tokensPerMinute: null, concurrency: 4 },
    backend: "api",
    model: variant.name,
    baseUrl,
    protocol: "chat",
    deployment: "local",
    headers: {},
    extraBody: {},
    revision: hashJson(modelIdentity(variant)),
  };
}

/**
 * The two variants of a comparison: those named by `variants`, else the model's by `backends` (`api,local` when left out).
 *
 * `local` is the model in this process, else on a server of your own; `api` a hosted one, else any server, else our
 * own server started for the run; `served` is that server. Looked for are the model's own entry of models.json and those whose
 * names begin with it (`gpt-oss-20b-api`). Anything else is the name of a variant.
 *
 * @throws {InputError} when there are not two different variants.
 */
export function chooseBackends(
  config: Pick<CompareConfig, "backends" | "variants">,
  model: string,
  known: ReadonlyMap<string, Variant>,
): [Variant, Variant] {
  const names = config.variants === null && config.backends === null && model.includes(",")
    ? model
    : config.variants;
  const words = partsOf(names ?? config.backends ?? "api,local");
  if (words.length !== 2) {
    const flag = names === null ? "--backends" : "--variants";
    throw new InputError(
      `${flag} names ${words.length} (${words.join(", ") || "none"}): give two, such as ${
        names === null ? "api,local" : "pocket,pocket-served"
      }.`,
    );
  }
  const found: Variant[] = [];
  // A word that stands for one variant alone goes first, so that the other takes what is left.
  const order = names !== null ? words : words.toSorted((a, b) => rankOf(a) - rankOf(b));
  for (const word of order) {
    found.push(names === null ? byWord(word, model, known, found) : named(word, known));
  }
  const chosen = words.map((word) => found[order.indexOf(word)] as Variant) as [Variant, Variant];
  if (words[0] === words[1] || chosen[0].name === chosen[1].name) {
    throw new InputError(
      `Both backends are ${
        chosen[0].name
      }: give two different ones. (Each is compared with itself anyway, by --passes.)`,
    );
  }
  return chosen;
}

const rankOf = (word: string) => ["local", "api"].indexOf(word);

function byWord(
  word: string,
  model: string,
  known: ReadonlyMap<string, Variant>,
  taken: readonly Variant[],
): Variant {
  if (word !== "local" && word !== "api" && word !== "served") return named(word, known);
  const own = [...known.values()].filter(({ name }) => name === model || name.startsWith(`${model}-`));
  if (own.length === 0) pickVariant(known, model); // says what there is
  const free = own.filter(({ name }) => !taken.some((variant) => variant.name === name))
    .sort((a, b) => Number(b.name === model) - Number(a.name === model));
  const inProcess = own.find((variant) => variant.backend === "local");
  const servers = free.filter((variant) => variant.backend === "api");
  const served = inProcess?.backend === "local" ? servedVariant(inProcess) : undefined;
  const mine = servers.find((variant) => deploymentOf(variant) === "local");
  const found = word === "local"
    ? inProcess ?? mine
    : word === "served"
    ? served
    : servers.find((variant) => deploymentOf(variant) === "cloud") ?? mine ?? served;
  if (found !== undefined) return found;
  const looked = {
    local: "in-process variant or server of your own",
    api: "variant behind a server",
    served: "in-process variant",
  }[word];
  throw new InputError(
    `There is no ${looked} of ${model}${
      taken.length > 0 ? ` beside ${taken[0]?.name}` : ""
    } in models.json: add one ` +
      `named ${model}-${word}, or name two variants with --variants A,B.`,
  );
}

function named(name: string, known: ReadonlyMap<string, Variant>): Variant {
  const served = servedBy(name, known);
  return served === null ? pickVariant(known, name) : servedVariant(served);
}

const partsOf = (text: string) => text.split(",").map((part) => part.trim()).filter((part) => part !== "");
