import assert from "node:assert/strict";
import { createScrubber, environmentSecrets, REDACTED, scrubJson } from "./scrub.ts";

const planted = "planted-7f3Qz81LmN";

/** Where home folders lie on Linux. */
const HOMES = ["", "home"].join("/");

Deno.test("createScrubber() takes out planted secrets, plain and encoded, and what looks like one", () => {
  const scrub = createScrubber({ secrets: [planted], home: `${HOMES}/ada` });
  const text = `a ${planted} b ${
    btoa(planted)
  } c sk-abcdefghijkl1234 d https://ada:pw1234@host/ e Authorization: Bearer abc.def.ghi`;
  const clean = scrub(text);
  for (const secret of [planted, btoa(planted), "sk-abcdefghijkl", "pw1234", "abc.def.ghi"]) {
    assert.ok(!clean.includes(secret), secret);
  }
  assert.match(clean, /^a \[redacted\] b /);
});

Deno.test("createScrubber() writes names for folders, the longest first, and ~ for anybody's home", () => {
  const scrub = createScrubber({
    home: `${HOMES}/ada`,
    folders: { [`${HOMES}/ada/work`]: ".", [`${HOMES}/ada/work/out`]: "results" },
  });
  const cases: [string, string][] = [
    [`${HOMES}/ada/work/out/a.csv`, "results/a.csv"],
    [`file://${HOMES}/ada/work/lib/x.ts:3:1`, "./lib/x.ts:3:1"],
    [`${HOMES}/ada/workshop/x`, "~/workshop/x"],
    [`${HOMES}/ada`, "~"],
    [`see ${HOMES}/bob/x and /Users/eve/y`, "see ~/x and ~/y"],
    [["", "root", ".cache"].join("/"), "~/.cache"],
    ["C:\\Users\\Ada\\x", "~\\x"],
    ['{"p":"C:\\\\Users\\\\Ada\\\\x"}', '{"p":"~\\\\x"}'],
    ["/homestead/x /rooted a/root/b", "/homestead/x /rooted a/root/b"],
  ];
  for (const [given, wanted] of cases) assert.equal(scrub(given), wanted);
});

Deno.test("scrubJson() reaches every text and key, and leaves pictures whole", () => {
  const scrub = createScrubber({ secrets: [planted], home: `${HOMES}/ada` });
  const value = {
    a: [`x ${planted}`, { [`${HOMES}/ada/k`]: 1, "image/png": planted, "image/svg+xml": planted }],
  };
  assert.deepEqual(scrubJson(value, scrub), {
    a: [`x ${REDACTED}`, { "~/k": 1, "image/png": planted, "image/svg+xml": REDACTED }],
  });
});

Deno.test("environmentSecrets() takes variables that are named like secrets", () => {
  const env = {
    MY_API_KEY: planted,
    HF_TOKEN: "short",
    PATH: "/usr/bin:/bin",
    DB_PASSWORD: "hunter2hunter2",
  };
  assert.deepEqual(environmentSecrets(env), [planted, "hunter2hunter2"]);
});
