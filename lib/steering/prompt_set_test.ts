import assert from "node:assert/strict";
import { join } from "node:path";
import { inFolder } from "../base/testing/in_folder.ts";
import { loadPromptSet } from "./prompt_set.ts";

Deno.test("loadPromptSet() reads every form of a set", () =>
  inFolder(async (folder) => {
    const forms: Record<string, string> = {
      "a.txt": "First?\n\n  Second? \r\n",
      "b.jsonl": '"First?"\n{"question":"Second?"}\n',
      "c.json": '["First?",{"text":"Second?"}]',
      "d.json": '{"prompts":[{"prompt":"First?"},"Second?"]}',
      "e.json": '{"questions":["First?","Second?"],"eval_prompt":"x"}',
    };
    for (const [name, content] of Object.entries(forms)) {
      await Deno.writeTextFile(join(folder, name), content);
      const expected = [{ id: "1", text: "First?" }, { id: "2", text: "Second?" }];
      assert.deepEqual((await loadPromptSet(join(folder, name))).prompts, expected, name);
      const set = await loadPromptSet(name.split(".")[0] as string, folder);
      assert.deepEqual(set, { name: name.split(".")[0], prompts: expected });
    }
  }));

Deno.test("loadPromptSet() keeps ids and says what is wrong with a set", () =>
  inFolder(async (folder) => {
    const path = join(folder, "x.json");
    const load = async (content: string) => {
      await Deno.writeTextFile(path, content);
      return await loadPromptSet(path);
    };
    assert.deepEqual((await load('[{"id":7,"prompt":"A"},"B"]')).prompts.map(({ id }) => id), ["7", "2"]);
    for (
      const [content, problem] of [
        ["[]", /is empty/],
        ["{", /not JSON/],
        ["[5]", /no list of prompts/],
        ['[{"id":"../x","prompt":"A"}]', /no list of prompts/],
        ['[{"id":"2","prompt":"A"},"B"]', /two prompts with the id 2/],
      ] as const
    ) await assert.rejects(load(content), { name: "InputError", message: problem });
    await assert.rejects(loadPromptSet("nowhere", folder), { name: "InputError", message: /There are: x\./ });
    await assert.rejects(loadPromptSet("../x", folder), {
      name: "InputError",
      message: /cannot name a folder/,
    });
  }));
