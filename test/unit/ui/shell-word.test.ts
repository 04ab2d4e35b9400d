import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { shellWord } from "../../../src/ui/shell-word.js";

describe("a word for the shell", () => {
  test("is left as it is where nothing needs quotes", () => {
    expect(["recipes/a.yaml", "train.epochs=2", "a@b:1"].map(shellWord)).toEqual([
      "recipes/a.yaml",
      "train.epochs=2",
      "a@b:1",
    ]);
  });

  test.each(["base_model={path: base}", "it's", "a b", "$HOME", "*", "", "a;b"])(
    "%j comes back as one argument",
    (word) => {
      const printed = execFileSync("sh", ["-c", `printf '%s|' ${shellWord(word)}`], { encoding: "utf8" });
      expect(printed).toBe(`${word}|`);
    },
  );
});
