/**
 * The tools section of system and developer messages.
 * @module
 */
import { schemaText } from "./schema_text.ts";
import type { FunctionTool, ToolNamespace } from "./types.ts";

/** `# Tools` and every namespace, in the order of their names. */
export function toolsText(namespaces: readonly ToolNamespace[]): string {
  const sorted = namespaces.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return ["# Tools", ...sorted.map(namespaceText)].join("\n\n");
}

function namespaceText({ name, description = "", tools = [] }: ToolNamespace): string {
  const lines = [`## ${name}\n`];
  for (const line of linesOf(description)) lines.push(tools.length > 0 ? `// ${line}` : line);
  if (tools.length > 0) {
    lines.push(`namespace ${name} {\n`, ...tools.flatMap(functionLines), `} // namespace ${name}`);
  }
  return lines.join("\n");
}

function functionLines({ name, description = "", parameters }: FunctionTool): string[] {
  const argument = parameters === undefined ? "" : `_: ${schemaText(parameters)}`;
  return [...linesOf(description).map((line) => `// ${line}`), `type ${name} = (${argument}) => any;\n`];
}

/** The lines of a text; a line break at its end begins no further line. */
function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}
