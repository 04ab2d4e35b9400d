import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { hashText } from "../../../src/artifacts/hash.js";
import { checkedContent, checkedParts, checkedPieces, gitBlob } from "../../../src/hub/frozen-bytes.js";
import { temporaryFolder } from "../../helpers/temporary-folder.js";

async function frozen(content: string, listed = content) {
  const blob = join(await temporaryFolder(), "blob");
  await writeFile(blob, content);
  return { path: "a.bin", bytes: Buffer.byteLength(listed), sha256: hashText(listed), blob };
}

async function all(pieces: AsyncIterable<Buffer>): Promise<string[]> {
  const found: string[] = [];
  for await (const piece of pieces) found.push(piece.toString());
  return found;
}

test("git's name of an empty file and of `hello` with a line end", () => {
  expect(gitBlob(Buffer.alloc(0))).toBe("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
  expect(gitBlob(Buffer.from("hello\n"))).toBe("ce013625030ba8dba906f756967f9e9ca394464a");
});

test.each([
  ["abcdefg", 3, ["abc", "def", "g"]],
  ["abcdef", 3, ["abc", "def"]],
  ["ab", 3, ["ab"]],
])("%s in parts of %i bytes", async (content, bytes, parts) => {
  expect(await all(checkedParts(await frozen(content), bytes))).toEqual(parts);
});

test("a file over several pieces arrives whole and in order", async () => {
  const content = "0123456789".repeat(60_000);
  const pieces = await all(checkedPieces(await frozen(content)));
  expect(pieces.length).toBe(3);
  expect(pieces.join("")).toBe(content);
});

test("of a file that is not the frozen one, the last piece never comes", async () => {
  const content = "x".repeat(600_000);
  const seen: number[] = [];
  const reading = async () => {
    for await (const piece of checkedPieces(await frozen(content, content.replace("x", "y")))) seen.push(piece.length);
  };
  await expect(reading()).rejects.toMatchObject({ code: "REGISTRY_CORRUPT" });
  expect(seen.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(600_000);
  await expect(checkedContent(await frozen("ab", "abc"))).rejects.toMatchObject({ code: "REGISTRY_CORRUPT" });
});
