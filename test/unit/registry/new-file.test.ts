import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createFile } from "../../../src/registry/new-file.js";
import { temporaryFolder } from "../../helpers/temporary-folder.js";

/** No process of Linux has this number. */
const DEAD = `999999999@${hostname()}.01234567-89ab-cdef-0123-456789abcdef`;
const ALIVE = `${process.pid}@${hostname()}.01234567-89ab-cdef-0123-456789abcdef`;

describe("a file that must not replace another", () => {
  test("is there with its text and mode, and nothing beside it", async () => {
    const folder = await temporaryFolder();
    await createFile(join(folder, "key.pem"), "secret", 0o600);
    await createFile(join(folder, "key.pem.pub"), "public", 0o664);
    expect((await stat(join(folder, "key.pem"))).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, "key.pem.pub"))).mode & 0o777).toBe(0o664);
    expect(await readFile(join(folder, "key.pem"), "utf8")).toBe("secret");
    expect((await readdir(folder)).sort()).toEqual(["key.pem", "key.pem.pub"]);
  });

  test("leaves what has its name as it is", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "model.sig"), "of another");
    await expect(createFile(join(folder, "model.sig"), "mine")).rejects.toMatchObject({ code: "EEXIST" });
    expect(await readFile(join(folder, "model.sig"), "utf8")).toBe("of another");
    expect(await readdir(folder)).toEqual(["model.sig"]);
  });

  test("takes away what a killed writer of the same name left, and nothing else", async () => {
    const folder = await temporaryFolder();
    for (const name of [`model.sig.partial-${DEAD}`, `model.sig.partial-${ALIVE}`, `other.partial-${DEAD}`])
      await writeFile(join(folder, name), "hal");
    await createFile(join(folder, "model.sig"), "whole");
    expect((await readdir(folder)).sort()).toEqual([
      "model.sig",
      `model.sig.partial-${ALIVE}`,
      `other.partial-${DEAD}`,
    ]);
  });
});
