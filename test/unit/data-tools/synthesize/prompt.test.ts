import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { languageName, loadPrompt } from "../../../../src/data-tools/synthesize/prompt.js";
import { folderPerTest } from "../../../helpers/folder-per-test.js";

const folder = folderPerTest();

async function template(text: string): Promise<string> {
  const file = join(folder(), "prompt.txt");
  await writeFile(file, text);
  return file;
}

describe("the prompt", () => {
  test("built in says how many, in which language, and about what", async () => {
    const text = (await loadPrompt(undefined, 3, "de")).about("Die Kaution wird verzinst.");
    expect(text).toContain("Write 3 different");
    expect(text).toContain("Write in German");
    expect(text.endsWith("Die Kaution wird verzinst.")).toBe(true);
    expect((await loadPrompt(undefined, 3, "auto")).about("x")).toContain("in the language of the passage");
  });

  test("leaves braces and dollar signs of a passage as they are", async () => {
    const prompt = await loadPrompt(await template("{passage}|{count}"), 2, "auto");
    expect(prompt.about("costs $& and {count} {language}")).toBe("costs $& and {count} {language}|2");
  });

  test("has a digest that is that of the template alone", async () => {
    const [one, two] = [await loadPrompt(undefined, 1, "de"), await loadPrompt(undefined, 2, "fr")];
    expect(one.digest).toBe(two.digest);
    expect((await loadPrompt(await template("{passage}"), 1, "de")).digest).not.toBe(one.digest);
  });

  test("shortens a long passage at a space and never inside a character", async () => {
    const prompt = await loadPrompt(await template("{passage}"), 1, "auto");
    expect(prompt.about("word ".repeat(2000))).toBe(`${"word ".repeat(1199)}word`);
    expect(prompt.about(`a${"😀".repeat(4000)}`)).toBe(`a${"😀".repeat(2999)}`);
  });

  test("of one's own must have a place for the passage, and be there", async () => {
    await expect(loadPrompt(await template("Write a query."), 1, "auto")).rejects.toMatchObject({
      code: "USAGE",
      hint: expect.stringContaining("{passage}"),
    });
    await expect(loadPrompt(join(folder(), "none.txt"), 1, "auto")).rejects.toMatchObject({ code: "DATA_NOT_FOUND" });
  });
});

describe("the language", () => {
  test("is named in English", () => {
    expect([languageName("de"), languageName("fr-CH"), languageName("it")]).toEqual([
      "German",
      "Swiss French",
      "Italian",
    ]);
  });

  test.each(["german", "xq", "", "12"])("%s is no code", (code) => {
    expect(() => languageName(code)).toThrow(/no language code/);
  });
});
