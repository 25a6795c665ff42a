import assert from "node:assert/strict";
import type { Output } from "./notebook.ts";
import { createOutputCollector } from "./outputs.ts";

const message = (type: string, content: Record<string, unknown>) => ({
  type,
  id: "i",
  parentId: null,
  content,
});
const text = (output: Output | undefined) =>
  output?.output_type === "stream" ? output.text : (output?.data as Record<string, unknown>)["text/plain"];
const display = (plain: string, id?: string, type = "display_data") =>
  message(type, {
    data: { "text/plain": plain },
    metadata: {},
    transient: id === undefined ? {} : { display_id: id },
  });

Deno.test("createOutputCollector() joins texts of one stream and keeps the order of others", () => {
  const outputs: Output[] = [];
  const collector = createOutputCollector();
  collector.begin(outputs);
  for (const [name, part] of [["stdout", "a"], ["stdout", "b"], ["stderr", "c"], ["stdout", "d"]]) {
    collector.receive(message("stream", { name, text: part }));
  }
  assert.deepEqual(outputs.map(text), ["ab", "c", "d"]);
});

Deno.test("createOutputCollector() updates a display in whatever cell it stands", () => {
  const first: Output[] = [];
  const second: Output[] = [];
  const collector = createOutputCollector();
  collector.begin(first);
  collector.receive(display("1", "d"));
  collector.receive(display("other"));
  collector.begin(second);
  collector.receive(display("2", "d", "update_display_data"));
  assert.deepEqual([first.map(text), second.map(text)], [["2", "other"], []]);
  collector.receive(display("3", "d"));
  collector.receive(display("4", "d", "update_display_data"));
  assert.deepEqual([first.map(text), second.map(text)], [["4", "other"], ["4"]]);
  assert.ok(!("transient" in (first[0] as Output)));
});

Deno.test("createOutputCollector() clears at once, or with the next output", () => {
  const outputs: Output[] = [];
  const collector = createOutputCollector();
  collector.begin(outputs);
  collector.receive(display("a"));
  collector.receive(message("clear_output", { wait: true }));
  assert.deepEqual(outputs.map(text), ["a"]);
  collector.receive(message("stream", { name: "stdout", text: "b" }));
  assert.deepEqual(outputs.map(text), ["b"]);
  collector.receive(message("clear_output", { wait: false }));
  assert.deepEqual(outputs, []);
});

Deno.test("createOutputCollector() passes boards and marks on, and keeps marks out of the notebook", () => {
  const outputs: Output[] = [];
  const seen: unknown[] = [];
  const collector = createOutputCollector({ onBoard: (b) => seen.push(b), onMark: (m) => seen.push(m) });
  collector.begin(outputs);
  const board = {
    data: { "text/plain": "50%" },
    metadata: { probebook: { board: true } },
    transient: { display_id: "b" },
  };
  collector.receive(message("display_data", board));
  collector.receive(message("update_display_data", { ...board, data: { "text/plain": "60%" } }));
  collector.receive(
    message("display_data", { data: {}, metadata: { probebook: { fence: "t" } }, transient: {} }),
  );
  assert.deepEqual(seen, ["50%", "60%", { fence: "t" }]);
  assert.deepEqual(outputs.map(text), ["60%"]);
});
