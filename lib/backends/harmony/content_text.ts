/**
 * The texts of system and developer messages.
 * @module
 */
import { toolsText } from "./tools_text.ts";
import {
  DEFAULT_IDENTITY,
  type DeveloperContent,
  HARMONY_CHANNELS,
  type SystemContent,
  type ToolNamespace,
} from "./types.ts";

/**
 * The text of a system message.
 *
 * @param hasFunctions whether a developer message of the conversation offers functions: their calls then are said to
 * belong into the commentary channel.
 */
export function systemText(content: SystemContent, hasFunctions: boolean): string {
  const {
    identity = DEFAULT_IDENTITY,
    knowledgeCutoff = "2024-06",
    currentDate = null,
    reasoningEffort = "medium",
    tools = [],
    channels = HARMONY_CHANNELS,
    channelRequired = true,
  } = content;
  const top = [
    ...(identity === null ? [] : [identity]),
    ...(knowledgeCutoff === null ? [] : [`Knowledge cutoff: ${knowledgeCutoff}`]),
    ...(currentDate === null ? [] : [`Current date: ${currentDate}`]),
  ];
  const sections = [
    ...(top.length > 0 ? [top.join("\n")] : []),
    ...(reasoningEffort === null ? [] : [`Reasoning: ${reasoningEffort}`]),
    ...(tools.length > 0 ? [toolsText(tools)] : []),
  ];
  if (channels !== null && channels.length > 0) {
    sections.push(
      `# Valid channels: ${channels.join(", ")}.` +
        (channelRequired ? " Channel must be included for every message." : "") +
        (hasFunctions ? "\nCalls to these tools must go to the commentary channel: 'functions'." : ""),
    );
  }
  return sections.join("\n\n");
}

/** The text of a developer message. */
export function developerText(content: DeveloperContent): string {
  const namespaces = namespacesOf(content);
  return [
    ...(content.instructions === undefined ? [] : ["# Instructions", content.instructions]),
    ...(namespaces.length > 0 ? [toolsText(namespaces)] : []),
  ].join("\n\n");
}

/** Whether a developer message offers functions. */
export function offersFunctions(content: DeveloperContent): boolean {
  return namespacesOf(content).some(({ name, tools = [] }) => name === "functions" && tools.length > 0);
}

function namespacesOf({ functions = [], tools = [] }: DeveloperContent): readonly ToolNamespace[] {
  return functions.length > 0 ? [{ name: "functions", tools: functions }, ...tools] : tools;
}
