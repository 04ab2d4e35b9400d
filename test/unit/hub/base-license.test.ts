import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { baseLicense } from "../../../src/hub/base-license.js";
import { temporaryFolder } from "../../helpers/temporary-folder.js";

test.each([
  ["---\nlicense: mit\ntags: [a]\n---\n# x", { license: "mit" }],
  [
    "---\r\nlicense: other\r\nlicense_name: gemma\r\nlicense_link: LICENSE\r\n---\r\n",
    { license: "other", license_name: "gemma", license_link: "LICENSE" },
  ],
  ["---\ntags: [a]\n---\n", undefined],
  ["---\nlicense: [\n---\n", undefined],
  ["# no front matter\nlicense: mit\n", undefined],
])("the licence of the card %j", async (card, license) => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "README.md"), card);
  expect(await baseLicense(folder)).toEqual(license);
});

test("a folder without a card names none", async () => {
  expect(await baseLicense(await temporaryFolder())).toBeUndefined();
});
