import assert from "node:assert/strict";
import { join } from "node:path";
import { InputError } from "../base/errors.ts";
import { findKernel, installKernel, jupyterFolder, removeKernel } from "./kernelspec.ts";

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "probebook-kernelspec-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("installKernel() writes a kernel that interrupts by message; findKernel() and removeKernel() know it", () =>
  inFolder(async (folder) => {
    assert.equal(await findKernel(folder), null);
    const { folder: where, deno } = await installKernel({ folder });
    assert.equal(deno, Deno.execPath());
    const spec = JSON.parse(await Deno.readTextFile(join(where, "kernel.json")));
    assert.deepEqual(spec.argv, [Deno.execPath(), "jupyter", "--kernel", "--conn", "{connection_file}"]);
    assert.equal(spec.interrupt_mode, "message");
    assert.deepEqual(await findKernel(folder), { folder: where, deno });
    assert.equal(await removeKernel(folder), where);
    assert.equal(await removeKernel(folder), null);
  }));

Deno.test("installKernel() keeps a copy of a Deno that npx runs", () =>
  inFolder(async (folder) => {
    const passing = join(folder, "_npx", "abc", "deno");
    await Deno.mkdir(join(folder, "_npx", "abc"), { recursive: true });
    await Deno.writeTextFile(passing, "binary");
    for (let i = 0; i < 2; i++) {
      const { folder: where, deno } = await installKernel({ folder, deno: passing });
      assert.equal(deno.startsWith(where), true);
      assert.equal(await Deno.readTextFile(deno), "binary");
    }
  }));

Deno.test("installKernel() says where it cannot write; findKernel() what it cannot read", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "kernels"), "a file");
    await assert.rejects(installKernel({ folder }), InputError);
    const other = join(folder, "other");
    await Deno.mkdir(join(other, "kernels", "deno"), { recursive: true });
    await Deno.writeTextFile(join(other, "kernels", "deno", "kernel.json"), "{");
    await assert.rejects(findKernel(other), InputError);
  }));

Deno.test({
  name: "jupyterFolder() is where Jupyter looks",
  ignore: Deno.build.os !== "linux",
  fn() {
    const env = (values: Record<string, string>) => (name: string) => values[name];
    assert.equal(jupyterFolder("/p"), "/p/share/jupyter");
    assert.equal(jupyterFolder(undefined, env({ JUPYTER_DATA_DIR: "/j", HOME: "/h" })), "/j");
    assert.equal(jupyterFolder(undefined, env({ HOME: "/h" })), "/h/.local/share/jupyter");
    assert.equal(jupyterFolder(undefined, env({ HOME: "/h", XDG_DATA_HOME: "/x" })), "/x/jupyter");
  },
});
