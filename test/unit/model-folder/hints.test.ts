// What a small JSON file of a model folder tells, if anything.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readHints } from "../../../src/model-folder/hints.js";
import { folderPerTest } from "../../helpers/folder-per-test.js";

const folder = folderPerTest();

test("an object is given as it stands", async () => {
  await writeFile(join(folder(), "config.json"), '{"max_length": 96}');
  expect(await readHints(join(folder(), "config.json"))).toEqual({ max_length: 96 });
});

test.each(["", "{", "null", "[1]", '"text"', '{"value": NaN}'])("%j tells nothing", async (text) => {
  await writeFile(join(folder(), "config.json"), text);
  expect(await readHints(join(folder(), "config.json"))).toEqual({});
});

test("an absent file tells nothing", async () => {
  expect(await readHints(join(folder(), "none.json"))).toEqual({});
});
