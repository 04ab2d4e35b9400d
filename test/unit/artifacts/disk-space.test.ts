// Space on a disk is asked for before anything is made.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { freeBytes, nearestExisting, requireSpace } from "../../../src/artifacts/disk-space.js";

const folder = mkdtempSync(join(tmpdir(), "disk-space-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the disk of a folder that is not there is that of the nearest one above", async () => {
  expect(await nearestExisting(join(folder, "a", "b"))).toBe(folder);
  expect(await nearestExisting(folder)).toBe(folder);
  expect(await freeBytes(folder)).toBeGreaterThan(0);
});

test("what fits is let through, also into a folder to come; what does not is refused with the folder's name", async () => {
  await requireSpace(join(folder, "new"), 1);
  await expect(requireSpace(join(folder, "new"), Number.MAX_SAFE_INTEGER)).rejects.toMatchObject({
    code: "DISK_FULL",
    message: expect.stringContaining(join(folder, "new")),
  });
});
