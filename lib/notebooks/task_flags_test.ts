import assert from "node:assert/strict";
import { resolve } from "node:path";
import {
  type Flags,
  flagsHelp,
  numberFlag,
  numbersFlag,
  pathFlag,
  readFlags,
  switchFlag,
  textFlag,
} from "./task_flags.ts";

const FLAGS: Flags = {
  test: switchFlag("small"),
  "max-usd": numberFlag("N", "most dollars"),
  lengths: numbersFlag("500,1000", "lengths"),
  haystack: pathFlag("DIR", "a folder", ["generated"]),
  pairs: textFlag("A/B[,C/D]", "word pairs", (text) => text.split(",")),
};

Deno.test("readFlags() gives what was given, in camel case, each read as its flag says", () => {
  const args = [
    "--test",
    "--max-usd",
    "1_000.5",
    "--lengths=1,2",
    "--haystack",
    "here",
    "--pairs",
    "a/b,c/d",
  ];
  assert.deepEqual(readFlags(args, FLAGS, "deno task x"), {
    test: true,
    maxUsd: 1000.5,
    lengths: [1, 2],
    haystack: resolve("here"),
    pairs: ["a/b", "c/d"],
  });
  assert.deepEqual(readFlags(["--haystack", "generated", "-h"], FLAGS, "deno task x"), {
    haystack: "generated",
    help: true,
  });
  assert.deepEqual(readFlags([], FLAGS, "deno task x"), {});
});

Deno.test("readFlags() names a flag that it cannot read, and what to do", () => {
  for (
    const [args, message] of [
      [["--max-usd", "abc"], /^--max-usd is "abc": give a number\.$/],
      [["--lengths", "1,,2"], /^--lengths is "": give a number\.$/],
      [["--bogus"], /'--bogus'.* Run deno task x --help for the flags\.$/],
      [["--test=yes"], /--test.* Run deno task x --help for the flags\.$/],
      [["stray"], /stray.* Run deno task x --help/],
    ] as const
  ) {
    assert.throws(() => readFlags(args, FLAGS, "deno task x"), { name: "InputError", message });
  }
});

Deno.test("flagsHelp() gives every flag a line", () => {
  assert.equal(
    flagsHelp({ test: switchFlag("small"), "max-usd": numberFlag("N", "most dollars") }),
    "  --test       small\n  --max-usd N  most dollars",
  );
});
