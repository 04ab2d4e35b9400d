import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findOnnxRuntime, onnxRuntimeVersion } from "../../../src/environment/onnxruntime.js";
import { checkGraph, leavesFolder, NEWEST } from "../../../src/model-folder/graph-check.js";
import { encodeOnnx, type Graph, soundGraph } from "../../helpers/onnx-writer.js";
import { temporaryFolder } from "../../helpers/temporary-folder.js";

async function graphFile(change: (graph: Graph) => void = () => undefined): Promise<string> {
  const graph = soundGraph();
  change(graph);
  const file = join(await temporaryFolder(), "model.onnx");
  await writeFile(file, encodeOnnx(graph));
  return file;
}

const outside = (location: string) => (graph: Graph) => {
  for (const tensor of graph.initializers) tensor.location = location;
};

describe("a graph", () => {
  test("that is whole may be opened", async () => {
    await expect(checkGraph(await graphFile())).resolves.toBeUndefined();
  });

  test.each([
    ["a newer format", (graph: Graph) => void Object.assign(graph, { ir: 14 }), "IR version 14", "ir_version"],
    ["newer operators", (graph: Graph) => void Object.assign(graph.opsets, { "": 27 }), "opset 27", "opset 17 to 20"],
    ["weights above its folder", outside("../../etc/weights"), "../../etc/weights", "beside it"],
    ["weights at an absolute place", outside("/etc/weights"), "/etc/weights", "beside it"],
  ])("of %s is refused by file, with the fix", async (_title, change, message, hint) => {
    const file = await graphFile(change);
    await expect(checkGraph(file)).rejects.toMatchObject({
      code: "MODEL_UNSUPPORTED",
      message: expect.stringMatching(
        new RegExp(`^${file.replaceAll(/[.\\]/g, "\\$&")} .*${message.replaceAll(".", "\\.")}`),
      ),
      hint: expect.stringContaining(hint),
    });
  });

  test("without the file of its weights is not found", async () => {
    const file = await graphFile(outside("model.onnx_data"));
    await expect(checkGraph(file)).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
      message: expect.stringContaining("model.onnx_data is missing"),
    });
    await writeFile(`${file}_data`, "");
    await expect(checkGraph(file)).resolves.toBeUndefined();
  });

  test("that is cut off or no ONNX at all is refused", async () => {
    const file = await graphFile();
    await writeFile(file, readFileSync(file).subarray(0, 60));
    await expect(checkGraph(file)).rejects.toMatchObject({
      code: "MODEL_UNSUPPORTED",
      hint: expect.stringContaining("again"),
    });
    await writeFile(file, "");
    await expect(checkGraph(file)).rejects.toMatchObject({ code: "MODEL_UNSUPPORTED" });
  });

  test("the limits are those of the pinned ONNX Runtime", async () => {
    expect(onnxRuntimeVersion()).toBe("1.30.0");
    const entry = findOnnxRuntime() ?? "";
    const { InferenceSession } = createRequire(entry)(entry) as typeof import("onnxruntime-node");
    const opens = async (change: (graph: Graph) => void) => {
      const session = await InferenceSession.create(await graphFile(change)).catch(() => undefined);
      await session?.release();
      return session !== undefined;
    };
    const ir = (version: number) => (graph: Graph) => void Object.assign(graph, { ir: version });
    const opset = (version: number) => (graph: Graph) => void Object.assign(graph.opsets, { "": version });
    expect([await opens(ir(NEWEST.ir)), await opens(ir(NEWEST.ir + 1))]).toEqual([true, false]);
    expect([await opens(opset(NEWEST.opset)), await opens(opset(NEWEST.opset + 1))]).toEqual([true, false]);
  });
});

test.each([
  ["weights", false],
  ["part/weights", false],
  ["..weights", false],
  ["a/../weights", true],
  ["..\\weights", true],
  ["\\\\server\\weights", true],
  ["C:weights", true],
])("%s leaves the folder: %s", (location, leaves) => {
  expect(leavesFolder(location)).toBe(leaves);
});
