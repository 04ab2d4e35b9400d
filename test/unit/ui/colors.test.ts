import { describe, expect, test } from "vitest";
import { painter, usesColor, usesUnicode } from "../../../src/ui/colors.js";

const terminal = { isTTY: true };
const pipe = {};

describe("colour", () => {
  test.each([
    ["on a terminal", terminal, {}, true, true],
    ["not on a pipe", pipe, {}, true, false],
    ["not with a NO_COLOR of any text", terminal, { NO_COLOR: "0" }, true, false],
    ["on with an empty NO_COLOR", terminal, { NO_COLOR: "" }, true, true],
    ["not on a dumb terminal", terminal, { TERM: "dumb" }, true, false],
    ["not with --no-color", terminal, { FORCE_COLOR: "1" }, false, false],
    ["on a pipe with FORCE_COLOR", pipe, { FORCE_COLOR: "1" }, true, true],
    ["not with FORCE_COLOR=0", terminal, { FORCE_COLOR: "0" }, true, false],
    ["not with NO_COLOR beside FORCE_COLOR", terminal, { NO_COLOR: "1", FORCE_COLOR: "1" }, true, false],
  ])("is %s", (_, stream, variables, allowed, expected) => {
    expect(usesColor(stream, variables, allowed)).toBe(expected);
  });

  test("off leaves the text as it is", () => {
    expect(painter(false)("red", "text")).toBe("text");
  });
});

describe("signs beyond ASCII", () => {
  test.each([
    [{ LANG: "de_DE.UTF-8" }, true],
    [{ LANG: "C" }, false],
    [{}, false],
    [{ LC_ALL: "C", LANG: "en_US.UTF-8" }, false],
  ])("with %o: %s", (variables, expected) => {
    expect(usesUnicode(variables, "linux")).toBe(expected);
  });
});
