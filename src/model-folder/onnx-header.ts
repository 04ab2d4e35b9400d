// What an ONNX file says of itself without its weights: versions, inputs, outputs, operators, and where weights outside it lie (onnx.proto3).
import { ByteReader, type Field, fields } from "./byte-reader.js";
import type { ReadAt } from "./read-at.js";

export interface GraphValue {
  name: string;
  /** ONNX's number of the element type; see ELEMENT_TYPES. */
  type: number;
  /** A number where the graph fixes it, its name where it does not; null when it has none. Undefined without any shape. */
  dims?: (number | string | null)[];
}

export interface OnnxHeader {
  ir: number;
  producer: string;
  /** Version by domain; the domain of ONNX itself is the empty text. */
  opsets: Record<string, number>;
  /** Without those that only name an initializer, as older files have them. */
  inputs: GraphValue[];
  outputs: GraphValue[];
  /** Count by `domain:Operator`, or `Operator` for ONNX's own; subgraphs included. */
  operators: Record<string, number>;
  /** Distinct files that hold weights, as the graph writes them. */
  externalFiles: string[];
  /** Count of weights by ONNX's number of the element type. */
  weightTypes: Record<number, number>;
}

export const FLOAT32 = 1;
export const FLOAT16 = 10;
export const INT64 = 7;
/** Names of the usual element types (TensorProto.DataType). */
export const ELEMENT_TYPES: Record<number, string> = {
  1: "float32",
  2: "uint8",
  3: "int8",
  6: "int32",
  7: "int64",
  10: "float16",
  11: "float64",
  16: "bfloat16",
};

interface Gathered extends OnnxHeader {
  initializers: Set<string>;
  external: Set<string>;
}

/**
 * Reads the header of an ONNX file; tensors are stepped over by their offset, so that files of any size take little memory.
 * @param size bytes of the file.
 * @throws Error with the rest of a sentence that begins with the file's name.
 */
export async function readOnnxHeader(size: number, readAt: ReadAt): Promise<OnnxHeader> {
  const reader = new ByteReader(size, readAt);
  const found = nothingYet();
  let graphs = 0;
  for await (const field of fields(reader, size)) {
    if (field.number === 1) found.ir = field.value;
    else if (field.number === 2) found.producer = await textOf(reader, field);
    else if (field.number === 8) await readOpset(reader, field.end, found);
    else if (field.number === 7) {
      graphs += 1;
      await readGraph(reader, field.end, found, true);
    }
  }
  if (graphs === 0 || found.ir === 0) throw new Error("it holds no graph");
  const { initializers, external, ...header } = found;
  return {
    ...header,
    inputs: header.inputs.filter(({ name }) => !initializers.has(name)),
    externalFiles: [...external].sort(),
  };
}

function nothingYet(): Gathered {
  const lists = { inputs: [], outputs: [], externalFiles: [] };
  const counts = { opsets: {}, operators: {}, weightTypes: {} };
  return { ir: 0, producer: "", ...lists, ...counts, initializers: new Set(), external: new Set() };
}

const textOf = (reader: ByteReader, field: Field): Promise<string> => reader.text(field.end - reader.position);

async function readOpset(reader: ByteReader, end: number, found: Gathered): Promise<void> {
  let domain = "";
  let version = 0;
  for await (const field of fields(reader, end)) {
    if (field.number === 1) domain = await textOf(reader, field);
    else if (field.number === 2) version = field.value;
  }
  found.opsets[domain === "ai.onnx" ? "" : domain] = version;
}

async function readGraph(reader: ByteReader, end: number, found: Gathered, isMain: boolean): Promise<void> {
  for await (const field of fields(reader, end)) {
    if (field.number === 1) await readNode(reader, field.end, found);
    else if (field.number === 5) await readTensor(reader, field.end, found);
    else if (field.number === 11 && isMain) found.inputs.push(await readValue(reader, field.end));
    else if (field.number === 12 && isMain) found.outputs.push(await readValue(reader, field.end));
  }
}

async function readNode(reader: ByteReader, end: number, found: Gathered): Promise<void> {
  let operator = "";
  let domain = "";
  for await (const field of fields(reader, end)) {
    if (field.number === 4) operator = await textOf(reader, field);
    else if (field.number === 7) domain = await textOf(reader, field);
    else if (field.number === 5) await readAttribute(reader, field.end, found);
  }
  const name = domain === "" || domain === "ai.onnx" ? operator : `${domain}:${operator}`;
  found.operators[name] = (found.operators[name] ?? 0) + 1;
}

/** An attribute may hold a tensor (of a Constant) or the graph of a branch. */
async function readAttribute(reader: ByteReader, end: number, found: Gathered): Promise<void> {
  for await (const field of fields(reader, end)) {
    if (field.number === 5) await readTensor(reader, field.end, found);
    else if (field.number === 6) await readGraph(reader, field.end, found, false);
  }
}

/** Names and places only: raw_data (field 9) and typed data are stepped over. */
async function readTensor(reader: ByteReader, end: number, found: Gathered): Promise<void> {
  for await (const field of fields(reader, end)) {
    if (field.number === 2) found.weightTypes[field.value] = (found.weightTypes[field.value] ?? 0) + 1;
    else if (field.number === 8) found.initializers.add(await textOf(reader, field));
    else if (field.number === 13) {
      const [key, value] = await readEntry(reader, field.end);
      if (key === "location") found.external.add(value);
    }
  }
}

async function readEntry(reader: ByteReader, end: number): Promise<[string, string]> {
  const entry: [string, string] = ["", ""];
  for await (const field of fields(reader, end)) {
    if (field.number === 1) entry[0] = await textOf(reader, field);
    else if (field.number === 2) entry[1] = await textOf(reader, field);
  }
  return entry;
}

async function readValue(reader: ByteReader, end: number): Promise<GraphValue> {
  const value: GraphValue = { name: "", type: 0 };
  for await (const field of fields(reader, end)) {
    if (field.number === 1) value.name = await textOf(reader, field);
    else if (field.number === 2)
      for await (const kind of fields(reader, field.end))
        if (kind.number === 1) await readTensorType(reader, kind.end, value);
  }
  return value;
}

async function readTensorType(reader: ByteReader, end: number, value: GraphValue): Promise<void> {
  for await (const field of fields(reader, end)) {
    if (field.number === 1) value.type = field.value;
    else if (field.number === 2) {
      value.dims = [];
      for await (const dim of fields(reader, field.end))
        if (dim.number === 1) value.dims.push(await readDim(reader, dim.end));
    }
  }
}

async function readDim(reader: ByteReader, end: number): Promise<number | string | null> {
  let dim: number | string | null = null;
  for await (const field of fields(reader, end)) {
    if (field.number === 1) dim = field.value;
    else if (field.number === 2) dim = await textOf(reader, field);
  }
  return dim;
}
