/**
 * The variants of a splice run: in-process ones draw the samples of a prompt together.
 * @module
 */
import { pickVariant, type Variant } from "../backends/variants.ts";

/** Most samples that are drawn together unless a user asks for more. */
const MOST = 32;

/**
 * The variants that a list names. In-process variants without a limit of their own get as many requests at once as
 * two prompts have samples: those of a prompt share one prefill, and all are decoded as one batch, which stays full while
 * samples end. What a sample says depends on its seed alone.
 *
 * @param names one or several, separated by commas
 * @throws {InputError} when there is no variant of a name.
 */
export function batched(names: string, known: ReadonlyMap<string, Variant>, samples: number): Variant[] {
  const each = [...new Set(names.split(",").map((name) => name.trim()))].filter((name) => name !== "");
  return each.map((name) => {
    const variant = pickVariant(known, name);
    if (variant.backend !== "local") return variant;
    return { ...variant, limits: { concurrency: Math.min(2 * samples, MOST), ...variant.limits } };
  });
}
