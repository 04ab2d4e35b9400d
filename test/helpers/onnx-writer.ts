// Writes small ONNX files: a reranker of a few operators that ONNX Runtime runs, with every part of it open to change.

/** An element type by ONNX's number; a dimension that is a text is dynamic. */
export interface Value {
  name: string;
  type: number;
  dims: (number | string)[];
}

export interface Node {
  operator: string;
  inputs: string[];
  outputs: string[];
  domain?: string;
  /** Number attributes. */
  attributes?: Record<string, number>;
}

export interface Initializer {
  name: string;
  type: number;
  dims: number[];
  /** Inside the graph. */
  bytes?: Buffer;
  /** Outside of it. */
  location?: string;
}

export interface Graph {
  ir: number;
  opsets: Record<string, number>;
  inputs: Value[];
  outputs: Value[];
  nodes: Node[];
  initializers: Initializer[];
}

export const FLOAT = 1;
export const INT64 = 7;
export const FLOAT16 = 10;

const TOKENS: Value["dims"] = ["batch_size", "sequence_length"];

/** logits = sum over the row of input_ids * attention_mask, as float32 of shape [batch, 1]. */
export function soundGraph(): Graph {
  const axes = Buffer.alloc(8);
  axes.writeBigInt64LE(1n);
  return {
    ir: 8,
    opsets: { "": 17 },
    inputs: ["input_ids", "attention_mask"].map((name) => ({ name, type: INT64, dims: TOKENS })),
    outputs: [{ name: "logits", type: FLOAT, dims: ["batch_size", 1] }],
    nodes: [
      { operator: "Mul", inputs: ["input_ids", "attention_mask"], outputs: ["kept"] },
      { operator: "Cast", inputs: ["kept"], outputs: ["numbers"], attributes: { to: FLOAT } },
      { operator: "ReduceSum", inputs: ["numbers", "axes"], outputs: ["sum"] },
      { operator: "Mul", inputs: ["sum", "weight"], outputs: ["logits"] },
    ],
    initializers: [
      { name: "axes", type: INT64, dims: [1], bytes: axes },
      { name: "weight", type: FLOAT, dims: [1], bytes: Buffer.from(new Float32Array([0.5]).buffer) },
    ],
  };
}

export function encodeOnnx(graph: Graph): Buffer {
  const opsets = Object.entries(graph.opsets).map(([domain, version]) =>
    message(8, text(1, domain), number(2, version)),
  );
  const content = [
    ...graph.nodes.map(node),
    text(2, "made_up"),
    ...graph.initializers.map(tensor),
    ...graph.inputs.map((input) => value(11, input)),
    ...graph.outputs.map((output) => value(12, output)),
  ];
  return Buffer.concat([number(1, graph.ir), text(2, "test"), message(7, ...content), ...opsets]);
}

function node({ operator, inputs, outputs, domain, attributes = {} }: Node): Buffer {
  // AttributeProto: name 1, i 3, type 20 (INT is 2).
  const given = Object.entries(attributes).map(([name, of]) => message(5, text(1, name), number(3, of), number(20, 2)));
  const places = [...inputs.map((name) => text(1, name)), ...outputs.map((name) => text(2, name))];
  return message(1, ...places, text(4, operator), ...given, ...(domain === undefined ? [] : [text(7, domain)]));
}

function tensor({ name, type, dims, bytes, location }: Initializer): Buffer {
  const outside = (key: string, of: string) => message(13, text(1, key), text(2, of));
  const data =
    location === undefined
      ? [field(9, bytes ?? Buffer.alloc(0))]
      : [outside("location", location), outside("offset", "0"), outside("length", "4"), number(14, 1)];
  return message(5, ...dims.map((dim) => number(1, dim)), number(2, type), text(8, name), ...data);
}

function value(place: number, { name, type, dims }: Value): Buffer {
  const shape = dims.map((dim) => message(1, typeof dim === "number" ? number(1, dim) : text(2, dim)));
  return message(place, text(1, name), message(2, message(1, number(1, type), message(2, ...shape))));
}

const message = (place: number, ...content: Buffer[]): Buffer => field(place, Buffer.concat(content));
const text = (place: number, content: string): Buffer => field(place, Buffer.from(content));
const number = (place: number, content: number): Buffer => Buffer.concat([varint(place * 8), varint(content)]);
const field = (place: number, content: Buffer): Buffer =>
  Buffer.concat([varint(place * 8 + 2), varint(content.length), content]);

/** Base 128, the lowest seven bits first. */
export function varint(content: number): Buffer {
  const bytes: number[] = [];
  let left = content;
  do {
    bytes.push((left % 128) + (left >= 128 ? 128 : 0));
    left = Math.floor(left / 128);
  } while (left > 0);
  return Buffer.from(bytes);
}
