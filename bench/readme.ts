/**
 * Sections of bench/README.md.
 * @module
 */

/**
 * A Markdown text in which the section of this heading (`## Runs`) has this body; added at the end when there is none.
 * A section ends at the next heading of its level or a higher one.
 */
export function withSection(markdown: string, heading: string, body: string): string {
  const level = /^#+/.exec(heading)?.[0].length ?? 1;
  const lines = markdown.trimEnd().split("\n");
  const from = lines.indexOf(heading);
  const section = [heading, "", ...body.trim().split("\n")];
  if (from < 0) return [...lines, "", ...section, ""].join("\n");
  const isEnd = (line: string, i: number) => i > from && (/^(#+) /.exec(line)?.[1]?.length ?? 99) <= level;
  const to = lines.findIndex(isEnd);
  const rest = to < 0 ? [] : ["", ...lines.slice(to)];
  return [...lines.slice(0, from), ...section, ...rest, ""].join("\n");
}
