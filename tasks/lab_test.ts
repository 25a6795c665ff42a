import assert from "node:assert/strict";
import { findJupyter } from "../lib/notebooks/find_jupyter.ts";
import { root, startTask } from "./testing.ts";

Deno.test("deno task lab says how to get Jupyter where there is none, and names the notebooks there are", async () => {
  const { code, stderr } = await startTask("lab", [], { PATH: root }).ended;
  assert.equal(code, 2);
  for (const way of ["jupyterlab", "apt-get install jupyter-notebook", "deno task niah"]) {
    assert.ok(stderr.includes(way), stderr);
  }
  const unknown = await startTask("lab", ["nowhere"]).ended;
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /no notebook notebooks\/nowhere\.ipynb: there are .*niah/);
});

Deno.test({
  name: "deno task lab starts Jupyter with what stands behind --",
  ignore: findJupyter() === null,
  async fn() {
    const { code, stdout } = await startTask("lab", ["niah", "--", "--version"]).ended;
    assert.equal(code, 0);
    assert.match(stdout, /^\d+\.\d+/);
  },
});
