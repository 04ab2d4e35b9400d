import { describe, expect, test } from "vitest";
import { loadTokenizer } from "../../../../src/inference/tokenizer.js";
import { compareTokenIds, isExotic, tokenizerGate } from "../../../../src/stages/verify/tokenizer-gate.js";
import { writeModelFolder } from "../../../helpers/scorer-package.js";
import { temporaryFolder } from "../../../helpers/temporary-folder.js";

describe("exotic text", () => {
  test.each(["plain", "Größe", "漢字 かな", "한국어", "emoji 😀", "tab\tand\nline"])("is not %j", (text) => {
    expect(isExotic(text)).toBe(false);
  });

  test.each([
    ["a decomposed letter", "e\u0301"],
    ["a compatibility character with a mark", "ﬁ\u0301"],
    ["NUL", "a\u0000"],
    ["a zero-width joiner", "a\u200db"],
    ["full width", "ｆ"],
  ])("is %s", (_, text) => {
    expect(isExotic(text)).toBe(true);
  });
});

describe("the tokenizer gate", () => {
  const report = { pairs: 9, mismatches: 0, ordinary: [], exotic: [] };
  test("passes without differences", () => {
    expect(tokenizerGate(report).outcome).toBe("passed");
  });
  test("fails for one difference on ordinary text and names it", () => {
    expect(tokenizerGate({ ...report, mismatches: 1, ordinary: ["a phrase"] })).toMatchObject({
      outcome: "failed",
      missed_by: 1,
      detail: expect.stringContaining("a phrase"),
    });
  });
  test("is inconclusive for differences on exotic text alone and names them", () => {
    expect(tokenizerGate({ ...report, mismatches: 1, exotic: ["marks"] })).toMatchObject({
      outcome: "inconclusive",
      measured: 1,
      detail: expect.stringContaining("marks (exotic Unicode)"),
    });
  });
});

describe("golden pairs with other ids", () => {
  const pair = (name: string, query: string) => ({ name, query, passage: "water", input_ids: [1], logit: 0 });
  const compare = async (exactNormalizer: boolean) => {
    const folder = await temporaryFolder();
    await writeModelFolder(folder, {});
    const tokenizer = Object.assign(await loadTokenizer(folder), { exactNormalizer });
    const pairs = [pair("plain", "fever"), pair("mark", "e\u0301"), pair("byte order mark", "a\ufeffb")];
    return compareTokenIds(tokenizer, { schema: 1, max_length: 64, pairs });
  };

  test("are exotic for U+FEFF alone where the normalizer is exact", async () => {
    expect(await compare(true)).toEqual({
      pairs: 3,
      mismatches: 3,
      ordinary: ["plain", "mark"],
      exotic: ["byte order mark"],
    });
  });

  test("are exotic for all exotic text where the normalizer is approximated", async () => {
    expect(await compare(false)).toMatchObject({ ordinary: ["plain"], exotic: ["mark", "byte order mark"] });
  });
});
