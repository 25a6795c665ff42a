/**
 * Turns a kernel's messages into the outputs of cells, as Jupyter's own clients do.
 * @module
 */
import { METADATA_KEY } from "./headless.ts";
import type { Output } from "./notebook.ts";
import type { Message } from "./protocol.ts";

/** What a message may mean besides an output. */
export interface OutputEvents {
  /** Text written with `console`, as it comes. */
  readonly onStream?: (name: "stdout" | "stderr", text: string) => void;
  /** The text of a live board, each time it changes. */
  readonly onBoard?: (text: string) => void;
  /** A mark of the kernel's side: `fence`, `stopping`, `stopped`. Never an output. */
  readonly onMark?: (mark: Record<string, unknown>) => void;
}

/** Collects outputs into the cell that is running. */
export interface OutputCollector {
  /** From now on outputs belong to this list. */
  begin(outputs: Output[]): void;
  /** Takes a message. @returns whether an output changed. */
  receive(message: Message): boolean;
}

/**
 * Makes a collector. Texts of one stream are joined; a display is updated by its `display_id` in whatever cell it
 * stands; `clear_output` clears, or waits for the next output to do so.
 *
 * Outputs that come late, after the kernel has called itself idle, belong to the cell that is running or ran last.
 */
export function createOutputCollector(events: OutputEvents = {}): OutputCollector {
  let current: Output[] = [];
  let clearNext = false;
  const displays = new Map<string, Output[]>();

  const add = (output: Output) => {
    if (clearNext) current.length = 0;
    clearNext = false;
    current.push(output);
  };

  const addStream = (name: "stdout" | "stderr", text: string) => {
    const last = clearNext ? undefined : current.at(-1);
    if (last?.output_type === "stream" && last.name === name) last.text = String(last.text) + text;
    else add({ output_type: "stream", name, text });
    events.onStream?.(name, text);
  };

  const updateDisplays = (id: string, data: Bundle, metadata: Bundle) => {
    for (const output of displays.get(id) ?? []) Object.assign(output, { data, metadata });
  };

  return {
    begin(outputs) {
      current = outputs;
      clearNext = false;
    },
    receive({ type, content }) {
      const data = bundle(content.data);
      const metadata = bundle(content.metadata);
      switch (type) {
        case "stream":
          addStream(content.name === "stderr" ? "stderr" : "stdout", String(content.text ?? ""));
          return true;
        case "display_data":
        case "update_display_data": {
          const mark = bundle(metadata[METADATA_KEY]);
          if (Object.keys(data).length === 0 && Object.keys(mark).length > 0) {
            events.onMark?.(mark);
            return false;
          }
          const id = bundle(content.transient).display_id;
          if (typeof id === "string") updateDisplays(id, data, metadata);
          if (type === "display_data") {
            const output: Output = { output_type: "display_data", data, metadata };
            add(output);
            if (typeof id === "string") displays.set(id, [...displays.get(id) ?? [], output]);
          }
          if (mark.board === true) events.onBoard?.(String(data["text/plain"] ?? ""));
          return true;
        }
        case "execute_result":
          add({
            output_type: "execute_result",
            execution_count: Number(content.execution_count ?? 0),
            data,
            metadata,
          });
          return true;
        case "error":
          add({
            output_type: "error",
            ename: String(content.ename ?? "Error"),
            evalue: String(content.evalue ?? ""),
            traceback: Array.isArray(content.traceback) ? content.traceback.map(String) : [],
          });
          return true;
        case "clear_output":
          if (content.wait === true) clearNext = true;
          else current.length = 0;
          return true;
        default:
          return false;
      }
    },
  };
}

type Bundle = Record<string, unknown>;

function bundle(value: unknown): Bundle {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value as Bundle : {};
}
