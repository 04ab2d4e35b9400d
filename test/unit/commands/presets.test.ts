import { describe, expect, test } from "vitest";
import { listPresets } from "../../../src/commands/presets.js";
import { PRESETS } from "../../../src/recipe/presets.js";
import type { Paint } from "../../../src/ui/colors.js";

const plain: Paint = (_style, text) => text;

describe("the list of presets", () => {
  test("shows of each its base, licence, hardware and when to take it", async () => {
    const text = (await listPresets()).text(plain);
    for (const { name, base, license, hardware, when } of PRESETS)
      expect(text).toContain(
        `${name}\n  base       ${base}\n  licence    ${license}\n  trains on  ${hardware}\n  ${when}\n`,
      );
  });

  test("keeps within 80 columns", async () => {
    const lines = (await listPresets()).text(plain, 80).split("\n");
    expect(lines.filter((line) => line.length > 79)).toEqual([]);
  });

  test("ends with a command that takes one", async () => {
    expect((await listPresets()).text(plain)).toMatch(
      /rerank-tune init my\.yaml --data pairs\.jsonl --preset bge-m3-full$/,
    );
  });

  test("is names alone when quiet, and every setting with its reason in JSON", async () => {
    const { data, essential } = await listPresets();
    expect(essential?.split("\n")).toEqual(PRESETS.map(({ name }) => name));
    expect(data).toEqual({ presets: PRESETS });
  });
});
