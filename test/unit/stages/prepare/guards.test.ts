import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { GUARDS_FOLDER, readAllGroups } from "../../../../src/dataset/groups.js";
import { guardNames, writeGuards } from "../../../../src/stages/prepare/guards.js";
import { prepareSchema } from "../../../../src/stages/prepare/schema.js";
import { context } from "../../../helpers/fake-package.js";
import { temporaryFolder } from "../../../helpers/temporary-folder.js";
import { writeTinyPairs } from "../../../helpers/tiny-data.js";

describe("names of guard sets", () => {
  test("are those of the files, without folder and ending", () => {
    expect(guardNames(["/data/Client Miller/NanoBEIR (en).jsonl", "sets/beir"])).toEqual(["nanobeir-en", "beir"]);
  });

  test("that are alike are numbered", () => {
    expect(guardNames(["a/general.jsonl", "b/general.csv", "c/general"])).toEqual([
      "general",
      "general-2",
      "general-3",
    ]);
  });
});

describe("guard sets", () => {
  const options = prepareSchema.parse({ source: "none", max_queries: { test: 5 } });

  test("become groups with ranked candidates, at most as many as test queries", async () => {
    const folder = await temporaryFolder();
    const source = join(folder, "general.jsonl");
    await writeTinyPairs(source);
    await writeGuards(context(folder), [source], options);
    const groups = await readAllGroups(join(folder, GUARDS_FOLDER, "general.jsonl"));
    expect(groups).toHaveLength(5);
    for (const { passages } of groups)
      expect(passages.map(({ rank }) => rank)).toEqual(passages.map((_, at) => at + 1));
  });

  test("are drawn by the seed: the same ones again", async () => {
    const folder = await temporaryFolder();
    const source = join(folder, "general.jsonl");
    await writeTinyPairs(source);
    const drawn = async (name: string) => {
      await mkdir(join(folder, name));
      await writeGuards(context(join(folder, name)), [source], options);
      return await readAllGroups(join(folder, name, GUARDS_FOLDER, "general.jsonl"));
    };
    expect(await drawn("once")).toEqual(await drawn("twice"));
  });

  test("that cannot be read are named with their lines", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "bad.jsonl"), '{"query": "a", "passage": "b", "label": "yes"}\n');
    await expect(writeGuards(context(folder), [join(folder, "bad.jsonl")], options)).rejects.toMatchObject({
      code: "DATA_INVALID",
      problems: [{ line: 1 }],
    });
  });

  test("leave no folder when there are none", async () => {
    const folder = await temporaryFolder();
    await writeGuards(context(folder), [], options);
    expect(await readdir(folder)).toEqual([]);
  });
});
