import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { displayPath, programName, registryFolder } from "../../../src/commands/context.js";
import { folderPerTest } from "../../helpers/folder-per-test.js";

const folder = folderPerTest();

async function installed(at: string): Promise<string> {
  const bin = join(folder(), at);
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, "rerank-tune"), "");
  await chmod(join(bin, "rerank-tune"), 0o755);
  return bin;
}

describe("the name a person can type", () => {
  test("is rerank-tune when that is on the PATH", async () => {
    expect(await programName({ PATH: await installed("bin") })).toBe("rerank-tune");
  });

  test("is npx rerank-tune when it is only in node_modules, which npm adds to its own PATH", async () => {
    expect(await programName({ PATH: await installed("node_modules/.bin") })).toBe("npx rerank-tune");
  });
});

describe("a path for the person", () => {
  test("is relative when it lies near", () => {
    expect(displayPath(join(process.cwd(), "artifacts", "x"))).toBe(join("artifacts", "x"));
  });

  test("is absolute when it lies far", () => {
    expect(displayPath("/x")).toBe("/x");
  });
});

describe("the registry", () => {
  test("is in the artifacts unless told", () => {
    expect(registryFolder({ artifacts: "runs" })).toBe(resolve("runs", "registry"));
    expect(registryFolder({ artifacts: "runs", registry: "/models" })).toBe("/models");
  });
});
