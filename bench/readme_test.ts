import assert from "node:assert/strict";
import { withSection } from "./readme.ts";

Deno.test("withSection() replaces a section and leaves the others", () => {
  const text = "# Benchmarks\n\nIntro.\n\n## A\n\nold\n\n### A detail\n\nold too\n\n## B\n\nkept\n";
  assert.equal(
    withSection(text, "## A", "new\n"),
    "# Benchmarks\n\nIntro.\n\n## A\n\nnew\n\n## B\n\nkept\n",
  );
  assert.equal(withSection(text, "## B", "new"), text.replace("kept", "new"));
});

Deno.test("withSection() adds a section that is not there at the end", () => {
  assert.equal(withSection("# Benchmarks\n", "## A", "new"), "# Benchmarks\n\n## A\n\nnew\n");
});
