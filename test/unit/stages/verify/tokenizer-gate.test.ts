import { describe, expect, test } from "vitest";
import { isExotic, tokenizerGate } from "../../../../src/stages/verify/tokenizer-gate.js";

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
