/**
 * Sites: where activations are read, as component, layer and position.
 * @module
 */
import { InputError } from "../base/errors.ts";
import { parsePosition, type Position, positionText } from "./position.ts";

/** What can be read: the output of a block, of its attention, of its MLP, and the keys and values it caches. */
export const COMPONENTS = ["residual", "attn_out", "mlp_out", "k", "v"] as const;
/** What is read of a block. */
export type Component = typeof COMPONENTS[number];

/** Where activations are read. */
export interface Site {
  /** What of the block. */
  readonly component: Component;
  /** 0-based block. */
  readonly layer: number;
  /** Which tokens; their activations are averaged. */
  readonly position: Position;
}

/** A site as it is written: `residual.12 response[:5]`; its first word is what the engine captures it as. */
export function siteText({ component, layer, position }: Site): string {
  return `${component}.${layer} ${positionText(position)}`;
}

/** Reads what {@linkcode siteText} writes. @throws {InputError} when it is none. */
export function parseSite(text: string): Site {
  const found = /^(\w+)\.(\d{1,4}) (.+)$/.exec(text.trim());
  const component = COMPONENTS.find((name) => name === found?.[1]);
  if (found === null || component === undefined) {
    throw new InputError(
      `The site ${JSON.stringify(text)} is not component.layer position: write one such as residual.12 ` +
        `response[:5]; the components are ${COMPONENTS.join(", ")}.`,
    );
  }
  return { component, layer: Number(found[2]), position: parsePosition(found[3] as string) };
}
