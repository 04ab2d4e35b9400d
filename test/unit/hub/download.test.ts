import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bytesLeft } from "../../../src/hub/download.js";
import { temporaryFolder } from "../../helpers/temporary-folder.js";

test("what an earlier try brought needs no room again", async () => {
  const target = join(await temporaryFolder(), "model.onnx");
  expect(await bytesLeft(target, 10)).toBe(10);
  await writeFile(`${target}.part`, "four");
  expect(await bytesLeft(target, 10)).toBe(6);
  expect(await bytesLeft(target, 3)).toBe(0);
  await writeFile(target, "ten bytes.");
  expect(await bytesLeft(target, 10)).toBe(0);
});
