import { mkdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DigestMemory } from "../../../src/artifacts/digests.js";
import { canonicalJson, hashText, listFiles } from "../../../src/artifacts/hash.js";
import { temporaryFolder } from "../../helpers/temporary-folder.js";

describe("canonical JSON", () => {
  test("does not depend on the order of keys", () => {
    expect(canonicalJson({ b: [1, { d: 2, c: 3 }], a: "x" })).toBe(canonicalJson({ a: "x", b: [1, { c: 3, d: 2 }] }));
  });
  test("leaves out what is undefined and keeps null", () => {
    expect(canonicalJson({ a: undefined, b: null })).toBe('{"b":null}');
  });
  test("hashes as sha256", () => {
    expect(hashText("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  });
});

describe("the digest of a folder", () => {
  async function folderWith(files: Record<string, string>): Promise<string> {
    const folder = await temporaryFolder();
    for (const [name, text] of Object.entries(files)) {
      await mkdir(join(folder, name, ".."), { recursive: true });
      await writeFile(join(folder, name), text);
      await utimes(join(folder, name), 1000, 1000);
    }
    return folder;
  }
  const memory = async () => new DigestMemory(join(await temporaryFolder(), "digests.json"));

  test("counts names and contents of all files, also nested ones", async () => {
    const digest = async (files: Record<string, string>) => await (await memory()).digest(await folderWith(files));
    const first = await digest({ "a.txt": "1", "b/c.txt": "2" });
    expect(await digest({ "b/c.txt": "2", "a.txt": "1" })).toBe(first);
    expect(await digest({ "a.txt": "1", "b/c.txt": "3" })).not.toBe(first);
    expect(await digest({ "a.txt": "1", "b/d.txt": "2" })).not.toBe(first);
  });

  test("of nothing is undefined", async () => {
    expect(await (await memory()).digest("/nonexistent/file")).toBeUndefined();
  });

  test("notices a change of content with the same size", async () => {
    const folder = await folderWith({ "a.txt": "one" });
    const digests = await memory();
    const before = await digests.digest(folder);
    await writeFile(join(folder, "a.txt"), "two");
    expect(await digests.digest(folder)).not.toBe(before);
  });

  test("is remembered across processes by size and time", async () => {
    const folder = await folderWith({ "a.txt": "one" });
    const file = join(await temporaryFolder(), "digests.json");
    const first = new DigestMemory(file);
    const digest = await first.digest(folder);
    await first.save();
    await writeFile(join(folder, "a.txt"), "two");
    await utimes(join(folder, "a.txt"), 1000, 1000); // the one lie that a memory by size and time believes
    expect(await new DigestMemory(file).digest(folder)).toBe(digest);
  });

  test("lists files with forward slashes in one order", async () => {
    expect(await listFiles(await folderWith({ "b.txt": "", "a/z.txt": "" }))).toEqual(["a/z.txt", "b.txt"]);
  });
});
