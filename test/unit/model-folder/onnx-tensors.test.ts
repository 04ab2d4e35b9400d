import { describe, expect, test } from "vitest";
import { readOnnxTensors } from "../../../src/model-folder/onnx-tensors.js";
import { encodeOnnx, FLOAT, FLOAT16, soundGraph } from "../../helpers/onnx-writer.js";

const tensorsOf = (bytes: Buffer) =>
  readOnnxTensors(bytes.length, async (offset, length) => bytes.subarray(offset, offset + length));

describe("the weights of a graph", () => {
  test("have type, shape and the place of their bytes", async () => {
    const content = Buffer.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    const graph = soundGraph();
    graph.initializers = [{ name: "weight", type: FLOAT16, dims: [2, 3], bytes: content }];
    const bytes = encodeOnnx(graph);
    const found = await tensorsOf(bytes);
    expect([...found.keys()]).toEqual(["weight"]);
    const { type, shape, place } = found.get("weight") ?? {};
    expect([type, shape, place?.file]).toEqual([FLOAT16, [2, 3], null]);
    expect(bytes.subarray(place?.offset, (place?.offset ?? 0) + (place?.length ?? 0))).toEqual(content);
  });

  test("may lie beside the graph", async () => {
    const graph = soundGraph();
    graph.initializers = [{ name: "weight", type: FLOAT, dims: [1], location: "model.onnx_data" }];
    expect((await tensorsOf(encodeOnnx(graph))).get("weight")?.place).toEqual({
      file: "model.onnx_data",
      offset: 0,
      length: 4,
    });
  });

  test("read shapes that are packed, as proto3 writes them", async () => {
    // ModelProto.graph (7) { initializer (5) { dims (1), packed: 300, 2; data_type (2): 1; name (8): "w" } }
    const tensor = [0x0a, 3, 0xac, 0x02, 2, 0x10, 1, 0x42, 1, 0x77];
    const graph = [0x2a, tensor.length, ...tensor];
    const found = await tensorsOf(Buffer.from([0x3a, graph.length, ...graph]));
    expect(found.get("w")).toEqual({ type: 1, shape: [300, 2], place: null });
  });

  test("cut off are an error, not fewer weights", async () => {
    const bytes = encodeOnnx(soundGraph());
    await expect(tensorsOf(bytes.subarray(0, bytes.length - 20))).rejects.toThrow(/cut off|ends at/);
  });
});
