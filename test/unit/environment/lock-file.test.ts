import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { lockDigest, lockedRequirements } from "../../../src/environment/lock-file.js";
import { TORCH_VERSION } from "../../../src/environment/torch-source.js";
import { folderPerTest } from "../../helpers/folder-per-test.js";

const folder = folderPerTest();

async function lock(text: string): Promise<string> {
  const path = join(folder(), `${Math.random()}.lock`);
  await writeFile(path, text);
  return path;
}

describe("the Python lock", () => {
  test("pins every package exactly", () => {
    expect(lockedRequirements().filter((line) => !/^[a-z0-9-]+==[0-9][0-9.]*(; .+)?$/.test(line))).toEqual([]);
  });

  test("leaves torch's local suffix free, at the version that the CPU build is looked for in", () => {
    expect(lockedRequirements()).toContain(`torch==${TORCH_VERSION}`);
  });

  test("has the same digest with other comments and line ends", async () => {
    expect(lockDigest(await lock("# a\r\nx==1\r\n\r\ny==2\r\n"))).toBe(lockDigest(await lock("x==1\n# b\ny==2\n")));
  });

  test("has another digest with another version", async () => {
    expect(lockDigest(await lock("x==1\n"))).not.toBe(lockDigest(await lock("x==2\n")));
  });
});
