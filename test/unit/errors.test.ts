import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ERROR_CODES, fromFileSystemError, type RerankTuneError } from "../../src/errors.js";

/** docs/reference/errors.md as text. */
function reference(): string {
  const rows = Object.entries(ERROR_CODES).map(
    ([code, { exit, meaning }]) => `| <a id="${code.toLowerCase()}"></a>\`${code}\` | ${exit} | ${meaning} |`,
  );
  return [
    "# Errors",
    "",
    "Generated from `src/errors.ts` by `npm run generate`. Every error also carries a hint that can be typed.",
    "",
    "| code | exit code | meaning |",
    "| --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}

describe("the error table", () => {
  test("is what docs/reference/errors.md says", async () => {
    await expect(reference()).toMatchFileSnapshot(join(import.meta.dirname, "../../docs/reference/errors.md"));
  });

  test("uses no exit code but the documented ones", () => {
    expect([...new Set(Object.values(ERROR_CODES).map(({ exit }) => exit))].sort((a, b) => a - b)).toEqual([
      1, 2, 3, 4, 5, 6, 130, 143,
    ]);
  });
});

describe("a file-system error", () => {
  test.each([
    ["ENOSPC", "DISK_FULL"],
    ["EDQUOT", "DISK_FULL"],
    ["EACCES", "NOT_WRITABLE"],
    ["EROFS", "NOT_WRITABLE"],
  ])("%s becomes %s with the path and a hint", (code, expected) => {
    const error = fromFileSystemError(Object.assign(new Error("x"), { code }), "/data");
    expect(error).toMatchObject({ code: expected, message: expect.stringContaining("/data") });
  });

  test("that a user cannot act on stays what it is", () => {
    expect(fromFileSystemError(new Error("x"), "/data")).toBeUndefined();
  });

  test("keeps its cause", () => {
    const cause = Object.assign(new Error("x"), { code: "ENOSPC" });
    expect((fromFileSystemError(cause, "/data") as RerankTuneError).cause).toBe(cause);
  });
});
