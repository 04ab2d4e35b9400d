import { appendFile, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openPackage } from "../../../../src/stages/verify/package-check.js";
import { writePackage } from "../../../helpers/scorer-package.js";
import { temporaryFolder } from "../../../helpers/temporary-folder.js";

async function packaged(): Promise<string> {
  const folder = await temporaryFolder();
  await writePackage(folder, { fp32: "sum", int8: "sum", fp16: "sum" });
  return folder;
}

describe("a package", () => {
  test("as it was written opens with all variants, fp32 first", async () => {
    const { variants } = await openPackage(await packaged());
    expect(variants.map(({ name }) => name)).toEqual(["fp32", "int8", "fp16"]);
  });

  test("without one derived variant opens with the others", async () => {
    const folder = await packaged();
    await rm(join(folder, "onnx/model_quantized.onnx"));
    expect((await openPackage(folder)).variants.map(({ name }) => name)).toEqual(["fp32", "fp16"]);
  });

  test("without the fp32 graph is refused", async () => {
    const folder = await packaged();
    await rm(join(folder, "onnx/model.onnx"));
    await expect(openPackage(folder)).rejects.toMatchObject({
      code: "PACKAGE_INVALID",
      problems: [{ path: "onnx/model.onnx", message: "is missing" }],
    });
  });

  test("with one changed byte is refused and the file named", async () => {
    const folder = await packaged();
    const bytes = await readFile(join(folder, "onnx/model.onnx"));
    bytes[1000] = (bytes[1000] as number) ^ 1;
    await writeFile(join(folder, "onnx/model.onnx"), bytes);
    await expect(openPackage(folder)).rejects.toMatchObject({
      code: "PACKAGE_INVALID",
      problems: [{ path: "onnx/model.onnx", message: expect.stringContaining("sha256") }],
    });
  });

  test("names every changed, missing and unlisted file at once", async () => {
    const folder = await packaged();
    await appendFile(join(folder, "tokenizer.json"), " ");
    await rm(join(folder, "config.json"));
    await writeFile(join(folder, "extra.txt"), "x");
    await expect(openPackage(folder)).rejects.toSatisfy(
      (error: { problems: { path: string }[] }) =>
        error.problems
          .map(({ path }) => path)
          .sort()
          .join() === "config.json,extra.txt,tokenizer.json",
    );
  });

  test("without a manifest is refused", async () => {
    await expect(openPackage(await temporaryFolder())).rejects.toMatchObject({
      code: "PACKAGE_INVALID",
      message: expect.stringContaining("rerank-tune.json is missing"),
    });
  });

  test("with a manifest of another form is refused", async () => {
    const folder = await packaged();
    await writeFile(join(folder, "rerank-tune.json"), `{"schema": 2}`);
    await expect(openPackage(folder)).rejects.toMatchObject({
      code: "PACKAGE_INVALID",
      message: expect.stringContaining("rerank-tune.json cannot be read"),
    });
  });
});
