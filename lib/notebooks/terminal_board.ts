/**
 * A board and a stream of lines on one terminal.
 * @module
 */
import { stripVTControlCharacters } from "node:util";

/** Options of {@linkcode createTerminalBoard}. */
export interface TerminalOptions {
  /** Writes to stderr when left out. */
  readonly write?: (text: string) => void;
  /** Whether the board may be redrawn in place; asks stderr when left out. */
  readonly isTerminal?: boolean;
  /** The terminal's size, asked at each drawing. */
  readonly size?: () => { readonly columns: number; readonly rows: number };
  /** Where it cannot be redrawn in place: least time between two boards, in milliseconds; 5,000 when left out. */
  readonly everyMs?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** A board at the foot of a terminal. */
export interface TerminalBoard {
  /** Draws the board anew. */
  update(text: string): void;
  /** Prints above the board. */
  print(text: string): void;
  /** Leaves the last board where it stands. */
  close(): void;
}

/**
 * On a terminal the board is redrawn in place below everything printed; elsewhere (a file, a CI log) it is printed
 * whole every few seconds when it has changed, and at the end.
 * Control characters are taken out: a model's output must not steer the terminal.
 */
export function createTerminalBoard(options: TerminalOptions = {}): TerminalBoard {
  const encoder = new TextEncoder();
  const write = options.write ?? ((text) => void writeAll(encoder.encode(text)));
  const isTerminal = options.isTerminal ?? Deno.stderr.isTerminal();
  const size = options.size ?? consoleSize;
  const everyMs = options.everyMs ?? 5000;
  const now = options.now ?? Date.now;
  let board = "";
  let drawnLines = 0;
  let printed = "";
  let printedAt = -Infinity;
  let midLine = false;

  const erase = () => {
    if (drawnLines > 0) write(`\x1b[${drawnLines}A\x1b[J`);
    drawnLines = 0;
  };
  const draw = () => {
    if (board === "" || midLine) return;
    const { columns, rows } = size();
    const lines = board.split("\n").slice(0, Math.max(1, rows - 1)).map((line) =>
      line.slice(0, Math.max(1, columns - 1))
    );
    write(lines.join("\n") + "\n");
    drawnLines = lines.length;
  };
  const printBoard = () => {
    if (board === printed) return;
    write(board + "\n");
    printed = board;
    printedAt = now();
  };

  return {
    update(text) {
      board = clean(text).trimEnd();
      if (isTerminal) {
        erase();
        draw();
      } else if (now() - printedAt >= everyMs) printBoard();
    },
    print(text) {
      const shown = clean(text);
      if (shown === "") return;
      if (isTerminal) erase();
      write(shown);
      midLine = !shown.endsWith("\n");
      if (isTerminal) draw();
    },
    close() {
      if (midLine) write("\n");
      midLine = false;
      if (!isTerminal) printBoard();
      else if (drawnLines === 0) draw();
      board = "";
      drawnLines = 0;
    },
  };
}

function clean(text: string): string {
  return stripVTControlCharacters(text).replace(/\r\n?/g, "\n").replace(/[^\P{Cc}\n\t]/gu, "");
}

function writeAll(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += Deno.stderr.writeSync(bytes.subarray(at));
}

function consoleSize(): { columns: number; rows: number } {
  try {
    return Deno.consoleSize();
  } catch {
    return { columns: 80, rows: 24 };
  }
}
