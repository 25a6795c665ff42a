/**
 * Names in other spellings.
 * @module
 */

/** `max-usd` as `maxUsd`. */
export function camelCase(name: string): string {
  return name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
