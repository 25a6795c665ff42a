/**
 * Conversations in OpenAI's Harmony format, which gpt-oss reads and writes.
 * @module
 */

/** Who speaks in a Harmony message. */
export type HarmonyRole = "system" | "developer" | "user" | "assistant" | "tool";

/** Every {@linkcode HarmonyRole}. */
export const HARMONY_ROLES: readonly HarmonyRole[] = ["system", "developer", "user", "assistant", "tool"];

/** The channels gpt-oss was trained with: reasoning, tool calls and preambles, the answer. */
export const HARMONY_CHANNELS = ["analysis", "commentary", "final"] as const;

/** How much the model is asked to reason. */
export type ReasoningEffort = "low" | "medium" | "high";

/** A JSON schema, as far as it is rendered; other keywords are let through and not shown. */
export interface JsonSchema {
  /** `object`, `array`, `string`, `number`, `integer`, `boolean`, or several of them. */
  readonly type?: string | readonly string[];
  /** What it is for. */
  readonly description?: string;
  /** Its name for people. */
  readonly title?: string;
  /** Texts it may hold; those of other types are not shown. */
  readonly examples?: readonly unknown[];
  /** The values it may have. */
  readonly enum?: readonly unknown[];
  /** The value it has when it is left out. */
  readonly default?: unknown;
  /** Whether it may also be null. */
  readonly nullable?: boolean;
  /** The fields of an object, shown in this order. */
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  /** The fields that must be given. */
  readonly required?: readonly string[];
  /** What an array holds. */
  readonly items?: JsonSchema;
  /** The schemas of which one must fit. */
  readonly oneOf?: readonly JsonSchema[];
  /** Whatever else the schema says. */
  readonly [keyword: string]: unknown;
}

/** A function the model may call. */
export interface FunctionTool {
  /** Its name without the namespace. */
  readonly name: string;
  /** What it does. */
  readonly description?: string;
  /** The schema of its one argument; a function without one takes nothing. */
  readonly parameters?: JsonSchema;
}

/** Functions under one name, or a tool without functions (`python`) that is described in prose. */
export interface ToolNamespace {
  /** `functions`, `browser`, `python`. */
  readonly name: string;
  /** What it is for. */
  readonly description?: string;
  /** What can be called; none when left out. */
  readonly tools?: readonly FunctionTool[];
}

/** What a system message says. A field that is left out has its default; `null` leaves its line out. */
export interface SystemContent {
  /** The first line; {@linkcode DEFAULT_IDENTITY} unless given. */
  readonly identity?: string | null | undefined;
  /** `2024-06` unless given. */
  readonly knowledgeCutoff?: string | null | undefined;
  /** The date of the conversation, `2025-06-28`; no line unless given. */
  readonly currentDate?: string | null | undefined;
  /** `medium` unless given. */
  readonly reasoningEffort?: ReasoningEffort | null | undefined;
  /** Built-in tools, shown in the order of their names. */
  readonly tools?: readonly ToolNamespace[];
  /** The channels a message may be in; {@linkcode HARMONY_CHANNELS} unless given. */
  readonly channels?: readonly string[] | null;
  /** Whether every message needs a channel; true unless given. */
  readonly channelRequired?: boolean;
}

/** What a developer message says: what other formats call the system prompt, and the functions. */
export interface DeveloperContent {
  /** The instructions. */
  readonly instructions?: string;
  /** Functions in the namespace `functions`. */
  readonly functions?: readonly FunctionTool[];
  /** Further namespaces, shown with `functions` in the order of their names. */
  readonly tools?: readonly ToolNamespace[];
}

/** One message. */
export interface HarmonyMessage {
  /** Who speaks. */
  readonly role: HarmonyRole;
  /** A tool's whole name (`functions.get_weather`), which is needed; of others, a name beside the role. */
  readonly name?: string;
  /** Whom it is for: a tool (`functions.get_weather`), or `assistant` in a tool's answer. */
  readonly recipient?: string;
  /** `analysis`, `commentary` or `final`. */
  readonly channel?: string;
  /** `json`, `code`; or `<|constrain|>json`, which begins with the special token. */
  readonly contentType?: string;
  /** The text; or, in system and developer messages, what it is made from. */
  readonly content: string | SystemContent | DeveloperContent;
}

/** The identity line gpt-oss was trained with. */
export const DEFAULT_IDENTITY = "You are ChatGPT, a large language model trained by OpenAI.";
