import assert from "node:assert/strict";
import { createTerminalBoard } from "./terminal_board.ts";

/** What a terminal shows after these writes: enough of it to follow cursor-up and erase-below. */
function screen(written: string): string {
  const lines = [""];
  // deno-lint-ignore no-control-regex
  for (const part of written.split(/(\n|\x1b\[\d+A|\x1b\[J)/)) {
    // deno-lint-ignore no-control-regex
    const up = /^\x1b\[(\d+)A$/.exec(part);
    if (part === "\n") lines.push("");
    else if (up) lines.splice(lines.length - 1 - Number(up[1]), Infinity, "");
    else if (part !== "\x1b[J") lines[lines.length - 1] += part;
  }
  return lines.join("\n");
}

Deno.test("createTerminalBoard() redraws in place below what is printed", () => {
  let written = "";
  const board = createTerminalBoard({
    write: (text) => written += text,
    isTerminal: true,
    size: () => ({ columns: 20, rows: 10 }),
  });
  board.update("one\ntwo");
  board.print("line\n");
  board.update("1/2 " + "x".repeat(50));
  board.print("half");
  board.print(" line\n");
  board.update("2/2");
  board.close();
  assert.equal(screen(written), "line\nhalf line\n2/2\n");
});

Deno.test("createTerminalBoard() prints a changed board every few seconds where it cannot redraw", () => {
  let written = "";
  let now = 0;
  const board = createTerminalBoard({ write: (text) => written += text, isTerminal: false, now: () => now });
  board.update("a");
  now = 4000;
  board.update("b");
  now = 5000;
  board.update("c");
  board.update("d");
  board.close();
  assert.equal(written, "a\nc\nd\n");
});

Deno.test("createTerminalBoard() lets no control sequence through", () => {
  let written = "";
  const board = createTerminalBoard({ write: (text) => written += text, isTerminal: false });
  board.print("\x1b]0;title\x07\x1b[2J\x1b[31mred\x9b2J\x07\b\r\nok\ttab\n");
  assert.doesNotMatch(written, /[^\P{Cc}\n\t]/u);
  assert.match(written, /red.*\nok\ttab\n$/);
});
