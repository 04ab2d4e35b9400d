import { open } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { readSafetensorsHeader } from "../../../src/lint/safetensors-header.js";
import { readOnnxHeader } from "../../../src/model-folder/onnx-header.js";
import { encodeOnnx, FLOAT, INT64, soundGraph, varint } from "../../helpers/onnx-writer.js";

const FIXTURES = resolve(import.meta.dirname, "../../fixtures/scorer-models");
const piecesOf = (bytes: Buffer) => async (offset: number, length: number) => bytes.subarray(offset, offset + length);
const headerOf = (bytes: Buffer) => readOnnxHeader(bytes.length, piecesOf(bytes));

describe("the header of an ONNX file", () => {
  test("has versions, inputs, outputs and operators", async () => {
    const tokens = ["batch_size", "sequence_length"];
    expect(await headerOf(encodeOnnx(soundGraph()))).toEqual({
      ir: 8,
      producer: "test",
      opsets: { "": 17 },
      inputs: [
        { name: "input_ids", type: INT64, dims: tokens },
        { name: "attention_mask", type: INT64, dims: tokens },
      ],
      outputs: [{ name: "logits", type: FLOAT, dims: ["batch_size", 1] }],
      operators: { Mul: 2, Cast: 1, ReduceSum: 1 },
      externalFiles: [],
      weightTypes: { [FLOAT]: 1, [INT64]: 1 },
    });
  });

  test("of a file that Python's onnx wrote is read as well", async () => {
    const file = await open(join(FIXTURES, "segments.onnx"));
    const { size } = await file.stat();
    const header = await readOnnxHeader(size, async (offset, length) => {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, offset);
      return buffer.subarray(0, bytesRead);
    });
    await file.close();
    expect(header.ir).toBeGreaterThanOrEqual(8);
    expect(header.inputs.map(({ name, type }) => [name, type])).toContainEqual(["token_type_ids", INT64]);
    expect(header.outputs.map(({ name }) => name)).toEqual(["logits"]);
  });

  test("names the files that hold weights, each once", async () => {
    const graph = soundGraph();
    for (const tensor of graph.initializers) tensor.location = "model.onnx_data";
    expect((await headerOf(encodeOnnx(graph))).externalFiles).toEqual(["model.onnx_data"]);
  });

  test("leaves out inputs that only name a weight, as older files have them", async () => {
    const graph = soundGraph();
    graph.inputs.push({ name: "weight", type: FLOAT, dims: [1] });
    expect((await headerOf(encodeOnnx(graph))).inputs.map(({ name }) => name)).toEqual(["input_ids", "attention_mask"]);
  });

  test("of two gigabytes takes a few small reads", async () => {
    // A weight of 2,000,000,000 bytes inside the graph: its bytes are never asked for, and zeros where they would lie.
    const weight = 2_000_000_000;
    const tensor = Buffer.concat([Buffer.from([0x42, 1, 0x77, 0x4a]), varint(weight)]);
    const rest = encodeOnnx({ ...soundGraph(), initializers: [] });
    const graphTag = rest.indexOf(0x3a);
    const graphLength = weight + tensor.length + varint(weight + tensor.length).length + 1;
    const start = Buffer.concat([rest.subarray(0, graphTag), Buffer.from([0x3a]), varint(graphLength)]);
    const head = Buffer.concat([start, Buffer.from([0x2a]), varint(weight + tensor.length), tensor]);
    const size = head.length + weight;
    let read = 0;
    const header = await readOnnxHeader(size, async (offset, length) => {
      read += length;
      const piece = Buffer.alloc(length);
      if (offset < head.length) head.copy(piece, 0, offset);
      return piece;
    });
    expect(header.ir).toBe(8);
    expect(read).toBeLessThan(200_000);
  });

  test.each([
    ["cut off", encodeOnnx(soundGraph()).subarray(0, -40)],
    ["a web page", Buffer.from("<html>502</html>")],
    ["zeros", Buffer.alloc(100)],
    ["without a graph", Buffer.from([0x08, 8])],
  ])("that is %s is a plain error", async (_, bytes) => {
    await expect(headerOf(bytes)).rejects.toThrow(/^it /);
  });
});

describe("the header of a safetensors file", () => {
  const made = (header: unknown, data: number): Buffer => {
    const text = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(text.length));
    return Buffer.concat([length, text, Buffer.alloc(data)]);
  };
  const read = (bytes: Buffer) => readSafetensorsHeader(bytes.length, piecesOf(bytes));
  const tensor = { dtype: "F32", shape: [2, 3], data_offsets: [0, 24] };

  test("has the type and shape of every tensor", async () => {
    const tensors = await read(made({ __metadata__: { format: "pt" }, "a.weight": tensor }, 24));
    expect([...tensors]).toEqual([["a.weight", { dtype: "F32", shape: [2, 3] }]]);
  });

  test.each([
    ["too short for a header", Buffer.alloc(4), "fewer than a header"],
    ["cut off", made({ a: tensor }, 23), "cut off or damaged"],
    ["longer than it says", made({ a: tensor }, 25), "cut off or damaged"],
    ["no safetensors", Buffer.from("<html>502</html>"), "does not begin with the length"],
    ["one with a header of other things", made({ a: 1 }, 0), "is no tensor"],
  ])("that is %s is a plain error", async (_, bytes, message) => {
    await expect(read(bytes)).rejects.toThrow(message);
  });
});
