import { describe, expect, test } from "vitest";
import { RerankTuneError } from "../../../src/errors.js";
import { painter } from "../../../src/ui/colors.js";
import { asRerankTuneError, renderError } from "../../../src/ui/render-error.js";

const plain = painter(false);

describe("an error as text", () => {
  test("has its code, its findings with their places aligned, and the hint last", () => {
    const error = new RerankTuneError({
      code: "RECIPE_INVALID",
      message: "2 problems in legal.yaml.",
      hint: "run `rerank-tune validate legal.yaml`",
      problems: [
        { file: "legal.yaml", line: 12, column: 9, path: "train.epochs", message: '"many" is not a number' },
        {
          file: "legal.yaml",
          line: 9,
          column: 3,
          path: "train.lr",
          message: "is not a field",
          hint: "did you mean `learning_rate`?",
        },
      ],
    });
    expect(renderError(error, plain)).toMatchInlineSnapshot(`
      "error[RECIPE_INVALID]: 2 problems in legal.yaml.
        legal.yaml:12:9  train.epochs  "many" is not a number
        legal.yaml:9:3   train.lr      is not a field (did you mean \`learning_rate\`?)

      hint: run \`rerank-tune validate legal.yaml\`"
    `);
  });

  test("without findings is one sentence and the hint", () => {
    const error = new RerankTuneError({ code: "DISK_FULL", message: "No space is left.", hint: "free space" });
    expect(renderError(error, plain)).toMatchInlineSnapshot(`
      "error[DISK_FULL]: No space is left.

      hint: free space"
    `);
  });

  test("counts the findings it does not show", () => {
    const problems = Array.from({ length: 25 }, (_, line) => ({
      file: "a.jsonl",
      line: line + 1,
      message: "is empty",
    }));
    const error = new RerankTuneError({ code: "DATA_INVALID", message: "25 problems.", hint: "x", problems });
    expect(renderError(error, plain)).toContain("  and 5 more; --json lists them all\n");
  });

  test("says the same without colour as with it", () => {
    const error = new RerankTuneError({ code: "USAGE", message: "No.", hint: "yes" });
    const escapes = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, "g");
    expect(renderError(error, painter(true))).not.toBe(renderError(error, plain));
    expect(renderError(error, painter(true)).replace(escapes, "")).toBe(renderError(error, plain));
  });

  test("breaks sentence and hint at words on a terminal", () => {
    const error = new RerankTuneError({
      code: "USAGE",
      message: "one two three four five six seven",
      hint: "eight nine ten",
    });
    expect(renderError(error, plain, { columns: 42 }).split("\n")).toEqual([
      "error[USAGE]: one two three four five six",
      "seven",
      "",
      "hint: eight nine ten",
    ]);
  });

  test("shows stacks, the cause's too, only for --debug", () => {
    const error = new RerankTuneError({ code: "INTERNAL", message: "No.", hint: "x", cause: new Error("deep") });
    expect(renderError(error, plain)).not.toContain("render-error.test.ts");
    expect(renderError(error, plain, { debug: true })).toMatch(/render-error\.test\.ts[\s\S]*caused by:\nError: deep/);
  });
});

describe("an error that is not ours", () => {
  test("becomes INTERNAL with its first line and the way to more", () => {
    const error = asRerankTuneError(new TypeError("x is undefined\nsecond line"));
    expect(error).toMatchObject({
      code: "INTERNAL",
      exitCode: 1,
      message: "Unexpected failure: x is undefined",
      hint: expect.stringContaining("--debug"),
    });
  });
});
