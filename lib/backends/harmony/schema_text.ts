/**
 * JSON schemas as the TypeScript-like text gpt-oss was trained on, as openai/harmony writes them.
 * @module
 */
import type { JsonSchema } from "./types.ts";

/** A schema as a type. @param indent put before every line after the first. */
export function schemaText(schema: JsonSchema, indent = ""): string {
  if (Array.isArray(schema.oneOf)) return unionText(schema.oneOf, indent);
  if (Array.isArray(schema.type)) {
    const types = schema.type.filter((type) => typeof type === "string");
    if (types.length > 0) return types.map((type) => type === "integer" ? "number" : type).join(" | ");
  }
  switch (schema.type) {
    case "object":
      return objectText(schema, indent);
    case "string":
      return enumTexts(schema).join(" | ") || "string";
    case "number":
    case "integer":
      return "number";
    case "boolean":
      return "boolean";
    case "array":
      return isSchema(schema.items) ? `${schemaText(schema.items, indent)}[]` : "Array<any>";
    default:
      return "any";
  }
}

function enumTexts(schema: JsonSchema): string[] {
  if (!Array.isArray(schema.enum)) return [];
  return schema.enum.filter((value) => typeof value === "string").map((value) => `"${value}"`);
}

function unionText(schemas: readonly JsonSchema[], indent: string): string {
  return schemas.map((schema) => {
    const notes = [...words(schema.description), ...defaultNote(schema, "json")];
    return `\n${indent} | ${nullableText(schema, `${indent}   `)}${trailing(notes)}`;
  }).join("");
}

function objectText(schema: JsonSchema, indent: string): string {
  const about = words(schema.description).map((text) => `${indent}// ${text}\n`);
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  const fields = Object.entries(isRecord(schema.properties) ? schema.properties : {}).map(([key, value]) => {
    const field = isSchema(value) ? value : {};
    return fieldText(`${key}${required.has(key) ? "" : "?"}`, field, indent);
  });
  return `${about.join("")}{\n${fields.join("")}${indent}}`;
}

function fieldText(name: string, schema: JsonSchema, indent: string): string {
  const union = Array.isArray(schema.oneOf) ? schema.oneOf : null;
  const above: string[] = words(schema.title).flatMap((title) => [` ${title}`, ""]);
  if (schema.oneOf === undefined) above.push(...words(schema.description).map((text) => ` ${text}`));
  if (Array.isArray(schema.examples) && schema.examples.length > 0) {
    above.push(" Examples:");
    for (const example of schema.examples) if (typeof example === "string") above.push(` - "${example}"`);
  }
  if (union) return unionField(name, schema, union, above, indent);
  const note = schema.oneOf === undefined ? defaultNote(schema, "bare") : [];
  return `${comments(above, indent)}${indent}${name}: ${nullableText(schema, `${indent}    `)},` +
    `${trailing(note)}\n`;
}

/** A field whose value fits one of several schemas: each on a line of its own. */
function unionField(
  name: string,
  schema: JsonSchema,
  union: readonly JsonSchema[],
  above: readonly string[],
  indent: string,
): string {
  const [about] = words(schema.description);
  // What the field and its first schema both say is said nowhere: the reference renderer leaves it out in both places.
  const aboutIsAbove = about !== undefined && about !== words(union[0]?.description)[0];
  const lines = [...above, ...(aboutIsAbove ? [` ${about}`] : [])];
  lines.push(...defaultNote(schema, "bare").map((note) => ` ${note}`));
  const variants = union.map((variant, i) => {
    const own = i === 0 && aboutIsAbove ? [] : words(variant.description).filter((text) => text !== about);
    const notes = [...own, ...defaultNote(variant, "bare")];
    return `${indent} | ${nullableText(variant, `${indent}   `)}${trailing(notes)}\n`;
  });
  return `${comments(lines, indent)}${indent}${name}:\n${variants.join("")}${indent},\n`;
}

function nullableText(schema: JsonSchema, indent: string): string {
  const text = schemaText(schema, indent);
  return schema.nullable === true && !text.includes("null") ? `${text} | null` : text;
}

/** Texts are quoted unless they are one of an enum's, which stand `bare` in fields and as `json` in unions. */
function defaultNote(schema: JsonSchema, ofEnum: "bare" | "json"): string[] {
  if (!Object.hasOwn(schema, "default") || schema.default === undefined) return [];
  const value = schema.default;
  if (typeof value !== "string") return [`default: ${JSON.stringify(value)}`];
  const isEnum = Array.isArray(schema.enum) && schema.enum.length > 0;
  if (!isEnum) return [`default: "${value}"`];
  return [`default: ${ofEnum === "bare" ? value : JSON.stringify(value)}`];
}

function comments(lines: readonly string[], indent: string): string {
  return lines.map((line) => `${indent}//${line}\n`).join("");
}

function trailing(notes: readonly string[]): string {
  return notes.length > 0 ? ` // ${notes.join(" ")}` : "";
}

function words(text: unknown): string[] {
  return typeof text === "string" ? [text] : [];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isSchema(value: unknown): value is JsonSchema {
  return isRecord(value);
}
