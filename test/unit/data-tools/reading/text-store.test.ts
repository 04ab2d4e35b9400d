import { readdir } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { TextStore } from "../../../../src/data-tools/reading/text-store.js";
import { temporaryFolder } from "../../../helpers/temporary-folder.js";

const texts = Array.from({ length: 300 }, (_, number) =>
  number % 7 === 0 ? "" : `ü${"€".repeat(number * 3)}${number}`,
);

describe("a text store", () => {
  test.each([100, 5000, 1 << 20])(
    "gives back every text, in any order, when %i bytes may wait in memory",
    async (limit) => {
      const store = new TextStore(await temporaryFolder(), limit);
      expect(texts.map((text) => store.add(text))).toEqual(texts.map((_, number) => number));
      for (const number of [299, 0, 150, ...texts.keys()]) expect(store.get(number)).toBe(texts[number]);
      store.close();
    },
  );

  test("can be read between additions", async () => {
    const store = new TextStore(await temporaryFolder(), 50);
    for (const [number, text] of texts.entries()) {
      store.add(text);
      expect(store.get(number >> 1)).toBe(texts[number >> 1]);
    }
    store.close();
  });

  test("writes a file only when it must, and takes it away", async () => {
    const folder = await temporaryFolder();
    const store = new TextStore(folder, 10);
    store.add("12345");
    expect(await readdir(folder)).toEqual([]);
    store.add("1234567890");
    store.add("1");
    expect(await readdir(folder)).toHaveLength(1);
    store.close();
    expect(await readdir(folder)).toEqual([]);
  });
});
